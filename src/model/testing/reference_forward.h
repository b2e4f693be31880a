// The forward pass once more, slow and plain, in double precision and straight from the
// formulas: what Forward() is tested against. Shares no code with it or the kernels.
#ifndef AIO_MODEL_TESTING_REFERENCE_FORWARD_H_
#define AIO_MODEL_TESTING_REFERENCE_FORWARD_H_

#include <cstdint>
#include <span>
#include <vector>

#include "formats/gguf.h"

namespace aio {

// Logits at every position of one sequence: [tokens.size()][vocabulary].
std::vector<std::vector<double>> ReferenceForward(const GgufFile& file,
                                                  std::span<const int32_t> tokens);

}  // namespace aio

#endif  // AIO_MODEL_TESTING_REFERENCE_FORWARD_H_
