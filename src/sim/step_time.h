// How long a step of a model takes on a device: a roofline with the host's part, all of whose terms
// have a cause.
//
//   memory  = (weights + KV) / bandwidth        compute = operations / rate
//   device  = layers * gap + max(memory, compute) + (1 - overlap) * min(memory, compute)
//   time    = step + max(layers * (layer + extra kernels * kernel), device) + KV / copying
//
// The host hands kernels over ahead of the device, so the longer of both is waited for (the
// roofline of Williams, Waterman and Patterson 2009, with the queue of launches before it). The
// weights are read once, and the KV of every sequence; weights of 8 bits that are only stored so
// are read, written with 16 bits and read again, by one more kernel for each matrix. The last term
// is of engines that copy their KV (LaunchCosts).
#ifndef AIO_SIM_STEP_TIME_H_
#define AIO_SIM_STEP_TIME_H_

#include <cstdint>

#include "model/synthesize.h"
#include "sim/device_profile.h"

namespace aio {

// The sizes of a model that a step's time depends on.
struct ModelCosts {
  int num_layers = 0;
  int64_t layer_parameters = 0;   // matrices of all layers
  int64_t output_parameters = 0;  // of the matrix that gives logits
  int64_t embedding_parameters =
      0;  // of the table, unless it is that matrix; a step reads none of it
  int64_t kv_values_per_token = 0;  // of all layers, keys and values
  int64_t attention_values = 0;     // of all layers: heads times head size, for scores and sums

  // What every step reads: all but the embedding table, unless it is the output's.
  int64_t matrix_parameters() const { return layer_parameters + output_parameters; }
  int64_t ResidentBytes(SimWeights weights) const;
  int64_t WeightBytes(SimWeights weights) const;  // that are read, as they are stored
  int64_t KvBytesPerToken() const { return kv_values_per_token * 2; }  // F16
};
ModelCosts CostsOf(const ModelShape& shape);

// What one step computes.
struct StepWork {
  int rows = 0;                // tokens, of all sequences: prompts, answers, guesses
  int logit_rows = 0;          // of these, that logits are wanted of: of a prompt the last alone
  int64_t context_tokens = 0;  // positions whose KV is read, over sequences
  int64_t scored_pairs = 0;    // (row, position) pairs that attention scores
  SimWeights weights = SimWeights::kF16;
  bool graph = false;  // played back, not launched kernel by kernel
};

struct StepTime {
  double host_ms = 0;
  double memory_ms = 0;
  double compute_ms = 0;
  double device_ms = 0;
  double total_ms = 0;
  int64_t weight_bytes = 0;  // moved
  int64_t kv_bytes = 0;
};

// `rows` or the next greater number that the device has graphs for.
int PaddedRows(int rows, const StaticGraphs& graphs);
// Steps of more rows than the greatest bucket are launched kernel by kernel.
bool HasGraphFor(int rows, const StaticGraphs& graphs);

// `work.graph` needs a device that has graphs; rows are padded to its buckets.
StepTime TimeOf(const StepWork& work, const ModelCosts& model, const DeviceProfile& device);

}  // namespace aio

#endif  // AIO_SIM_STEP_TIME_H_
