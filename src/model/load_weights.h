// Takes a model's tensors out of its file: first PlanWeights(), which checks presence,
// shape and encoding of each and reads little, then PackWeights(), which reads them all.
#ifndef AIO_MODEL_LOAD_WEIGHTS_H_
#define AIO_MODEL_LOAD_WEIGHTS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "base/page_memory.h"
#include "base/status.h"
#include "formats/gguf.h"
#include "kernels/matrix.h"
#include "model/config.h"
#include "model/weights.h"

namespace aio {

struct WeightPlan {
  // A matrix of the file and where in the packed memory it will be.
  struct Packing {
    Matrix stored;
    int64_t offset = 0;
  };

  Weights weights;                // complete but for the matrices' data
  std::vector<Packing> packings;  // in the order of ForEachMatrix(weights)
  int64_t packed_bytes = 0;
  int64_t vector_bytes = 0;
  int64_t parameters = 0;
  bool tied = false;  // the output is the embedding table

  int64_t resident_bytes() const { return packed_bytes + vector_bytes; }
  // Read by one decode step: all but the embedding table, of which it is one row.
  int64_t bytes_per_token() const {
    return resident_bytes() + static_cast<int64_t>(weights.token_embedding.row_bytes());
  }
};

// Errors name the file and the tensor, and what was expected and found.
Result<WeightPlan> PlanWeights(const GgufFile& file, const ModelConfig& config);

struct LoadOptions {
  int num_threads = 1;
  std::function<void(int64_t done_bytes, int64_t total_bytes)> progress;  // may be null
  // Asked every 32 MiB: true gives up, as kCancelled. May be null.
  std::function<bool()> cancelled;
};

// Fills plan.weights' matrices and returns the memory they point into. What has been packed
// of a mapped file is released, so that no more than the result and a few MB are in memory.
// kResourceExhausted when memory or threads cannot be had.
Result<PageMemory> PackWeights(WeightPlan& plan, const GgufFile& file, const LoadOptions& options);

}  // namespace aio

#endif  // AIO_MODEL_LOAD_WEIGHTS_H_
