// The forward pass: tokens in, logits out, KV cache extended. One for all architectures,
// written in the model's own order.
//
// Exactness contract: the logits of a row depend on the tokens before it in its sequence
// and on nothing else: not on the other rows, the chunking of the prompt, or the number
// of threads. (They may differ between instruction sets.) The same is true of hidden states.
#ifndef AIO_MODEL_FORWARD_H_
#define AIO_MODEL_FORWARD_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "base/thread_pool.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace aio {

// Is shown hidden states as they come to be: the residual stream of the rows that name it.
class HiddenReader {
 public:
  virtual ~HiddenReader() = default;
  // Whether hidden states after the first `layers` layers (0: the embedding) are wanted.
  virtual bool Wants(int layers) const = 0;
  // `x` [hidden] of the row at `position`. Called on Forward()'s own thread, by layers and then
  // in row order.
  virtual void Read(int layers, int position, std::span<const float> x) = 0;
};

// One token to compute. Rows of one sequence must be in ascending position order, and
// every position before a row's own is either in the cache already or an earlier row.
struct ForwardRow {
  static constexpr int kAllLayers = std::numeric_limits<int>::max();

  int32_t token = 0;
  int32_t position = 0;
  // Blocks of the row's sequence: position p lives in block_table[p / kBlockTokens].
  std::span<const int32_t> block_table;
  bool wants_logits = false;  // only with all layers
  // Layers that are computed, from the first; the cache gets keys and values of these alone. No
  // row may have more than the one before it.
  int num_layers = kAllLayers;
  HiddenReader* hidden = nullptr;  // may be null
};

// Activations of one step, reused from step to step. Not thread-safe.
class ForwardScratch {
 public:
  // What a scratch with these arguments takes.
  static int64_t Bytes(const ModelConfig& config, int max_rows, int max_logit_rows);

  // For the model with this very `config` (it must outlive the scratch), at most `max_rows`
  // rows a call, `max_logit_rows` <= max_rows of them with logits. All memory that Forward()
  // needs.
  ForwardScratch(const ModelConfig& config, int max_rows, int max_logit_rows);
  ~ForwardScratch();

  int max_rows() const;
  int max_logit_rows() const;

  struct Buffers;
  Buffers& buffers() { return *buffers_; }

 private:
  std::unique_ptr<Buffers> buffers_;
};

// Computes all `rows` and returns the logits of those that want them, in row order:
// [logit rows, vocabulary], valid until the scratch is used again. Never fails: tokens
// and positions in range are the caller's invariants (AIO_CHECKed).
std::span<const float> Forward(const Model& model, std::span<const ForwardRow> rows, KvCache& cache,
                               ForwardScratch& scratch, ThreadPool& pool);

}  // namespace aio

#endif  // AIO_MODEL_FORWARD_H_
