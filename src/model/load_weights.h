// Takes a model's tensors out of its file, checking presence, shape and encoding.
#ifndef AIO_MODEL_LOAD_WEIGHTS_H_
#define AIO_MODEL_LOAD_WEIGHTS_H_

#include <cstdint>

#include "base/status.h"
#include "formats/gguf.h"
#include "model/config.h"
#include "model/weights.h"

namespace aio {

struct LoadedWeights {
  Weights weights;             // matrices point into the file
  int64_t resident_bytes = 0;  // each tensor once
  int64_t parameters = 0;
};

// Errors name the file and the tensor, and what was expected and found.
Result<LoadedWeights> LoadWeights(const GgufFile& file, const ModelConfig& config);

}  // namespace aio

#endif  // AIO_MODEL_LOAD_WEIGHTS_H_
