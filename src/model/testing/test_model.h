// Tiny random models for tests: real GGUF files in memory that the real loader and the
// real forward pass run, deterministic in their seed. Not part of the program.
#ifndef AIO_MODEL_TESTING_TEST_MODEL_H_
#define AIO_MODEL_TESTING_TEST_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "formats/gguf_writer.h"
#include "model/model.h"

namespace aio {

struct TestModelSpec {
  std::string architecture = "llama";  // or "qwen2", "qwen3", "pangu-embedded"
  int num_layers = 2;
  int hidden_size = 64;
  int num_heads = 4;
  int num_kv_heads = 2;
  int head_size = 16;
  int intermediate_size = 96;
  int vocabulary_size = 128;
  int context_length = 512;
  float rope_freq_base = 10000.0f;
  int rope_dims = 0;                // 0: all of the head
  float rope_linear_factor = 0.0f;  // > 0: rope.scaling.type = linear with this factor
  bool rope_factors = false;        // llama: a rope_freqs.weight tensor
  bool tied = false;                // no output.weight
  bool optional_biases = false;     // where the architecture may have attention biases
  // Encoding of every matrix. Quantised ones want hidden_size, heads * head_size and
  // intermediate_size to be whole blocks.
  TensorType matrix_type = TensorType::kF32;
  uint64_t seed = 1;
  // Called before encoding, to add more metadata: `tokenizer.ggml.*` for instance.
  std::function<void(GgufWriter&)> add_metadata;
};

// The bytes of the GGUF file. Norms and biases are random too, so that a forward pass
// that forgets one cannot agree with one that does not.
std::vector<std::byte> MakeRandomModel(const TestModelSpec& spec);

// MakeRandomModel, parsed and loaded. The bytes live as long as the model does.
std::shared_ptr<const Model> LoadRandomModel(const TestModelSpec& spec);

}  // namespace aio

#endif  // AIO_MODEL_TESTING_TEST_MODEL_H_
