// The router that serves now, behind a Backend that stays: a reload puts another in its place.
#ifndef AIO_APP_CURRENT_ROUTER_H_
#define AIO_APP_CURRENT_ROUTER_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "router/router.h"

namespace aio {

// Thread-safe. What was started through a router goes on when another takes its place.
class CurrentRouter final : public Backend {
 public:
  explicit CurrentRouter(std::shared_ptr<Router> router) : router_(std::move(router)) {}

  std::shared_ptr<Router> get() const {
    std::lock_guard lock(mutex_);
    return router_;
  }
  void Switch(std::shared_ptr<Router> router) {
    std::lock_guard lock(mutex_);
    router_.swap(router);  // the old one goes after the lock
  }

  std::vector<ModelInfo> Models() const override { return get()->Models(); }
  std::vector<ModelLoad> Load() const override { return get()->Load(); }
  Result<int> CountPromptTokens(const Request& request) const override {
    return get()->CountPromptTokens(request);
  }
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override {
    return get()->ValidateLabels(model, labels);
  }
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override {
    return get()->ScoreLabels(request, labels, std::move(done));
  }
  Status Decide(const Request& request, DecisionCallback done) override {
    return get()->Decide(request, std::move(done));
  }
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override {
    return get()->Generate(std::move(request), std::move(sink));
  }
  Result<Tokenized> Tokenize(const TokenizeQuery& query) const override {
    return get()->Tokenize(query);
  }
  Result<std::string> Detokenize(std::string_view model,
                                 std::span<const int32_t> tokens) const override {
    return get()->Detokenize(model, tokens);
  }
  Result<std::string> RenderChat(const TokenizeQuery& query) const override {
    return get()->RenderChat(query);
  }
  Result<std::shared_ptr<Ticket>> Embed(EmbeddingsQuery query, EmbeddingsCallback done) override {
    return get()->Embed(std::move(query), std::move(done));
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Router> router_;  // guarded by mutex_; never null
};

}  // namespace aio

#endif  // AIO_APP_CURRENT_ROUTER_H_
