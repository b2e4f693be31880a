// A Backend whose probe costs what it costs and says what it is told: for models with random
// weights, whose own opinion of a prompt is worth nothing, and for measuring what a router would
// do that made no mistake.
#ifndef AIO_TRAFFIC_GIVEN_LABELS_H_
#define AIO_TRAFFIC_GIVEN_LABELS_H_

#include <memory>
#include <string_view>
#include <vector>

#include "backend/backend.h"

namespace aio {

// Passes everything on to `backend` (not owned, must outlive it and its last event), but scores of
// a request with an intent are such that its label is certain. As thread-safe as `backend`.
class GivenLabels final : public Backend {
 public:
  explicit GivenLabels(Backend& backend) : backend_(backend) {}

  std::vector<ModelInfo> Models() const override { return backend_.Models(); }
  std::vector<ModelLoad> Load() const override { return backend_.Load(); }
  Result<int> CountPromptTokens(const Request& request) const override {
    return backend_.CountPromptTokens(request);
  }
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override {
    return backend_.ValidateLabels(model, labels);
  }
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override {
    return backend_.Decide(request, std::move(done));
  }
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override {
    return backend_.Generate(std::move(request), std::move(sink));
  }

 private:
  Backend& backend_;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_GIVEN_LABELS_H_
