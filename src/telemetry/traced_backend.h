// Tells the traces of running requests what a backend does for them, from outside: itself a Backend
// in front of it, so that neither the router nor a model knows of tracing.
#ifndef AIO_TELEMETRY_TRACED_BACKEND_H_
#define AIO_TELEMETRY_TRACED_BACKEND_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"
#include "telemetry/tracer.h"

namespace aio {

// Which backend stands behind: what asking it means.
enum class TracedPlace {
  kRouter,  // the request has left the queue
  kModels,  // it was decided which of them is asked
};

// Changes nothing of what is asked and answered. Costs a request that is not traced a comparison,
// and a traced one nothing per token but a virtual call. Thread-safe.
class TracedBackend final : public Backend {
 public:
  // Both outlive this and the last event of what was started; `tracer` too.
  TracedBackend(Backend& backend, Tracer& tracer, TracedPlace place)
      : backend_(backend), tracer_(tracer), place_(place) {}

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
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;
  Result<Tokenized> Tokenize(const TokenizeQuery& query) const override {
    return backend_.Tokenize(query);
  }
  Result<std::string> Detokenize(std::string_view model,
                                 std::span<const int32_t> tokens) const override {
    return backend_.Detokenize(model, tokens);
  }
  Result<std::string> RenderChat(const TokenizeQuery& query) const override {
    return backend_.RenderChat(query);
  }
  Result<std::shared_ptr<Ticket>> Embed(EmbeddingsQuery query, EmbeddingsCallback done) override {
    return backend_.Embed(std::move(query), std::move(done));
  }

 private:
  Backend& backend_;
  Tracer& tracer_;
  const TracedPlace place_;
};

}  // namespace aio

#endif  // AIO_TELEMETRY_TRACED_BACKEND_H_
