// SIMD maths on plain memory, one generic body each (Highway), the instruction set chosen
// once at start (kernels/target.h). `AIO_TARGET=scalar|sse4|avx2|avx512|neon` forces one.
//
// Exactness contract: every output value has one fixed order of accumulation that depends
// on the shape of its own row alone, never on how many rows or threads share the call.
// Bits may differ between instruction sets, never within one.
//
// Matrix products: matmul.h. Attention: attention.h.
//
// Nothing here allocates or fails: shapes are the caller's invariants (AIO_CHECKed where
// that is cheap). Pointers need the alignment of their elements, no more.
#ifndef AIO_KERNELS_KERNELS_H_
#define AIO_KERNELS_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/matrix.h"

namespace aio {

// --- Rows of activations -----------------------------------------------------------

// out[i] = x[i] / sqrt(mean(x^2) + epsilon) * weight[i]. `out` may be `x`.
// (Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".)
void RmsNorm(std::span<const float> x, std::span<const float> weight, float epsilon,
             std::span<float> out);

// x[i] += y[i]
void AddInPlace(std::span<float> x, std::span<const float> y);

// gate[i] = silu(gate[i]) * up[i], silu(v) = v / (1 + exp(-v)). (Shazeer 2020, "GLU
// Variants Improve Transformer": SwiGLU.)
void SwiGluInPlace(std::span<float> gate, std::span<const float> up);

// F32 to IEEE half, nearest even. `out` is [x.size()] halves.
void EncodeF16(std::span<const float> x, std::byte* out);

// --- Logits ------------------------------------------------------------------------

// The first index of the greatest value; NaN is less than any. 0 when all are NaN or `x` is
// empty.
size_t ArgMax(std::span<const float> x);

// out[i] = exp((x[i] - max) * scale), 0 for NaN; what is below e^-104 becomes 0. `max` is
// finite and no x[i] is greater; scale > 0. `out` has x's size.
void ExpRelative(std::span<const float> x, float max, float scale, std::span<float> out);

// --- Memory ------------------------------------------------------------------------

// The sum, modulo 2^64: a streaming read with the widest loads, to measure memory with.
uint64_t SumOfWords(std::span<const uint64_t> words);

// --- Rotary position embedding (Su et al. 2021, "RoFormer") ---------------------------

// How the dimensions of a head are paired for rotation.
enum class RopePairing {
  kInterleaved,  // (2i, 2i+1): llama
  kHalves,       // (i, i + rope_dims/2): qwen2, qwen3, pangu-embedded ("neox")
};

// cos and sin of position * frequencies[i], computed in double: the angles of one
// position, once for all heads and layers. All three are [rope_dims / 2].
void RopeAngles(int position, std::span<const double> frequencies, std::span<float> cos,
                std::span<float> sin);

// Rotates the first 2 * cos.size() dimensions of every head. `heads` is
// [number of heads, head_size].
void RopeInPlace(std::span<float> heads, int head_size, RopePairing pairing,
                 std::span<const float> cos, std::span<const float> sin);

}  // namespace aio

#endif  // AIO_KERNELS_KERNELS_H_
