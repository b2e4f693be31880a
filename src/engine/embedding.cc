#include "engine/embedding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

// Enough to fill a step; more would take places in the queue from others.
constexpr size_t kInFlightMax = 8;

}  // namespace

std::vector<float> ToEmbedding(std::span<const float> mean, std::span<const float> norm_weights) {
  AIO_CHECK(mean.size() == norm_weights.size());
  std::vector<float> embedding(mean.size());
  double squares = 0;
  for (size_t i = 0; i < mean.size(); ++i) {
    embedding[i] = mean[i] * norm_weights[i];
    squares += static_cast<double>(embedding[i]) * embedding[i];
  }
  if (squares == 0) return embedding;
  const double length = std::sqrt(squares);
  for (float& value : embedding) value = static_cast<float>(value / length);
  return embedding;
}

// Does not keep the batch alive, whose sequences do until they end.
class EmbeddingBatch::BatchTicket final : public Ticket {
 public:
  explicit BatchTicket(std::weak_ptr<EmbeddingBatch> batch) : batch_(std::move(batch)) {}

  void Cancel() override {
    if (const auto batch = batch_.lock()) batch->Cancel();
  }

 private:
  const std::weak_ptr<EmbeddingBatch> batch_;
};

EmbeddingBatch::EmbeddingBatch(const EmbeddedModel& model, std::vector<std::vector<int32_t>> inputs,
                               Submit submit, EmbeddingsCallback done)
    : model_(model),
      submit_(std::move(submit)),
      inputs_(std::move(inputs)),
      done_(std::move(done)) {
  embeddings_.model = model.name;
  embeddings_.vectors.resize(inputs_.size());
  for (const std::vector<int32_t>& input : inputs_) {
    embeddings_.prompt_tokens += static_cast<int>(input.size());
  }
}

Result<std::shared_ptr<Ticket>> EmbeddingBatch::Start(const EmbeddedModel& model,
                                                      std::vector<std::vector<int32_t>> inputs,
                                                      Submit submit, EmbeddingsCallback done) {
  const size_t first = std::min(inputs.size(), kInFlightMax);
  const std::shared_ptr<EmbeddingBatch> batch(
      new EmbeddingBatch(model, std::move(inputs), std::move(submit), std::move(done)));
  AIO_RETURN_IF_ERROR(batch->SubmitNext());
  for (size_t i = 1; i < first; ++i) {
    // The batch is accepted: what happens now, `done` is told.
    if (const Status status = batch->SubmitNext(); !status.ok()) batch->Fail(status);
  }
  return std::shared_ptr<Ticket>(std::make_shared<BatchTicket>(batch));
}

Status EmbeddingBatch::SubmitNext() {
  std::vector<int32_t> tokens;
  size_t input = 0;
  {
    std::lock_guard lock(mutex_);
    if (done_ == nullptr || cancelled_ || submitted_ == inputs_.size()) return Status::Ok();
    input = submitted_++;
    tokens = std::move(inputs_[input]);
  }
  AIO_ASSIGN_OR_RETURN(
      std::shared_ptr<Ticket> ticket,
      submit_(std::move(tokens), [self = shared_from_this(), input](Result<Reading> reading) {
        self->Read(input, std::move(reading));
      }));
  bool was_cancelled = false;
  {
    std::lock_guard lock(mutex_);
    was_cancelled = cancelled_;
    tickets_.push_back(ticket);
  }
  if (was_cancelled) ticket->Cancel();
  return Status::Ok();
}

void EmbeddingBatch::Read(size_t input, Result<Reading> reading) {
  if (!reading.ok()) return Fail(reading.status());
  std::vector<float> embedding =
      ToEmbedding(reading->windows.front().mean(0), model_.model->weights().output_norm);
  EmbeddingsCallback done;
  Embeddings embeddings;
  {
    std::lock_guard lock(mutex_);
    embeddings_.vectors[input] = std::move(embedding);
    if (++read_ == embeddings_.vectors.size() && done_ != nullptr) {
      done = std::exchange(done_, nullptr);
      embeddings = std::move(embeddings_);
    }
  }
  if (done != nullptr) return done(std::move(embeddings));
  if (const Status status = SubmitNext(); !status.ok()) Fail(status);
}

void EmbeddingBatch::Fail(const Status& why) {
  EmbeddingsCallback done;
  {
    std::lock_guard lock(mutex_);
    done = std::exchange(done_, nullptr);
  }
  if (done == nullptr) return;
  Cancel();
  done(why);
}

void EmbeddingBatch::Cancel() {
  std::vector<std::shared_ptr<Ticket>> tickets;
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    tickets.swap(tickets_);
  }
  for (const auto& ticket : tickets) ticket->Cancel();
}

}  // namespace aio
