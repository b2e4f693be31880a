// The tensors of one model, in the names of the field.
#ifndef AIO_MODEL_WEIGHTS_H_
#define AIO_MODEL_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/packed_matrix.h"

namespace aio {

// Vectors (norms, biases) are F32 copies; matrices are repacked (kernels/packed_matrix.h),
// but for the embedding table, of which a step reads single rows from the mapped file.
// An empty vector means that the architecture has no such tensor.
struct LayerWeights {
  std::vector<float> attention_norm;         // [hidden]
  PackedMatrix query;                        // [heads * head_size, hidden]
  PackedMatrix key;                          // [kv_heads * head_size, hidden]
  PackedMatrix value;                        // [kv_heads * head_size, hidden]
  PackedMatrix attention_output;             // [hidden, heads * head_size]
  std::vector<float> query_bias;             // [heads * head_size]: qwen2, pangu-embedded
  std::vector<float> key_bias;               // [kv_heads * head_size]
  std::vector<float> value_bias;             // [kv_heads * head_size]
  std::vector<float> attention_output_bias;  // [hidden]: pangu-embedded
  std::vector<float> query_norm;             // [head_size]: qwen3, per head before rope
  std::vector<float> key_norm;               // [head_size]
  std::vector<float> mlp_norm;               // [hidden]
  PackedMatrix gate;                         // [intermediate, hidden]
  PackedMatrix up;                           // [intermediate, hidden]
  PackedMatrix down;                         // [hidden, intermediate]
};

// Read by a step that computes the layer; matrices alone.
inline int64_t MatrixBytes(const LayerWeights& layer) {
  size_t bytes = 0;
  for (const PackedMatrix* matrix :
       {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.gate, &layer.up,
        &layer.down}) {
    bytes += matrix->bytes();
  }
  return static_cast<int64_t>(bytes);
}

struct Weights {
  Matrix token_embedding;  // [vocabulary, hidden], as stored
  std::vector<LayerWeights> layers;
  std::vector<float> output_norm;  // [hidden]
  PackedMatrix output;             // [vocabulary, hidden]; packed from token_embedding when tied
};

}  // namespace aio

#endif  // AIO_MODEL_WEIGHTS_H_
