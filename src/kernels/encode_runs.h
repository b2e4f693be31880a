// The searches inside the quantised encodings: which scales, offsets and codes stand for a
// block's weights with the least squared error. Used by EncodeRow() (matrix.h).
//
// Each SIMD lane works on a run of its own, in the order of the run's values, and nothing is
// fused: the same bits on every machine, whatever its vectors.
#ifndef AIO_KERNELS_ENCODE_RUNS_H_
#define AIO_KERNELS_ENCODE_RUNS_H_

#include <cstddef>
#include <cstdint>

namespace aio {

// A Q4_K or Q5_K block: of 8 runs of 32, weight = d * scale * code - dmin * offset.
struct SixBitBlock {
  uint16_t d = 0;     // half
  uint16_t dmin = 0;  // half
  uint8_t scales[8] = {};
  uint8_t offsets[8] = {};
  uint8_t codes[256] = {};
};
// `values` [256]; codes of 0..most.
void EncodeSixBitRuns(const float* values, int most, SixBitBlock& block);

// A Q6_K block: of 16 runs of 16, weight = d * scale * (code - 32).
struct SymmetricBlock {
  uint16_t d = 0;  // half
  int8_t scales[16] = {};
  uint8_t codes[256] = {};  // 0..63
};
void EncodeSymmetricRuns(const float* values, SymmetricBlock& block);

// Q8_0: `count` (a multiple of 32) weights as blocks of a half and 32 signed bytes; the largest
// magnitude of each block becomes 127.
void EncodeQ8Blocks(const float* values, size_t count, std::byte* out);

}  // namespace aio

#endif  // AIO_KERNELS_ENCODE_RUNS_H_
