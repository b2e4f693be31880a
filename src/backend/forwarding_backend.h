// A Backend in front of another: what it does not do itself, that other does.
#ifndef AIO_BACKEND_FORWARDING_BACKEND_H_
#define AIO_BACKEND_FORWARDING_BACKEND_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/backend.h"

namespace aio {

// To derive from. As thread-safe as what it passes on to.
class ForwardingBackend : public Backend {
 public:
  std::vector<ModelInfo> Models() const override { return backend_.Models(); }
  std::vector<ModelLoad> Load() const override { return backend_.Load(); }
  Result<int> CountPromptTokens(const Request& request) const override {
    return backend_.CountPromptTokens(request);
  }
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override {
    return backend_.ValidateLabels(model, labels);
  }
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override {
    return backend_.ScoreLabels(request, labels, std::move(done));
  }
  Status Decide(const Request& request, DecisionCallback done) override {
    return backend_.Decide(request, std::move(done));
  }
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override {
    return backend_.Generate(std::move(request), std::move(sink));
  }
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

 protected:
  // `backend` outlives this and the last event of what was started.
  explicit ForwardingBackend(Backend& backend) : backend_(backend) {}
  Backend& backend() const { return backend_; }

 private:
  Backend& backend_;
};

}  // namespace aio

#endif  // AIO_BACKEND_FORWARDING_BACKEND_H_
