// The router that serves now, behind a Backend that stays: a reload puts another in its place.
#ifndef AIO_APP_CURRENT_ROUTER_H_
#define AIO_APP_CURRENT_ROUTER_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "router/router.h"

namespace aio {

// Thread-safe. What was started through a router goes on when another takes its place: the old one
// is held until its last event is through, and with it whatever its pointer owns (its models). So
// is it by a prompt that it held for further answers, which it then gives.
class CurrentRouter final : public Backend {
 public:
  explicit CurrentRouter(std::shared_ptr<Router> router);

  std::shared_ptr<Router> get() const;
  void Switch(std::shared_ptr<Router> router);

  std::vector<ModelInfo> Models() const override;
  std::vector<ModelLoad> Load() const override;
  Result<int> CountPromptTokens(const Request& request) const override;
  Status ValidateLabels(std::string_view model, const LabelQuery& labels) const override;
  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;
  Result<Tokenized> Tokenize(const TokenizeQuery& query) const override;
  Result<std::string> Detokenize(std::string_view model,
                                 std::span<const int32_t> tokens) const override;
  Result<std::string> RenderChat(const TokenizeQuery& query) const override;
  Result<std::shared_ptr<Ticket>> Embed(EmbeddingsQuery query, EmbeddingsCallback done) override;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Router> router_;  // guarded by mutex_; never null
};

}  // namespace aio

#endif  // AIO_APP_CURRENT_ROUTER_H_
