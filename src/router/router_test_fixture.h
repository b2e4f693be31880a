// A router over two scripted backends, as the tests of this layer share it.
#ifndef AIO_ROUTER_ROUTER_TEST_FIXTURE_H_
#define AIO_ROUTER_ROUTER_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/testing/fake_backend.h"
#include "router/router.h"

namespace aio {

inline constexpr char kSmall[] = "pocket-small";
inline constexpr char kLarge[] = "pocket-large";
inline constexpr char kLargeW8A16[] = "pocket-large-w8a16";

inline LabelQuery Labels() {
  return {.prefix = "Here:",
          .suffix = "Which kind?",
          .labels = {{"code", "code"}, {"qa", "question"}, {"math", "math"}}};
}

// The first word of the prompt names its class; "unsure-code" leans to it only.
inline std::vector<float> LogitsByFirstWord(const Request& request, const LabelQuery&) {
  const std::string text = FakePromptText(request.prompt);
  const std::string word = text.substr(0, text.find(' '));
  if (word == "code") return {9, 0, 0};
  if (word == "qa") return {0, 9, 0};
  if (word == "math") return {0, 0, 9};
  if (word == "unsure-code") return {0.1f, 0, 0};
  if (word == "nan") return {std::numeric_limits<float>::quiet_NaN(), 0, 0};
  if (word == "inf") return {-std::numeric_limits<float>::infinity(), 0, 0};
  return {0, 0, 0};
}

inline FakeModel Model(std::string name, std::string role, int context_length) {
  FakeModel model = FakeModel::Named(std::move(name), std::move(role));
  model.info.context_length = context_length;
  model.logits = LogitsByFirstWord;
  model.answer = [](const Request& request) {
    FakeAnswer answer;
    answer.tokens = {"I", " am ", request.model};
    return answer;
  };
  return model;
}

inline Request Ask(std::string prompt, std::string model = "auto") {
  Request request;
  request.id = "r1";
  request.model = std::move(model);
  request.prompt = std::move(prompt);
  return request;
}

inline std::string Words(const std::string& first, int count) {
  std::string text = first;
  for (int i = 1; i < count; ++i) text += " w";
  return text;
}

inline Strategy PromptLookup() {
  return {.kind = StrategyKind::kPromptLookup,
          .prompt_lookup_max = 6,
          .prompt_lookup_min = 1,
          .num_speculative_tokens = 2};
}

// A router over two fakes; small context 4000, large 8000 unless a test sets it up anew.
class RouterFixture {
 public:
  explicit RouterFixture(FakeBackend::Delivery delivery, int small_context = 4000,
                         int large_context = 8000)
      : small({Model(kSmall, "small", small_context)}, delivery),
        large({Model(kLarge, "large", large_context), Model(kLargeW8A16, "", large_context)},
              delivery) {
    auto created = Router::Create(Options(), clock);
    EXPECT_TRUE(created.ok()) << created.status().ToString();
    router = std::move(created).value();
  }

  RouterOptions Options() {
    RouterOptions options;
    options.small = {.backend = &small, .model = kSmall};
    options.large = {.backend = &large, .model = kLarge};
    options.labels = Labels();
    options.policy = RoutingPolicy::Paper();
    return options;
  }

  void DeliverAll() {
    while (small.DeliverAll() + large.DeliverAll() > 0) {
    }
  }

  // Generates to the end.
  RecordingSink::Record Run(Request request) {
    auto sink = std::make_shared<RecordingSink>();
    auto generation = router->Generate(std::move(request), sink);
    EXPECT_TRUE(generation.ok()) << generation.status().ToString();
    DeliverAll();
    RecordingSink::Record record = sink->record();
    EXPECT_TRUE(record.in_order);
    EXPECT_EQ(record.finishes.size() + record.errors.size(), 1u);
    return record;
  }

  Status RunToRefusal(Request request) {
    auto sink = std::make_shared<RecordingSink>();
    const Status status = router->Generate(std::move(request), sink).status();
    DeliverAll();
    const RecordingSink::Record record = sink->record();
    EXPECT_TRUE(record.starts.empty() && !record.done()) << "the sink of a refusal is not called";
    return status;
  }

  // The decision that Generate() reports in OnStart; checks that Decide() says the same.
  Decision DecisionFor(const Request& request) {
    const RecordingSink::Record record = Run(request);
    if (record.starts.size() != 1 || !record.starts[0].decision) {
      ADD_FAILURE() << "no decision";
      return {};
    }
    std::optional<Decision> dry;
    const Status status = router->Decide(request, [&](Result<Decision> d) { dry = d.value(); });
    EXPECT_TRUE(status.ok()) << status.ToString();
    DeliverAll();
    if (dry) {
      EXPECT_EQ(dry->reason, record.starts[0].decision->reason);
      EXPECT_EQ(dry->model, record.starts[0].decision->model);
      EXPECT_EQ(dry->prompt_tokens, record.starts[0].decision->prompt_tokens);
    } else {
      ADD_FAILURE() << "Decide() gave nothing";
    }
    return *record.starts[0].decision;
  }

  ManualClock clock;
  FakeBackend small;
  FakeBackend large;
  std::unique_ptr<Router> router;
};

// Everything that must hold whether a backend calls back at once or later.
class RouterTest : public ::testing::TestWithParam<FakeBackend::Delivery> {
 protected:
  RouterFixture f_{GetParam()};
};

}  // namespace aio

#endif  // AIO_ROUTER_ROUTER_TEST_FIXTURE_H_
