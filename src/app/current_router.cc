#include "app/current_router.h"

#include <utility>

namespace aio {
namespace {

// A prompt that is held for further answers, which are of the same models whatever was reloaded.
struct HeldByRouter final : public HeldPrompt {
  HeldByRouter(std::shared_ptr<Router> of, std::shared_ptr<HeldPrompt> held)
      : router(std::move(of)), prompt(std::move(held)) {}

  const std::shared_ptr<Router> router;
  const std::shared_ptr<HeldPrompt> prompt;
};

class HoldingSink final : public EventSink {
 public:
  HoldingSink(std::shared_ptr<EventSink> client, std::shared_ptr<Router> router)
      : router_(std::move(router)), client_(std::move(client)) {}

  void OnStart(const StartEvent& event) override {
    if (event.held_prompt == nullptr) return client_->OnStart(event);
    StartEvent told = event;
    told.held_prompt = std::make_shared<HeldByRouter>(router_, std::move(told.held_prompt));
    client_->OnStart(told);
  }
  void OnToken(const TokenEvent& event) override { client_->OnToken(event); }
  void OnFinish(const FinishEvent& event) override { client_->OnFinish(event); }
  void OnError(const Status& status) override { client_->OnError(status); }

 private:
  const std::shared_ptr<Router> router_;
  const std::shared_ptr<EventSink> client_;
};

template <typename Callback>
auto Holding(std::shared_ptr<Router> router, Callback done) {
  return [router = std::move(router), done = std::move(done)](auto result) {
    done(std::move(result));
  };
}

}  // namespace

CurrentRouter::CurrentRouter(std::shared_ptr<Router> router) : router_(std::move(router)) {}

std::shared_ptr<Router> CurrentRouter::get() const {
  const std::lock_guard lock(mutex_);
  return router_;
}

void CurrentRouter::Switch(std::shared_ptr<Router> router) {
  const std::lock_guard lock(mutex_);
  router_.swap(router);  // the old one goes after the lock
}

std::vector<ModelInfo> CurrentRouter::Models() const { return get()->Models(); }
std::vector<ModelLoad> CurrentRouter::Load() const { return get()->Load(); }

Result<int> CurrentRouter::CountPromptTokens(const Request& request) const {
  return get()->CountPromptTokens(request);
}

Status CurrentRouter::ValidateLabels(std::string_view model, const LabelQuery& labels) const {
  return get()->ValidateLabels(model, labels);
}

Result<std::shared_ptr<Ticket>> CurrentRouter::ScoreLabels(const Request& request,
                                                           const LabelQuery& labels,
                                                           LabelScoresCallback done) {
  const std::shared_ptr<Router> now = get();
  return now->ScoreLabels(request, labels, Holding(now, std::move(done)));
}

Status CurrentRouter::Decide(const Request& request, DecisionCallback done) {
  const std::shared_ptr<Router> now = get();
  return now->Decide(request, Holding(now, std::move(done)));
}

Result<std::shared_ptr<Ticket>> CurrentRouter::Generate(Request request,
                                                        std::shared_ptr<EventSink> sink) {
  std::shared_ptr<Router> router;
  if (const auto held = std::dynamic_pointer_cast<const HeldByRouter>(request.held_prompt)) {
    router = held->router;
    request.held_prompt = held->prompt;
  } else {
    router = get();
  }
  auto holding = std::make_shared<HoldingSink>(std::move(sink), router);
  return router->Generate(std::move(request), std::move(holding));
}

Result<Tokenized> CurrentRouter::Tokenize(const TokenizeQuery& query) const {
  return get()->Tokenize(query);
}

Result<std::string> CurrentRouter::Detokenize(std::string_view model,
                                              std::span<const int32_t> tokens) const {
  return get()->Detokenize(model, tokens);
}

Result<std::string> CurrentRouter::RenderChat(const TokenizeQuery& query) const {
  return get()->RenderChat(query);
}

Result<std::shared_ptr<Ticket>> CurrentRouter::Embed(EmbeddingsQuery query,
                                                     EmbeddingsCallback done) {
  const std::shared_ptr<Router> now = get();
  return now->Embed(std::move(query), Holding(now, std::move(done)));
}

}  // namespace aio
