// The shape of a transformer, read from GGUF metadata.
#ifndef AIO_MODEL_CONFIG_H_
#define AIO_MODEL_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "kernels/kernels.h"

namespace aio {

class GgufFile;

// Everything the forward pass must know; architectures differ only here and in which
// optional tensors exist (biases, per-head norms).
struct ModelConfig {
  std::string architecture;  // "llama", "qwen2", "qwen3", "pangu-embedded"
  std::string name;          // general.name, or the file's
  int num_layers = 0;
  int hidden_size = 0;
  int num_heads = 0;
  int num_kv_heads = 0;  // divides num_heads
  int head_size = 0;
  int intermediate_size = 0;
  int vocabulary_size = 0;
  int context_length = 0;
  float rms_norm_epsilon = 1e-5f;
  RopePairing rope_pairing = RopePairing::kInterleaved;
  int rope_dims = 0;  // even, <= head_size
  float rope_freq_base = 10000.0f;
  // Angle per pair and position: position * freq_base^(-2i/rope_dims) / rope_factors[i] *
  // rope_scale. The factors are Llama 3's (rope_freqs.weight) or all one; rope_scale is
  // linear scaling's, or one.
  std::vector<float> rope_factors;  // [rope_dims / 2]
  float rope_scale = 1.0f;

  int kv_size() const { return num_kv_heads * head_size; }  // values of K (or V) a position
};

// Errors name the file and the key. Architectures that are not supported are refused by
// name, with the list of those that are.
Result<ModelConfig> ReadModelConfig(const GgufFile& file);

}  // namespace aio

#endif  // AIO_MODEL_CONFIG_H_
