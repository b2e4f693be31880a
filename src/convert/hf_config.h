// config.json of a Hugging Face model: its shape, and the GGUF keys that say the same.
#ifndef AIO_CONVERT_HF_CONFIG_H_
#define AIO_CONVERT_HF_CONFIG_H_

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "convert/json_file.h"
#include "formats/gguf_writer.h"
#include "model/architecture.h"

namespace aio {

struct HfConfig {
  const Architecture* architecture = nullptr;  // GGUF's
  int num_layers = 0;
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
  int head_size = 0;
  int vocabulary_size = 0;
  int context_length = 0;
  int sliding_window = 0;  // 0: none
  float rms_norm_epsilon = 0.0f;
  float rope_theta = 0.0f;
  float rope_linear_factor = 1.0f;
  std::vector<float> rope_factors;  // Llama 3's, one for each pair of a head; empty: none
  std::optional<bool> tied;         // the output is the embedding table; absent: not said
  std::optional<int> bos_id;
  std::optional<int> eos_id;
  std::optional<int> padding_id;
};

// Errors name the file and the key; architectures that are not supported are refused by name,
// with those that are, and so is what this program would compute differently.
Result<HfConfig> ReadHfConfig(const JsonObject& json);

// general.architecture and all of `<architecture>.*`.
void WriteHfConfig(const HfConfig& config, GgufWriter& header);

}  // namespace aio

#endif  // AIO_CONVERT_HF_CONFIG_H_
