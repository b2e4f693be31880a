// The integers inside quantised blocks. The layouts are ggml's, of the GGUF types of the
// same names; https://github.com/ggml-org/ggml, docs/gguf.md and the k-quants pull request
// (llama.cpp #1684) describe them.
//
// Every quantised weight is scale * code - offset with an unsigned code: a block holds
// `values` codes and, for each run of `run` of them, a scale and an offset.
#ifndef AIO_KERNELS_QUANT_CODES_H_
#define AIO_KERNELS_QUANT_CODES_H_

#include <cstddef>
#include <cstdint>

#include "kernels/matrix.h"

namespace aio {

inline constexpr int kMaxBlockValues = 256;

// How many bits of a code lie apart from its four low ones.
constexpr int HighBitsOf(WeightType type) {
  return type == WeightType::kQ6_K ? 2 : type == WeightType::kQ5_K ? 1 : 0;
}

// Where a stored block keeps the codes of 16 neighbouring columns, the first of them
// `column`: of the i-th the four low bits in byte low + i, from bit low_shift on; the others
// in byte high + i, from bit high_shift on. Not for Q8_0, whose codes are bytes.
struct CodePlaces {
  int low;
  int low_shift;
  int high = 0;
  int high_shift = 0;
};
constexpr CodePlaces CodePlacesOf(WeightType type, int column) {
  const int run = column / 32;
  const int in_run = column % 32;
  const int pair = run / 2 * 32 + in_run;  // runs share bytes two by two
  switch (type) {
    case WeightType::kQ4_0:
      return {2, in_run / 16 * 4};
    case WeightType::kQ4_K:
      return {16 + pair, run % 2 * 4};
    case WeightType::kQ5_K:
      return {48 + pair, run % 2 * 4, 16 + in_run, run};
    case WeightType::kQ6_K:  // run 0 shares with run 2, 1 with 3
      return {run / 4 * 64 + run % 2 * 32 + in_run, run % 4 / 2 * 4, 128 + run / 4 * 32 + in_run,
              run % 4 * 2};
    default:
      return {};
  }
}

// codes[i] of one block. Q8_0: 1..255, the stored integer + 128; Q4_0, Q4_K: 0..15;
// Q5_K: 0..31; Q6_K: 0..63.
void UnpackCodes(WeightType type, const std::byte* block, uint8_t* codes);

// The code that stands for zero in the types whose offset is a multiple of the scale:
// 128 (Q8_0), 8 (Q4_0), 32 (Q6_K); 0 in those that store offsets (Q4_K, Q5_K).
constexpr int ZeroCode(WeightType type) {
  switch (type) {
    case WeightType::kQ8_0:
      return 128;
    case WeightType::kQ4_0:
      return 8;
    case WeightType::kQ6_K:
      return 32;
    default:
      return 0;
  }
}

// The six-bit scale and offset of the j-th of eight runs, from the 12 bytes in which Q4_K
// and Q5_K keep them.
struct SixBitPair {
  uint8_t scale;
  uint8_t offset;
};
SixBitPair UnpackSixBits(const std::byte* twelve_bytes, int j);

}  // namespace aio

#endif  // AIO_KERNELS_QUANT_CODES_H_
