// The tensors of one model, in the names of the field.
#ifndef AIO_MODEL_WEIGHTS_H_
#define AIO_MODEL_WEIGHTS_H_

#include <span>
#include <vector>

#include "kernels/kernels.h"

namespace aio {

// Vectors (norms, biases) are F32 copies; matrices point into the mapped file.
// An empty vector means that the architecture has no such tensor.
struct LayerWeights {
  std::vector<float> attention_norm;         // [hidden]
  Matrix query;                              // [heads * head_size, hidden]
  Matrix key;                                // [kv_heads * head_size, hidden]
  Matrix value;                              // [kv_heads * head_size, hidden]
  Matrix attention_output;                   // [hidden, heads * head_size]
  std::vector<float> query_bias;             // [heads * head_size]: qwen2, pangu-embedded
  std::vector<float> key_bias;               // [kv_heads * head_size]
  std::vector<float> value_bias;             // [kv_heads * head_size]
  std::vector<float> attention_output_bias;  // [hidden]: pangu-embedded
  std::vector<float> query_norm;             // [head_size]: qwen3, per head before rope
  std::vector<float> key_norm;               // [head_size]
  std::vector<float> mlp_norm;               // [hidden]
  Matrix gate;                               // [intermediate, hidden]
  Matrix up;                                 // [intermediate, hidden]
  Matrix down;                               // [hidden, intermediate]
};

struct Weights {
  Matrix token_embedding;  // [vocabulary, hidden]
  std::vector<LayerWeights> layers;
  std::vector<float> output_norm;  // [hidden]
  Matrix output;                   // [vocabulary, hidden]; == token_embedding when tied
};

}  // namespace aio

#endif  // AIO_MODEL_WEIGHTS_H_
