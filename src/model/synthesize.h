// Models of a known shape with random weights: to measure an engine at full size where no
// weights can be had. What they answer means nothing.
#ifndef AIO_MODEL_SYNTHESIZE_H_
#define AIO_MODEL_SYNTHESIZE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "kernels/matrix.h"

namespace aio {

// A published model's shape. Sources: the config.json of each model.
struct ModelShape {
  std::string_view name;          // "openpangu-1b"
  std::string_view architecture;  // as in GGUF
  int num_layers = 0;
  int hidden_size = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
  int head_size = 0;
  int intermediate_size = 0;
  int vocabulary_size = 0;
  int context_length = 0;
  float rope_freq_base = 0;
  float rms_norm_epsilon = 0;
  bool tied = false;  // the output is the embedding table
};

std::span<const ModelShape> KnownShapes();
const ModelShape* FindShape(std::string_view name);  // null if unknown

// Writes a GGUF file with matrices of `type` (norms and biases are F32) and a byte-level
// BPE vocabulary of the right size, atomically. The same bytes for the same arguments.
// kInvalidArgument when a row is not whole blocks of `type`. `progress` (bytes done, bytes
// in all) may be null.
Status Synthesize(const ModelShape& shape, WeightType type, uint64_t seed, const std::string& path,
                  const std::function<void(int64_t, int64_t)>& progress);

}  // namespace aio

#endif  // AIO_MODEL_SYNTHESIZE_H_
