// Weight matrices as the products read them: the rows of a tile interleaved, so that one
// vector holds the same columns of neighbouring rows. Lanes are rows: a product needs no
// horizontal sum, a weight vector is read and decoded once for any number of tokens, and
// memory is read as one stream.
//
// Float types: tiles of 32 rows; for every column, the 32 rows' values.
// Quantised types: tiles of 16 rows; for every block of columns, the rows' scales, then
// their codes in groups of four columns (4 bytes a row). Packing moves bits but neither
// adds nor loses any: a packed tile has the bytes of its rows.
#ifndef AIO_KERNELS_PACKED_MATRIX_H_
#define AIO_KERNELS_PACKED_MATRIX_H_

#include <cstddef>

#include "kernels/matrix.h"
#include "kernels/quant_codes.h"

namespace aio {

inline constexpr int kFloatTileRows = 32;
inline constexpr int kQuantTileRows = 16;

// One block of columns of all rows r of a quantised tile:
//   Q8_0  d[r]            codes[8][r][4]
//   Q4_0  d[r]            nibbles[4][r][4]
//   Q4_K  d[r] dmin[r] six_bits[3][r][4]    8 x  nibbles[4][r][4]
//   Q5_K  d[r] dmin[r] six_bits[3][r][4]    8 x (nibbles[4][r][4], high_bits[r][4])
//   Q6_K  d[r] scales[16][r]                8 x (nibbles[4][r][4], high_bits[2][r][4])
// d, dmin: halves. Of 32 columns in groups g = 0..7 of four, nibbles[j] holds the low four
// bits of groups j (low nibble) and j + 4 (high nibble); high_bits the n bits above those of
// group g in vector g * n / 8 from bit g * n % 8 on.
//
// Offsets count the bytes of one row: what has offset `o` begins at byte o * kQuantTileRows.
struct PackedBlock {
  static constexpr int kDmin = 2;
  int scales;    // six_bits, or Q6_K's scales
  int num_runs;  // of 32 columns
  int first_run;
  int run_bytes;
  int high_bits;  // of a run: in it
};
constexpr PackedBlock PackedBlockOf(WeightType type) {
  const bool six_bits = type == WeightType::kQ4_K || type == WeightType::kQ5_K;
  const int run_bytes = type == WeightType::kQ8_0 ? 32 : 16 + 4 * HighBitsOf(type);
  const int num_runs = BlockOf(type).values / 32;
  return {six_bits ? 4 : 2, num_runs, BlockOf(type).bytes - num_runs * run_bytes, run_bytes, 16};
}

// A view; does not own. `data` begins on a cache line.
struct PackedMatrix {
  const std::byte* data = nullptr;
  WeightType type = WeightType::kF32;
  int rows = 0;
  int columns = 0;

  bool empty() const { return data == nullptr; }
  int tile_rows() const { return IsQuantized(type) ? kQuantTileRows : kFloatTileRows; }
  int num_tiles() const { return (rows + tile_rows() - 1) / tile_rows(); }
  size_t tile_bytes() const {
    return Matrix{nullptr, type, 1, columns}.row_bytes() * static_cast<size_t>(tile_rows());
  }
  // The last tile is whole even where the rows are not.
  size_t bytes() const { return tile_bytes() * static_cast<size_t>(num_tiles()); }
};

// The shape of `stored` when packed, with no data.
PackedMatrix PackedShape(const Matrix& stored);

// Writes tile `tile` of `stored` to `out` ([tile_bytes()]). Rows that are not there
// become zero. Tiles may be packed by several threads at once.
void PackTile(const Matrix& stored, int tile, std::byte* out);

}  // namespace aio

#endif  // AIO_KERNELS_PACKED_MATRIX_H_
