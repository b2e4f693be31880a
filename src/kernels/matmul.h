// Products of packed weights with the activations of one or many tokens.
#ifndef AIO_KERNELS_MATMUL_H_
#define AIO_KERNELS_MATMUL_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/aligned.h"
#include "kernels/packed_matrix.h"

namespace aio {

// One product: y[t, r] = bias[r] + sum over k of weights[r, k] * x[t, k].
struct Product {
  PackedMatrix weights;
  std::span<const float> bias;  // [weights.rows], or empty
  std::span<float> y;           // [tokens, weights.rows]; must not overlap x
};

// Activations as the products read them: those of a few tokens side by side, and for
// quantised weights rounded to 16-bit integers with one scale for 32 of them. Kept from
// call to call for its memory; one call at a time.
class MatMulScratch {
 public:
  // For calls of at most `max_tokens` x `max_columns`.
  MatMulScratch(size_t max_tokens, size_t max_columns);

  // 32 activations as integers a, |a| <= 32512, in the order that the instruction set
  // multiplies them in (64 bytes); their scale; sums that take the weights' offsets off.
  static constexpr size_t kBlock = 32;
  static constexpr size_t kBlockCodes = 64;
  struct BlockSums {
    float scale;        // x ~ scale * a
    float sum;          // scale * (sum of a)
    int32_t all;        // sum of a
    int32_t halves[2];  // sums of the first and the last 16 a
  };

  static size_t Bytes(size_t max_tokens, size_t max_columns) {
    return max_tokens *
           (max_columns * sizeof(float) + max_columns / kBlock * (kBlockCodes + sizeof(BlockSums)));
  }

  size_t capacity() const { return floats_.size(); }
  float* floats() { return floats_.data(); }
  int8_t* codes() { return codes_.data(); }
  BlockSums* sums() { return sums_.data(); }

 private:
  AlignedVector<float> floats_;    // [max_tokens, max_columns]
  AlignedVector<int8_t> codes_;    // [max_tokens, max_columns / 32][64]
  AlignedVector<BlockSums> sums_;  // [max_tokens, max_columns / 32]
};

// Computes `products`, which share the activations x [tokens, columns], as one parallel
// loop. Float weights are multiplied as stored, in F32. Quantised weights are multiplied
// as integers with activations rounded to 16 bits (relative to the largest of 32), which
// is exact until their scales are applied in F32.
//
// Every y is the same bits whatever the number of tokens, the other products and the
// threads. Does not allocate.
void MatMul(std::span<const Product> products, std::span<const float> x, MatMulScratch& scratch,
            ThreadPool& pool);

}  // namespace aio

#endif  // AIO_KERNELS_MATMUL_H_
