// Looks for weights that are no numbers: files that a broken conversion or a broken disk left.
#ifndef AIO_MODEL_CHECK_WEIGHTS_H_
#define AIO_MODEL_CHECK_WEIGHTS_H_

#include <cstdint>
#include <functional>
#include <span>

#include "base/status.h"
#include "formats/gguf.h"

namespace aio {

struct CheckWeightsOptions {
  int num_threads = 1;
  std::function<void(int64_t done_bytes, int64_t total_bytes)> progress;  // may be null
};

// Decodes every tensor of a type that can be run, row by row, and gives its memory back as it
// goes. kInvalidArgument names the file, the first tensor with a NaN or an infinity, and the
// row and column; kResourceExhausted when the threads cannot be had.
Status CheckWeights(const GgufFile& file, const CheckWeightsOptions& options);

// The largest magnitude of `values`; infinity or NaN where one of them is.
float LargestMagnitude(std::span<const float> values);

}  // namespace aio

#endif  // AIO_MODEL_CHECK_WEIGHTS_H_
