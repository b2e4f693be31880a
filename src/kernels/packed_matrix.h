// Weight matrices as the products read them: the rows of a tile interleaved, so that one
// vector holds the same columns of neighbouring rows. Lanes are rows: a product needs no
// horizontal sum, a weight vector is read and decoded once for any number of tokens, and
// memory is read as one stream.
//
// Float types: tiles of 32 rows; for every column, the 32 rows' values.
// Quantised types: tiles of 16 rows; for every block of columns, the rows' scales, then
// their codes in groups of four columns (4 bytes a row). Packing moves bits but neither
// adds nor loses any: a packed tile has the bytes of its rows. packed_matrix.cc has the
// details of each type.
#ifndef AIO_KERNELS_PACKED_MATRIX_H_
#define AIO_KERNELS_PACKED_MATRIX_H_

#include <cstddef>

#include "kernels/matrix.h"

namespace aio {

inline constexpr int kFloatTileRows = 32;
inline constexpr int kQuantTileRows = 16;

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
