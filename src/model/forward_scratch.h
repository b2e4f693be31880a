// What ForwardScratch holds; for forward.cc alone.
#ifndef AIO_MODEL_FORWARD_SCRATCH_H_
#define AIO_MODEL_FORWARD_SCRATCH_H_

#include <vector>

#include "kernels/aligned.h"
#include "kernels/matmul.h"
#include "model/forward.h"

namespace aio {

// Consecutive rows of one sequence that attend together.
struct RowTile {
  size_t first_row = 0;
  size_t rows = 0;
  size_t first_span = 0;  // spans of the tiles before
};

// Activations of a step of n rows, row-major.
struct ForwardScratch::Buffers {
  Buffers(size_t max_rows, size_t max_columns) : matmul(max_rows, max_columns) {}

  int max_rows = 0;
  int max_logit_rows = 0;
  const ModelConfig* config = nullptr;   // of the model it was made for
  std::vector<double> rope_frequencies;  // [rope_dims / 2], radians a position
  AlignedVector<float> cos, sin;         // [n, rope_dims / 2]
  AlignedVector<float> x;                // [n, hidden]: the residual stream
  AlignedVector<float> normed;           // [n, hidden]
  AlignedVector<float> query;            // [n, heads * head_size]
  AlignedVector<float> key, value;       // [n, kv_heads * head_size]
  AlignedVector<float> attention;        // [n, heads * head_size]
  AlignedVector<float> gate, up;         // [n, intermediate]
  AlignedVector<float> delta;            // [n, hidden]: what a sub-layer adds to x
  AlignedVector<float> last;             // [logit rows, hidden]
  AlignedVector<float> logits;           // [logit rows, vocabulary]
  AlignedVector<float> partials;         // of attention, see kernels/attention.h
  std::vector<RowTile> tiles;            // of this step; capacity for max_rows
  MatMulScratch matmul;
};

}  // namespace aio

#endif  // AIO_MODEL_FORWARD_SCRATCH_H_
