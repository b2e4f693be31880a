// What the tasks of one product share; for the files of MatMul() alone.
#ifndef AIO_KERNELS_TILE_CALL_H_
#define AIO_KERNELS_TILE_CALL_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/matmul.h"
#include "kernels/packed_matrix.h"

namespace aio {

struct TileCall {
  PackedMatrix weights;
  const float* bias = nullptr;  // or null
  const float* x = nullptr;     // [tokens, columns], interleaved
  float* y = nullptr;           // [tokens, rows]
  size_t tokens = 0;
  const int8_t* codes = nullptr;                   // MatMulScratch's, for quantised weights
  const MatMulScratch::BlockSums* sums = nullptr;  // the same
};

// y for the rows of tiles [begin, end), all tokens.
void MultiplyFloatTiles(const TileCall& call, size_t begin, size_t end);
void MultiplyQuantTiles(const TileCall& call, size_t begin, size_t end);

// What the products read activations x [tokens, columns] from, made by column so that
// threads can share the work: `begin` and `end` count columns for float weights, runs of
// 32 of them for quantised ones.
void InterleaveActivations(std::span<const float> x, size_t tokens, size_t begin, size_t end,
                           float* out);
void RoundActivations(std::span<const float> x, size_t tokens, size_t begin, size_t end,
                      int8_t* codes, MatMulScratch::BlockSums* sums);

}  // namespace aio

#endif  // AIO_KERNELS_TILE_CALL_H_
