#include "kernels/packed_matrix.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "kernels/quant_codes.h"

namespace aio {
namespace {

template <typename Value>
Value Load(const std::byte* data) {
  Value value;
  std::memcpy(&value, data, sizeof(value));
  return value;
}

// --- Float types: out[k][r].

template <typename Value>
void PackFloats(const Matrix& stored, int first_row, int num_rows, std::byte* out) {
  // As much of a row at a time as makes it a stream of its own, and leaves what is to be
  // written in the first-level cache; of as many rows as fill a word.
  constexpr int kColumns = 512 / sizeof(Value);
  constexpr int kRows = sizeof(uint64_t) / sizeof(Value);
  static constexpr std::byte kMissing[kColumns * sizeof(Value)] = {};
  uint64_t square[kColumns][kFloatTileRows / kRows];
  for (int k = 0; k < stored.columns; k += kColumns) {
    const int count = std::min(kColumns, stored.columns - k);
    for (int r = 0; r < kFloatTileRows; r += kRows) {
      const std::byte* rows[kRows];
      for (int i = 0; i < kRows; ++i) {
        rows[i] = r + i < num_rows ? stored.row(first_row + r + i) + sizeof(Value) * k : kMissing;
      }
      for (int column = 0; column < count; ++column) {
        uint64_t word = 0;
#pragma GCC unroll 4
        for (int i = 0; i < kRows; ++i) {
          const auto value = Load<Value>(rows[i] + sizeof(Value) * column);
          word |= uint64_t{value} << (8 * sizeof(Value) * i);
        }
        square[column][r / kRows] = word;
      }
    }
    std::memcpy(out + sizeof(Value) * kFloatTileRows * k, square, sizeof(square[0]) * count);
  }
}

// --- Quantised types.

// Writes the parts of one row of one block of a tile.
struct RowWriter {
  std::byte* block;
  int row;
  template <typename Value>
  void Put(int offset, Value value) const {
    std::memcpy(block + offset * kQuantTileRows + row * sizeof(value), &value, sizeof(value));
  }
};

// A run of codes below 64: four in the bytes of a word at a time.
template <WeightType kType>
void PackRun(const std::byte* stored, int run, const RowWriter& out) {
  constexpr PackedBlock kPacked = PackedBlockOf(kType);
  constexpr int kBits = HighBitsOf(kType);
  const int first = kPacked.first_run + run * kPacked.run_bytes;
  uint32_t high[2] = {};
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    uint32_t nibbles = 0;
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const CodePlaces at = CodePlacesOf(kType, 32 * run + 16 * half);
      const auto low = Load<uint32_t>(stored + at.low + 4 * j) >> at.low_shift;
      nibbles |= (low & 0x0f0f0f0fu) << (4 * half);
      if constexpr (kBits > 0) {
        const int bit = kBits * (4 * half + j);
        const auto bits = Load<uint32_t>(stored + at.high + 4 * j) >> at.high_shift;
        high[bit / 8] |= (bits & (kBits == 1 ? 0x01010101u : 0x03030303u)) << (bit % 8);
      }
    }
    out.Put(first + 4 * j, nibbles);
  }
  for (int i = 0; i < kBits; ++i) out.Put(first + kPacked.high_bits + 4 * i, high[i]);
}

template <WeightType kType>
void PackBlock(const std::byte* stored, const RowWriter& out) {
  constexpr PackedBlock kPacked = PackedBlockOf(kType);
  constexpr bool kQ6 = kType == WeightType::kQ6_K;
  out.Put(0, Load<uint16_t>(stored + (kQ6 ? 208 : 0)));
  if constexpr (kType == WeightType::kQ8_0) {
    for (int g = 0; g < 8; ++g) {
      out.Put(kPacked.first_run + 4 * g, Load<uint32_t>(stored + 2 + 4 * g) ^ 0x80808080u);
    }
    return;
  }
  if constexpr (kQ6) {
    for (int i = 0; i < 16; ++i) out.Put(kPacked.scales + i, stored[192 + i]);
  } else if constexpr (kPacked.num_runs > 1) {
    out.Put(PackedBlock::kDmin, Load<uint16_t>(stored + 2));
    for (int i = 0; i < 12; i += 4) out.Put(kPacked.scales + i, Load<uint32_t>(stored + 4 + i));
  }
#pragma GCC unroll 8
  for (int run = 0; run < kPacked.num_runs; ++run) PackRun<kType>(stored, run, out);
}

template <WeightType kType>
void PackQuantised(const Matrix& stored, int first_row, int num_rows, std::byte* out) {
  constexpr WeightBlock kBlock = BlockOf(kType);
  for (int b = 0; b < stored.columns / kBlock.values; ++b) {
    for (int r = 0; r < num_rows; ++r) {
      PackBlock<kType>(stored.row(first_row + r) + static_cast<size_t>(b) * kBlock.bytes, {out, r});
    }
    out += kBlock.bytes * kQuantTileRows;
  }
}

}  // namespace

PackedMatrix PackedShape(const Matrix& stored) {
  return {nullptr, stored.type, stored.rows, stored.columns};
}

void PackTile(const Matrix& stored, int tile, std::byte* out) {
  const PackedMatrix shape = PackedShape(stored);
  const int first = tile * shape.tile_rows();
  AIO_CHECK(tile >= 0 && first < stored.rows);
  const int count = std::min(shape.tile_rows(), stored.rows - first);
  // A scale of zero makes a missing row zero whatever its codes are.
  if (count < kQuantTileRows && IsQuantized(stored.type)) std::memset(out, 0, shape.tile_bytes());
  switch (stored.type) {
    case WeightType::kF32:
      return PackFloats<uint32_t>(stored, first, count, out);
    case WeightType::kF16:
    case WeightType::kBF16:
      return PackFloats<uint16_t>(stored, first, count, out);
    case WeightType::kQ8_0:
      return PackQuantised<WeightType::kQ8_0>(stored, first, count, out);
    case WeightType::kQ4_0:
      return PackQuantised<WeightType::kQ4_0>(stored, first, count, out);
    case WeightType::kQ4_K:
      return PackQuantised<WeightType::kQ4_K>(stored, first, count, out);
    case WeightType::kQ5_K:
      return PackQuantised<WeightType::kQ5_K>(stored, first, count, out);
    case WeightType::kQ6_K:
      return PackQuantised<WeightType::kQ6_K>(stored, first, count, out);
  }
}

}  // namespace aio
