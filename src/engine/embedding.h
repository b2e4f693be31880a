// Embeds a batch of inputs: one reading sequence each, a few at a time.
#ifndef AIO_ENGINE_EMBEDDING_H_
#define AIO_ENGINE_EMBEDDING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "engine/embedded_model.h"
#include "engine/reading.h"

namespace aio {

// The mean of hidden states divided by their root mean square, as the output norm scales it, of
// length 1: since the norm's weights are the same at every position, the mean may be taken first.
// All sizes equal; a mean of zeros stays one.
std::vector<float> ToEmbedding(std::span<const float> mean, std::span<const float> norm_weights);

// What Embed() has accepted. Thread-safe.
class EmbeddingBatch : public std::enable_shared_from_this<EmbeddingBatch> {
 public:
  // Puts one sequence into the queue, whose hidden states after the last layer, in one window, go
  // to `read` from the engine thread.
  using Submit = std::function<Result<std::shared_ptr<Ticket>>(std::vector<int32_t> tokens,
                                                               ReadingCallback read)>;

  // `inputs` are not empty, nor is any of them. `submit` outlives what it submits. Fails as the
  // first submission does; `done` is called once otherwise. Cancel() of the ticket ends all.
  static Result<std::shared_ptr<Ticket>> Start(const EmbeddedModel& model,
                                               std::vector<std::vector<int32_t>> inputs,
                                               Submit submit, EmbeddingsCallback done);

 private:
  class BatchTicket;

  EmbeddingBatch(const EmbeddedModel& model, std::vector<std::vector<int32_t>> inputs,
                 Submit submit, EmbeddingsCallback done);

  // Submits the next input, if there is one and none has failed.
  Status SubmitNext();
  void Read(size_t input, Result<Reading> reading);
  void Fail(const Status& why);
  void Cancel();

  const EmbeddedModel& model_;
  const Submit submit_;

  std::mutex mutex_;
  // Guarded by mutex_:
  std::vector<std::vector<int32_t>> inputs_;  // emptied as they are submitted
  EmbeddingsCallback done_;                   // empty after its call
  Embeddings embeddings_;
  size_t submitted_ = 0;
  size_t read_ = 0;
  std::vector<std::shared_ptr<Ticket>> tickets_;
  bool cancelled_ = false;
};

}  // namespace aio

#endif  // AIO_ENGINE_EMBEDDING_H_
