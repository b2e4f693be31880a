#include "kernels/packed_matrix.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "kernels/quant_codes.h"

namespace aio {
namespace {

// --- Float types: out[k][r].

template <typename Value>
void PackFloats(const Matrix& stored, int first_row, int num_rows, std::byte* out) {
  // A square of columns at a time: its sources and targets stay in the first-level cache.
  constexpr int kColumns = 32;
  for (int k = 0; k < stored.columns; k += kColumns) {
    const int count = std::min(kColumns, stored.columns - k);
    Value square[kColumns * kFloatTileRows];
    if (num_rows < kFloatTileRows) std::fill(std::begin(square), std::end(square), Value{});
    for (int r = 0; r < num_rows; ++r) {
      Value values[kColumns];
      std::memcpy(values, stored.row(first_row + r) + sizeof(Value) * k, sizeof(Value) * count);
      for (int i = 0; i < count; ++i) square[i * kFloatTileRows + r] = values[i];
    }
    std::memcpy(out + sizeof(Value) * kFloatTileRows * k, square,
                sizeof(Value) * kFloatTileRows * count);
  }
}

// --- Quantised types. One block of columns of all rows of a tile:
//   Q8_0  d[r]            codes[8][r][4]
//   Q4_0  d[r]            nibbles[4][r][4]
//   Q4_K  d[r] dmin[r] six_bits[3][r][4]    8 x  nibbles[4][r][4]
//   Q5_K  d[r] dmin[r] six_bits[3][r][4]    8 x (nibbles[4][r][4], bits[r][4])
//   Q6_K  d[r] scales[16][r]                8 x (nibbles[4][r][4], pairs[2][r][4])
// d, dmin: halves. Of 32 columns in groups g = 0..7 of four, nibbles[j] holds the low four
// bits of groups j (low nibble) and j + 4 (high nibble); bits the fifth bit of group g at
// bit g; pairs[h] the two high bits of group 4h + i at bits 2i.

class QuantTileWriter {
 public:
  QuantTileWriter(WeightType type, std::byte* out)
      : type_(type), block_(BlockOf(type)), out_(out) {}

  // Writes block `b` of row `r` of the tile, stored at `block`.
  void Write(int b, int r, const std::byte* block) {
    std::byte* base = out_ + static_cast<size_t>(b) * block_.bytes * kQuantTileRows;
    const auto put = [&](size_t offset, size_t size, const void* data) {
      std::memcpy(base + offset * kQuantTileRows + r * size, data, size);
    };
    uint8_t codes[kMaxBlockValues];
    UnpackCodes(type_, block, codes);
    // Offsets count the bytes of one row, as in the list above.
    size_t at = 0;
    const auto put_next = [&](size_t size, const void* data) {
      put(at, size, data);
      at += size;
    };
    switch (type_) {
      case WeightType::kQ8_0:
        put_next(2, block);
        for (int g = 0; g < 8; ++g) put_next(4, codes + 4 * g);
        return;
      case WeightType::kQ4_0:
        put_next(2, block);
        return PutNibbles(codes, put_next);
      case WeightType::kQ4_K:
      case WeightType::kQ5_K:
        put_next(2, block);
        put_next(2, block + 2);
        for (int w = 0; w < 3; ++w) put_next(4, block + 4 + 4 * w);
        break;
      case WeightType::kQ6_K:
        put_next(2, block + 208);
        for (int s = 0; s < 16; ++s) put_next(1, block + 192 + s);
        break;
      default:
        AIO_CHECK(false, "not a quantised type");
    }
    for (int first = 0; first < block_.values; first += 32) {
      PutNibbles(codes + first, put_next);
      if (type_ == WeightType::kQ5_K) PutHighBits<1>(codes + first, put_next);
      if (type_ == WeightType::kQ6_K) PutHighBits<2>(codes + first, put_next);
    }
  }

 private:
  template <typename Put>
  static void PutNibbles(const uint8_t* codes, const Put& put_next) {
    for (int j = 0; j < 4; ++j) {
      uint8_t bytes[4];
      for (int i = 0; i < 4; ++i) {
        bytes[i] = static_cast<uint8_t>((codes[4 * j + i] & 15) | codes[4 * (j + 4) + i] << 4);
      }
      put_next(4, bytes);
    }
  }
  // The kBits bits above the nibble, of 8 / kBits groups a vector.
  template <int kBits, typename Put>
  static void PutHighBits(const uint8_t* codes, const Put& put_next) {
    constexpr int kGroups = 8 / kBits;
    for (int first = 0; first < 8; first += kGroups) {
      uint8_t bytes[4] = {};
      for (int g = 0; g < kGroups; ++g) {
        for (int i = 0; i < 4; ++i) {
          bytes[i] |= static_cast<uint8_t>(codes[4 * (first + g) + i] >> 4 << (kBits * g));
        }
      }
      put_next(4, bytes);
    }
  }

  const WeightType type_;
  const WeightBlock block_;
  std::byte* const out_;
};

}  // namespace

PackedMatrix PackedShape(const Matrix& stored) {
  return {nullptr, stored.type, stored.rows, stored.columns};
}

void PackTile(const Matrix& stored, int tile, std::byte* out) {
  const PackedMatrix shape = PackedShape(stored);
  const int first = tile * shape.tile_rows();
  AIO_CHECK(tile >= 0 && first < stored.rows);
  const int count = std::min(shape.tile_rows(), stored.rows - first);
  if (stored.type == WeightType::kF32) return PackFloats<uint32_t>(stored, first, count, out);
  if (!IsQuantized(stored.type)) return PackFloats<uint16_t>(stored, first, count, out);
  // A scale of zero makes a row zero whatever its codes are.
  if (count < kQuantTileRows) std::memset(out, 0, shape.tile_bytes());
  QuantTileWriter writer(stored.type, out);
  const WeightBlock block = BlockOf(stored.type);
  for (int b = 0; b < stored.columns / block.values; ++b) {
    for (int r = 0; r < count; ++r) {
      writer.Write(b, r, stored.row(first + r) + static_cast<size_t>(b) * block.bytes);
    }
  }
}

}  // namespace aio
