// The router over engines of your own: whatever implements aio::Backend is routed to. Here that is
// a toy that answers with its model's name and takes every prompt with "def" in it for code; it
// stands for a client of another engine.
//
//   route_own_backend PROMPT
#include <aio/backend/backend.h>
#include <aio/router/router.h>

#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace {

constexpr int kContextLength = 4096;

class ToyTicket final : public aio::Ticket {
 public:
  void Cancel() override {}  // all is done before anybody can
};

std::shared_ptr<aio::Ticket> DoneTicket() { return std::make_shared<ToyTicket>(); }

class ToyBackend final : public aio::Backend {
 public:
  std::vector<aio::ModelInfo> Models() const override {
    return {{.name = "toy-small", .role = "small", .context_length = kContextLength},
            {.name = "toy-large", .role = "large", .context_length = kContextLength}};
  }
  std::vector<aio::ModelLoad> Load() const override {
    return {{.name = "toy-small"}, {.name = "toy-large"}};
  }
  aio::Result<int> CountPromptTokens(const aio::Request& request) const override {
    return static_cast<int>(TextOf(request).size() / 4) + 1;
  }
  aio::Status ValidateLabels(std::string_view /*model*/,
                             const aio::LabelQuery& /*labels*/) const override {
    return aio::Status::Ok();
  }
  aio::Result<std::shared_ptr<aio::Ticket>> ScoreLabels(const aio::Request& request,
                                                        const aio::LabelQuery& labels,
                                                        aio::LabelScoresCallback done) override {
    aio::LabelScores scores;
    const bool is_code = TextOf(request).find("def ") != std::string::npos;
    for (const aio::LabelQuery::Label& label : labels.labels) {
      scores.logits.push_back((label.name == "code") == is_code ? 8.0F : 0.0F);
    }
    done(scores);
    return DoneTicket();
  }
  aio::Status Decide(const aio::Request& request, aio::DecisionCallback done) override {
    done(aio::Decision{.model = request.model, .reason = "asked for by name"});
    return aio::Status::Ok();
  }
  aio::Result<std::shared_ptr<aio::Ticket>> Generate(
      aio::Request request, std::shared_ptr<aio::EventSink> sink) override {
    sink->OnStart({.model = request.model});
    sink->OnToken({.text = "I am " + request.model + "."});
    sink->OnFinish({});
    return DoneTicket();
  }

 private:
  static std::string TextOf(const aio::Request& request) {
    const auto* messages = std::get_if<std::vector<aio::ChatMessage>>(&request.prompt);
    return messages == nullptr || messages->empty() ? "" : messages->back().content;
  }
};

class PrintingSink final : public aio::EventSink {
 public:
  void OnStart(const aio::StartEvent& event) override {
    if (event.decision) std::cout << "why: " << event.decision->reason << "\n";
  }
  void OnToken(const aio::TokenEvent& event) override { std::cout << event.text; }
  void OnFinish(const aio::FinishEvent& /*event*/) override { std::cout << "\n"; }
  void OnError(const aio::Status& status) override { std::cout << status.message() << "\n"; }
};

aio::Status Route(const std::string& prompt) {
  ToyBackend backend;
  const aio::SystemClock clock;
  aio::RouterOptions options;
  options.small = {.backend = &backend, .model = "toy-small"};
  options.large = {.backend = &backend, .model = "toy-large"};
  options.labels.labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}};
  options.policy = aio::RoutingPolicy::Paper();
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<aio::Router> router,
                       aio::Router::Create(options, clock));
  aio::Request request;
  request.model = "auto";
  request.prompt = std::vector<aio::ChatMessage>{{"user", prompt}};
  return router->Generate(request, std::make_shared<PrintingSink>()).status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: route_own_backend PROMPT\n";
    return 2;
  }
  const aio::Status status = Route(argv[1]);
  if (!status.ok()) std::cerr << "route_own_backend: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
