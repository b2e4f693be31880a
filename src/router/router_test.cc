#include "router/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Delivery = FakeBackend::Delivery;

constexpr char kSmall[] = "pocket-small";
constexpr char kLarge[] = "pocket-large";

LabelQuery Labels() {
  return {.prefix = "Here:",
          .suffix = "Which kind?",
          .labels = {{"code", "code"}, {"qa", "question"}, {"math", "math"}}};
}

// The first word of the prompt names its class; "unsure-code" leans to it only.
std::vector<float> LogitsByFirstWord(const Request& request, const LabelQuery&) {
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

FakeModel Model(std::string name, std::string role, int context_length) {
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

Request Ask(std::string prompt, std::string model = "auto") {
  Request request;
  request.id = "r1";
  request.model = std::move(model);
  request.prompt = std::move(prompt);
  return request;
}

std::string Words(const std::string& first, int count) {
  std::string text = first;
  for (int i = 1; i < count; ++i) text += " w";
  return text;
}

Strategy PromptLookup() {
  return {.kind = StrategyKind::kPromptLookup, .ngram_max = 6, .ngram_min = 1, .lookahead = 2};
}

// A router over two fakes; small context 4000, large 8000 unless a test sets it up anew.
class Fixture {
 public:
  explicit Fixture(Delivery delivery, int small_context = 4000, int large_context = 8000)
      : small({Model(kSmall, "small", small_context)}, delivery),
        large({Model(kLarge, "large", large_context)}, delivery) {
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
class RouterTest : public ::testing::TestWithParam<Delivery> {
 protected:
  Fixture f_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Deliveries, RouterTest,
                         ::testing::Values(Delivery::kImmediate, Delivery::kManual),
                         [](const auto& info) {
                           return info.param == Delivery::kImmediate ? "Immediate" : "Manual";
                         });

// --- the paper's routes ----------------------------------------------------------------

TEST_P(RouterTest, CodeGoesToTheSmallModelAndOnFromTheProbe) {
  const RecordingSink::Record record = f_.Run(Ask("code sort a list"));
  EXPECT_EQ(record.text(), "I am pocket-small");
  EXPECT_EQ(record.starts.at(0).model, kSmall);
  const Decision& decision = record.starts.at(0).decision.value();
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_EQ(decision.role, "small");
  EXPECT_EQ(decision.strategy, Strategy{});
  EXPECT_EQ(decision.rule, "code-small");
  EXPECT_TRUE(decision.probed);
  EXPECT_EQ(decision.intent, "code");
  ASSERT_EQ(decision.probabilities.size(), 3u);
  EXPECT_EQ(decision.probabilities[0].first, "code");
  EXPECT_NEAR(decision.probabilities[0].second, 1 / (1 + 2 * std::exp(-9)), 1e-12);
  EXPECT_LT(decision.entropy, 0.01);
  EXPECT_EQ(decision.prompt_tokens, 4);
  EXPECT_EQ(decision.reason,
            "code, 4 tokens <= 2048, entropy 0.00 <= 0.45: small model answers "
            "(rule code-small)");
  EXPECT_EQ(record.finishes.at(0).usage.cached_prompt_tokens, 4);
  ASSERT_EQ(f_.small.generations().size(), 1u);
  const FakeCall call = f_.small.generations()[0];
  EXPECT_TRUE(call.had_held_prompt);
  EXPECT_EQ(call.request.model, kSmall);
  EXPECT_EQ(call.request.id, "r1");
  EXPECT_EQ(call.request.strategy, Strategy{});
  EXPECT_EQ(f_.small.held_prompts(), 0);
  EXPECT_TRUE(f_.large.generations().empty());
}

TEST_P(RouterTest, QuestionsAndMathsGoToTheLargeModelWithPromptLookup) {
  for (const char* prompt : {"qa who was it", "math one plus one"}) {
    const Decision decision = f_.DecisionFor(Ask(prompt));
    EXPECT_EQ(decision.model, kLarge);
    EXPECT_EQ(decision.rule, "knowledge");
    EXPECT_EQ(decision.strategy, PromptLookup());
    EXPECT_EQ(f_.large.generations().back().request.strategy, PromptLookup());
  }
}

TEST_P(RouterTest, TheLargeModelDoesNotGetTheSmallOnesHold) {
  int held_when_large_starts = -1;
  f_.large.Update(kLarge, [&](FakeModel& m) {
    m.answer = [&](const Request&) {
      held_when_large_starts = f_.small.held_prompts();
      return FakeAnswer{};
    };
  });
  f_.Run(Ask("qa who"));
  EXPECT_EQ(held_when_large_starts, 0);
  EXPECT_FALSE(f_.large.generations().at(0).had_held_prompt);
}

// Only the probe's hold is used; a caller's own is dropped unless it names the model.
TEST_P(RouterTest, AHoldThatTheCallerBrings) {
  std::shared_ptr<HeldPrompt> held;
  const auto keep = [&](Result<LabelScores> s) { held = s->held_prompt; };
  Request request = Ask("qa who");
  ASSERT_TRUE(f_.router->ScoreLabels(request, Labels(), keep).ok());
  f_.DeliverAll();
  request.held_prompt = std::move(held);
  f_.Run(request);
  EXPECT_FALSE(f_.large.generations().at(0).had_held_prompt);
  request.model = "small";
  f_.Run(request);
  EXPECT_TRUE(f_.small.generations().at(0).had_held_prompt);
}

TEST_P(RouterTest, UnsureCodeGoesToTheLargeModelPlain) {
  const Decision decision = f_.DecisionFor(Ask("unsure-code maybe"));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.rule, "code-large");
  EXPECT_EQ(decision.strategy.kind, StrategyKind::kPlain);
  EXPECT_EQ(decision.intent, "code");
  EXPECT_NEAR(decision.entropy, 1.0975, 1e-3);
}

TEST_P(RouterTest, LongPromptsAreNotProbed) {
  const Decision at = f_.DecisionFor(Ask(Words("code", 2048)));
  EXPECT_EQ(at.rule, "code-small");
  const size_t probes = f_.small.probes().size();
  const Decision above = f_.DecisionFor(Ask(Words("code", 2049)));
  EXPECT_EQ(above.model, kLarge);
  EXPECT_FALSE(above.probed);
  EXPECT_EQ(above.intent, "");
  EXPECT_EQ(above.probe_ms, 0);
  EXPECT_EQ(above.prompt_tokens, 2049);
  EXPECT_EQ(above.reason, "not probed, 2049 tokens > 2048: large model answers (rule otherwise)");
  EXPECT_EQ(f_.small.probes().size(), probes);
}

TEST_P(RouterTest, TheProbeSeesTheTemplateAndTheConversation) {
  Request request = Ask("");
  request.prompt = std::vector<ChatMessage>{{"user", "code please"}};
  request.deadline = TimePoint(std::chrono::seconds(5));
  f_.Run(request);
  ASSERT_EQ(f_.small.probes().size(), 1u);
  const Request probed = f_.small.probes()[0].request;
  EXPECT_EQ(probed.model, kSmall);
  EXPECT_EQ(FakePromptText(probed.prompt), "code please");
  EXPECT_EQ(probed.deadline, request.deadline);
  EXPECT_EQ(f_.small.label_queries()[0].suffix, "Which kind?");
  EXPECT_EQ(f_.small.generations().at(0).request.deadline, request.deadline);
}

// --- names and the client's own wishes -------------------------------------------------

TEST_P(RouterTest, NamesBypassTheRouting) {
  for (const auto& [name, model] : std::vector<std::pair<std::string, std::string>>{
           {"small", kSmall}, {kSmall, kSmall}, {"large", kLarge}, {kLarge, kLarge}}) {
    const Decision decision = f_.DecisionFor(Ask("qa who was it", name));
    EXPECT_EQ(decision.model, model);
    EXPECT_EQ(decision.rule, "override");
    EXPECT_EQ(decision.strategy, Strategy{});
    EXPECT_FALSE(decision.probed);
    EXPECT_EQ(decision.prompt_tokens, 4);
    EXPECT_EQ(decision.reason, "asked for by name: " + decision.role + " model answers with plain");
  }
  EXPECT_TRUE(f_.small.probes().empty());
  EXPECT_EQ(f_.small.count_calls() + f_.large.count_calls(), 0) << "the model knows";

  Request request = Ask("code x", "large");
  request.strategy = PromptLookup();
  EXPECT_EQ(f_.DecisionFor(request).strategy, PromptLookup());
  EXPECT_EQ(f_.large.generations().back().request.strategy, PromptLookup());
}

TEST_P(RouterTest, UnknownNamesAreRefusedWithTheValidOnes) {
  const Status status = f_.RunToRefusal(Ask("code x", "gpt-4"));
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.reason(), "model_not_found");
  EXPECT_EQ(status.param(), "model");
  EXPECT_THAT(status.message(), HasSubstr("auto, aio/auto, small, large, pocket-small"));
  EXPECT_EQ(f_.router->Decide(Ask("x", "gpt-4"), nullptr).code(), StatusCode::kNotFound);
  EXPECT_EQ(f_.RunToRefusal(Ask("code x", "auto-2")).code(), StatusCode::kInvalidArgument);
}

TEST_P(RouterTest, ThresholdInTheNameOrTheRequest) {
  EXPECT_EQ(f_.DecisionFor(Ask("unsure-code x", "auto-1.098")).model, kSmall);
  EXPECT_EQ(f_.DecisionFor(Ask("unsure-code x", "aio/auto-1.0")).model, kLarge);
  Request request = Ask("unsure-code x");
  request.entropy_threshold = 1.5;  // more than the entropy can be: never fall back
  EXPECT_EQ(f_.DecisionFor(request).model, kSmall);
  request.model = "auto-0.1";  // the request's own field goes before the name
  EXPECT_EQ(f_.DecisionFor(request).model, kSmall);
  request.entropy_threshold = 0.0;
  EXPECT_EQ(f_.DecisionFor(request).model, kLarge);
}

TEST_P(RouterTest, ThresholdsThatAreNoNumbersAreRefused) {
  for (double bad :
       {-0.1, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    Request request = Ask("code x");
    request.entropy_threshold = bad;
    const Status status = f_.RunToRefusal(request);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.param(), "aio.entropy_threshold");
    EXPECT_EQ(f_.router->Decide(request, nullptr).param(), "aio.entropy_threshold");
  }
}

TEST_P(RouterTest, TheClientsStrategyReplacesTheRules) {
  Request request = Ask("qa who");
  request.strategy = Strategy{};
  EXPECT_EQ(f_.DecisionFor(request).strategy, Strategy{});
  EXPECT_EQ(f_.large.generations().back().request.strategy, Strategy{});
  request = Ask("code x");
  request.strategy = PromptLookup();
  const Decision decision = f_.DecisionFor(request);
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_EQ(decision.strategy, PromptLookup());
}

// --- faults ----------------------------------------------------------------------------

TEST_P(RouterTest, AFailedProbeFallsToTheLargeModel) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.probe_fault = Unavailable("gone\nfor good"); });
  Decision decision = f_.DecisionFor(Ask("code x"));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_FALSE(decision.probed);
  EXPECT_EQ(decision.reason,
            "probe failed (unavailable: gone?for good): large model answers (rule otherwise)");

  f_.small.Update(kSmall, [](FakeModel& m) { m.probe_refusal = ResourceExhausted("queue full"); });
  decision = f_.DecisionFor(Ask("code x"));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_THAT(decision.reason, HasSubstr("resource_exhausted: queue full"));
}

TEST_P(RouterTest, ScoresThatAreNoNumbersFallToTheLargeModel) {
  for (const char* prompt : {"nan x", "inf x"}) {
    const Decision decision = f_.DecisionFor(Ask(prompt));
    EXPECT_EQ(decision.model, kLarge);
    EXPECT_THAT(decision.reason, HasSubstr("probe failed (internal: score of label 'code' is"));
  }
}

TEST_P(RouterTest, TheWrongNumberOfScoresFallsToTheLargeModel) {
  f_.small.Update(kSmall, [](FakeModel& m) {
    m.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{1}; };
  });
  EXPECT_THAT(f_.DecisionFor(Ask("code x")).reason, HasSubstr("1 scores for 3 labels"));
}

TEST_P(RouterTest, ARequestThatIsOverDuringTheProbeFails) {
  for (const Status& fault : {DeadlineExceeded("too late"), Cancelled("went away")}) {
    f_.small.Update(kSmall, [&](FakeModel& m) { m.probe_fault = fault; });
    const RecordingSink::Record record = f_.Run(Ask("code x"));
    ASSERT_EQ(record.errors.size(), 1u);
    EXPECT_EQ(record.errors[0].code(), fault.code());
    Status decided;
    ASSERT_TRUE(
        f_.router->Decide(Ask("code x"), [&](Result<Decision> d) { decided = d.status(); }).ok());
    f_.DeliverAll();
    EXPECT_EQ(decided.code(), fault.code());

    f_.small.Update(kSmall, [&](FakeModel& m) { m.probe_refusal = fault; });
    EXPECT_EQ(f_.RunToRefusal(Ask("code x")).code(), fault.code());
    EXPECT_EQ(f_.router->Decide(Ask("code x"), nullptr).code(), fault.code());
    f_.small.Update(kSmall, [&](FakeModel& m) { m.probe_refusal = Status::Ok(); });
  }
  EXPECT_TRUE(f_.large.generations().empty());
}

TEST_P(RouterTest, AWrongPromptIsRefused) {
  f_.small.Update(kSmall, [](FakeModel& m) {
    m.count_fault = InvalidArgument("no such role").WithParam("messages[0].role");
  });
  const Status status = f_.RunToRefusal(Ask("code x"));
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.param(), "messages[0].role");
}

TEST_P(RouterTest, ASmallModelThatCannotCountIsNotProbed) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.count_fault = Unavailable("gone"); });
  const Decision decision = f_.DecisionFor(Ask("code x y"));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.prompt_tokens, 3);
  EXPECT_THAT(decision.reason, HasSubstr("probe failed (unavailable: gone)"));
  EXPECT_TRUE(f_.small.probes().empty());

  f_.large.Update(kLarge, [](FakeModel& m) { m.count_fault = Unavailable("gone too"); });
  EXPECT_EQ(f_.RunToRefusal(Ask("code x")).message(), "gone too");
}

TEST_P(RouterTest, ARefusalByTheChosenModelIsReported) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.generate_refusal = ResourceExhausted("full"); });
  // Known only after the probe: through the sink.
  const RecordingSink::Record record = f_.Run(Ask("code x"));
  EXPECT_TRUE(record.starts.empty());
  EXPECT_EQ(record.errors.at(0).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(f_.small.held_prompts(), 0);
  // Without a probe: at once.
  EXPECT_EQ(f_.RunToRefusal(Ask("code x", "small")).code(), StatusCode::kResourceExhausted);
  f_.large.Update(kLarge, [](FakeModel& m) { m.generate_refusal = ResourceExhausted("full"); });
  EXPECT_EQ(f_.RunToRefusal(Ask(Words("code", 3000))).code(), StatusCode::kResourceExhausted);
}

TEST_P(RouterTest, WhatGenerateRefusesIsRefusedBeforeTheProbeAndByDecide) {
  const Status bad = InvalidArgument("no such token").WithParam("logit_bias");
  const auto refuse = [&](FakeModel& m) { m.probe_refusal = m.generate_refusal = bad; };
  f_.small.Update(kSmall, refuse);
  f_.large.Update(kLarge, refuse);
  for (const Request& request :
       {Ask("code x"), Ask(Words("code", 3000)), Ask("code x", "small"), Ask("code x", "large")}) {
    EXPECT_EQ(f_.RunToRefusal(request).param(), "logit_bias");
    EXPECT_EQ(f_.router->Decide(request, nullptr).param(), "logit_bias");
  }
}

TEST_P(RouterTest, AFaultInMidStreamComesThrough) {
  f_.small.Update(kSmall, [](FakeModel& m) {
    m.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens = {"a"};
      answer.error = Internal("boom");
      return answer;
    };
  });
  const RecordingSink::Record record = f_.Run(Ask("code x"));
  EXPECT_EQ(record.text(), "a");
  EXPECT_EQ(record.errors.at(0).message(), "boom");
}

TEST_P(RouterTest, TokenIdsNeedANamedModelWhenTheVocabulariesDiffer) {
  Request ids = Ask("");
  ids.prompt = std::vector<int32_t>{1, 2, 3};
  Request bias = Ask("code x");
  bias.sampling.logit_bias = {{1, 2.0f}};
  EXPECT_EQ(f_.DecisionFor(ids).model, kLarge);
  EXPECT_EQ(f_.DecisionFor(bias).model, kSmall);

  for (uint64_t other : {0, 2}) {  // unknown, and known to be different
    f_.large.Update(kLarge, [&](FakeModel& m) { m.info.vocabulary_fingerprint = other; });
    f_.router = Router::Create(f_.Options(), f_.clock).value();
    EXPECT_EQ(f_.RunToRefusal(ids).param(), "prompt");
    EXPECT_EQ(f_.router->Decide(bias, nullptr).param(), "logit_bias");
    EXPECT_THAT(
        f_.RunToRefusal(bias).message(),
        HasSubstr("'pocket-small' and 'pocket-large', whose vocabularies differ; name one"));
    Request named = ids;
    named.model = "large";
    EXPECT_EQ(f_.DecisionFor(named).model, kLarge);
    EXPECT_EQ(f_.DecisionFor(Ask("code x")).model, kSmall) << "text has no ids";
  }
}

// --- contexts --------------------------------------------------------------------------

TEST_P(RouterTest, ContextFitGoesBeforeThePolicy) {
  Fixture f(GetParam(), /*small_context=*/100, /*large_context=*/1000);
  Request request = Ask(Words("code", 60));
  request.sampling.max_tokens = 40;  // exactly fits
  EXPECT_EQ(f.DecisionFor(request).model, kSmall);
  request.sampling.max_tokens = 41;
  const Decision decision = f.DecisionFor(request);
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.rule, "code-small");
  EXPECT_EQ(decision.reason,
            "60 + 41 tokens > small context 100: large model answers (rule code-small, context "
            "fit)");
  EXPECT_FALSE(f.large.generations().back().had_held_prompt);
  EXPECT_EQ(f.small.held_prompts(), 0);
}

TEST_P(RouterTest, ContextFitAlsoTheOtherWayRound) {
  Fixture f(GetParam(), /*small_context=*/1000, /*large_context=*/100);
  const Decision decision = f.DecisionFor(Ask(Words("qa", 100)));
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_EQ(decision.strategy, PromptLookup());
  EXPECT_EQ(decision.reason,
            "100 + 1 tokens > large context 100: small model answers (rule knowledge, context "
            "fit)");
  EXPECT_TRUE(f.small.generations().back().had_held_prompt);
}

TEST_P(RouterTest, WhatFitsNowhereIsRefusedBeforeTheProbe) {
  Fixture f(GetParam(), /*small_context=*/100, /*large_context=*/200);
  Request request = Ask(Words("code", 190));
  request.sampling.max_tokens = 20;
  Status status = f.RunToRefusal(request);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.reason(), "context_length_exceeded");
  EXPECT_EQ(status.param(), "prompt");
  EXPECT_EQ(status.message(),
            "the prompt's 190 tokens and 20 for the answer are 210, more than the largest context, "
            "200 tokens; shorten the prompt or lower max_tokens");
  EXPECT_EQ(f.router->Decide(request, nullptr).reason(), "context_length_exceeded");
  request.prompt = std::vector<ChatMessage>{{"user", Words("code", 200)}};
  request.sampling.max_tokens.reset();
  status = f.RunToRefusal(request);
  EXPECT_EQ(status.param(), "messages");
  EXPECT_THAT(status.message(), HasSubstr("shorten the prompt"));
  request.sampling.max_tokens = std::numeric_limits<int>::max();
  EXPECT_EQ(f.RunToRefusal(request).reason(), "context_length_exceeded");
  EXPECT_TRUE(f.small.probes().empty());
}

TEST_P(RouterTest, EachModelCountsForItself) {
  Fixture f(GetParam(), /*small_context=*/100, /*large_context=*/100);
  f.large.Update(kLarge, [](FakeModel& m) {
    m.count_tokens = [](const Prompt& prompt) { return 2 * FakeTokenCount(prompt); };
  });
  const Decision decision = f.DecisionFor(Ask(Words("qa", 60)));
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_THAT(decision.reason, HasSubstr("120 + 1 tokens > large context 100"));
  // Far from the limit nobody counts twice.
  const int before = f.large.count_calls();
  EXPECT_EQ(f.DecisionFor(Ask(Words("qa", 20))).model, kLarge);
  EXPECT_EQ(f.large.count_calls(), before);
}

TEST_P(RouterTest, AContextNotKnownIsLargeEnough) {
  Fixture f(GetParam(), /*small_context=*/0, /*large_context=*/0);
  Request request = Ask(Words("code", 2000));
  request.sampling.max_tokens = 1000000;
  EXPECT_EQ(f.DecisionFor(request).model, kSmall);
  EXPECT_EQ(f.router->Models()[0].context_length, 0);
}

TEST_P(RouterTest, APromptTooLongForTheProbesTemplateIsUnprobed) {
  // "code" and 99 more fit the context of 101 with one token to answer; three more words of
  // template do not.
  Fixture f(GetParam(), /*small_context=*/101, /*large_context=*/1000);
  const Decision decision = f.DecisionFor(Ask(Words("code", 100)));
  EXPECT_FALSE(decision.probed);
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.reason,
            "not probed, too long with the probe's template: large model answers "
            "(rule otherwise)");
  // The same if it comes out later.
  f.small.Update(kSmall, [](FakeModel& m) {
    m.probe_fault = InvalidArgument("too long").WithReason("context_length_exceeded");
  });
  EXPECT_EQ(f.DecisionFor(Ask("code x")).rule, "otherwise");
}

// --- what a Backend has besides --------------------------------------------------------

TEST_P(RouterTest, ListsTheVirtualNamesAndBothModels) {
  const std::vector<ModelInfo> models = f_.router->Models();
  ASSERT_EQ(models.size(), 4u);
  EXPECT_EQ(models[0].name, "auto");
  EXPECT_EQ(models[1].name, "aio/auto");
  for (int i : {0, 1}) {
    EXPECT_EQ(models[i].role, "router");
    EXPECT_EQ(models[i].context_length, 8000);
  }
  EXPECT_EQ(models[2].name, kSmall);
  EXPECT_EQ(models[2].role, "small");
  EXPECT_EQ(models[2].context_length, 4000);
  EXPECT_EQ(models[3].name, kLarge);
  EXPECT_EQ(models[3].role, "large");
}

TEST_P(RouterTest, CountsAndScoresByTheNamedModel) {
  f_.large.Update(kLarge, [](FakeModel& m) { m.count_tokens = [](const Prompt&) { return 77; }; });
  EXPECT_EQ(f_.router->CountPromptTokens(Ask("a b", "auto")).value(), 2);
  EXPECT_EQ(f_.router->CountPromptTokens(Ask("a b", "auto-0.3")).value(), 2);
  EXPECT_EQ(f_.router->CountPromptTokens(Ask("a b", "large")).value(), 77);
  EXPECT_FALSE(f_.router->CountPromptTokens(Ask("a b", "none")).ok());
  EXPECT_TRUE(f_.router->ValidateLabels("auto", Labels()).ok());
  EXPECT_TRUE(f_.router->ValidateLabels(kLarge, Labels()).ok());
  EXPECT_FALSE(f_.router->ValidateLabels("none", Labels()).ok());
  int scored = 0;
  for (const char* name : {"auto", "small", "large"}) {
    EXPECT_TRUE(f_.router
                    ->ScoreLabels(Ask("code x", name), Labels(),
                                  [&](Result<LabelScores> s) { scored += s.ok() ? 1 : 0; })
                    .ok());
  }
  EXPECT_FALSE(f_.router->ScoreLabels(Ask("code x", "none"), Labels(), nullptr).ok());
  f_.DeliverAll();
  EXPECT_EQ(scored, 3);
  EXPECT_EQ(f_.small.probes().size(), 2u);
  EXPECT_EQ(f_.large.probes().size(), 1u);
}

TEST_P(RouterTest, WorksOverOneBackendThatHoldsBothModels) {
  FakeBackend both({Model(kLarge, "", 8000), Model(kSmall, "", 4000)}, GetParam());
  RouterOptions options = f_.Options();
  options.small.backend = &both;
  options.large.backend = &both;
  auto router = Router::Create(options, f_.clock);
  ASSERT_TRUE(router.ok());
  EXPECT_EQ((*router)->Load().size(), 2u);
  EXPECT_EQ((*router)->Models().at(2).name, kSmall);
  for (const auto& [prompt, model] :
       std::vector<std::pair<std::string, std::string>>{{"code x", kSmall}, {"qa x", kLarge}}) {
    auto sink = std::make_shared<RecordingSink>();
    ASSERT_TRUE((*router)->Generate(Ask(prompt), sink).ok());
    both.DeliverAll();
    EXPECT_EQ(sink->record().text(), "I am " + model);
  }
  EXPECT_EQ(both.held_prompts(), 0);
}

TEST(Router, LoadIsBothBackends) {
  Fixture f(Delivery::kImmediate);
  f.large.Update(kLarge, [](FakeModel& m) { m.load.running = 3; });
  const std::vector<ModelLoad> loads = f.router->Load();
  ASSERT_EQ(loads.size(), 2u);
  EXPECT_EQ(loads[0].name, kSmall);
  EXPECT_EQ(loads[1].running, 3);
}

TEST(Router, ProbeTimeIsByTheClock) {
  Fixture f(Delivery::kManual);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(f.router->Generate(Ask("code x"), sink).ok());
  f.clock.Advance(std::chrono::microseconds(11800));
  f.DeliverAll();
  EXPECT_DOUBLE_EQ(sink->record().starts.at(0).decision->probe_ms, 11.8);
}

TEST(Router, CreateChecksWhatItIsGiven) {
  Fixture f(Delivery::kImmediate);
  const auto error = [&](auto change) {
    RouterOptions options = f.Options();
    change(options);
    auto router = Router::Create(std::move(options), f.clock);
    return router.ok() ? "ok" : router.status().message();
  };
  EXPECT_EQ(error([](RouterOptions&) {}), "ok");
  EXPECT_THAT(error([](RouterOptions& o) { o.small.model = "x"; }),
              HasSubstr("the small model, 'x', is not among those of its backend"));
  EXPECT_THAT(error([](RouterOptions& o) { o.large = o.small; }),
              HasSubstr("would stand for two things"));
  EXPECT_THAT(error([](RouterOptions& o) { o.labels.labels.pop_back(); }),
              HasSubstr("policy 'paper', rule 'knowledge': no label 'math' in the probe; it has: "
                        "code, qa"));
  EXPECT_THAT(error([](RouterOptions& o) { o.labels.labels.resize(1); }), HasSubstr("1 labels"));
  EXPECT_THAT(error([](RouterOptions& o) { o.labels.labels[1].word = "code"; }),
              HasSubstr("same word"));
  EXPECT_THAT(error([](RouterOptions& o) { o.policy = RoutingPolicy(); }), HasSubstr("no rules"));
  EXPECT_THAT(error([](RouterOptions& o) { o.virtual_names.clear(); }), HasSubstr("no name asks"));
  f.small.Update(kSmall, [](FakeModel& m) { m.validate_fault = InvalidArgument("collide"); });
  EXPECT_EQ(error([](RouterOptions&) {}), "collide");
}

// What was started goes on without the router.
TEST(Router, MayBeDestroyedDuringAProbe) {
  Fixture f(Delivery::kManual);
  auto sink = std::make_shared<RecordingSink>();
  bool decided = false;
  ASSERT_TRUE(f.router->Generate(Ask("code x"), sink).ok());
  ASSERT_TRUE(f.router->Decide(Ask("qa x"), [&](Result<Decision> d) { decided = d.ok(); }).ok());
  f.router.reset();
  f.DeliverAll();
  EXPECT_EQ(sink->record().text(), "I am pocket-small");
  EXPECT_TRUE(decided);
}

// --- cancelling ------------------------------------------------------------------------

class CancelTest : public ::testing::Test {
 protected:
  std::shared_ptr<Ticket> Start(const std::string& prompt) {
    return f_.router->Generate(Ask(prompt), sink_).value();
  }
  RecordingSink::Record End() {
    f_.DeliverAll();
    RecordingSink::Record record = sink_->record();
    EXPECT_TRUE(record.in_order);
    EXPECT_EQ(record.finishes.size() + record.errors.size(), 1u);
    EXPECT_EQ(f_.small.held_prompts(), 0);
    return record;
  }

  Fixture f_{Delivery::kManual};
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
};

TEST_F(CancelTest, DuringTheProbe) {
  auto generation = Start("code x");
  generation->Cancel();
  generation->Cancel();
  EXPECT_EQ(f_.small.cancel_calls(), 2) << "the probe is cancelled too";
  const RecordingSink::Record record = End();
  EXPECT_EQ(record.errors.at(0).code(), StatusCode::kCancelled);
  EXPECT_TRUE(f_.small.generations().empty());
}

TEST_F(CancelTest, DuringAProbeThatFails) {
  f_.small.Update(kSmall, [](FakeModel& m) { m.probe_fault = Unavailable("gone"); });
  Start("code x")->Cancel();
  EXPECT_EQ(End().errors.at(0).code(), StatusCode::kCancelled);
  EXPECT_TRUE(f_.large.generations().empty());
}

TEST_F(CancelTest, WhileTheChosenModelAcceptsTheRequest) {
  std::shared_ptr<Ticket> generation;
  f_.small.Update(kSmall, [&](FakeModel& m) {
    m.answer = [&](const Request&) {  // runs inside Generate() of the small backend
      generation->Cancel();
      return FakeAnswer{};
    };
  });
  generation = Start("code x");
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kCancelled);
  EXPECT_EQ(f_.small.cancel_calls(), 1);
}

TEST_F(CancelTest, BetweenTheProbeAndTheFirstEvent) {
  auto generation = Start("qa x");
  EXPECT_TRUE(f_.small.DeliverOne());
  EXPECT_EQ(f_.large.pending(), 1);
  generation->Cancel();
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kCancelled);
}

TEST_F(CancelTest, InMidStream) {
  auto generation = Start("qa x");
  f_.small.DeliverOne();
  f_.large.DeliverOne();  // start
  f_.large.DeliverOne();  // a token
  generation->Cancel();
  const RecordingSink::Record record = End();
  EXPECT_EQ(record.tokens.size(), 1u);
  EXPECT_EQ(record.finishes.at(0).reason, FinishReason::kCancelled);
}

TEST_F(CancelTest, AfterTheEndHasNoEffect) {
  auto generation = Start("qa x");
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kStop);
  generation->Cancel();
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kStop);
}

TEST_F(CancelTest, FromInsideTheSink) {
  std::shared_ptr<Ticket> generation;
  sink_->on_start = [&] { generation->Cancel(); };
  generation = Start("qa x");
  EXPECT_EQ(End().finishes.at(0).reason, FinishReason::kCancelled);
}

// The probe comes later, the large model answers at once from inside its callback: the
// handle of the chosen model is not known yet when the sink cancels.
TEST(Cancel, FromInsideTheSinkOfABackendThatAnswersAtOnce) {
  Fixture later(Delivery::kManual);
  FakeBackend at_once({Model(kLarge, "large", 8000)}, Delivery::kImmediate);
  RouterOptions options = later.Options();
  options.large.backend = &at_once;
  auto router = Router::Create(options, later.clock).value();
  auto sink = std::make_shared<RecordingSink>();
  std::shared_ptr<Ticket> generation;
  sink->on_start = [&] { generation->Cancel(); };
  generation = router->Generate(Ask("qa x"), sink).value();
  later.DeliverAll();
  const RecordingSink::Record record = sink->record();
  EXPECT_TRUE(record.in_order);
  EXPECT_EQ(record.finishes.size() + record.errors.size(), 1u);
  EXPECT_EQ(at_once.cancel_calls(), 1);
}

TEST(Cancel, WithoutAProbe) {
  Fixture f(Delivery::kManual);
  auto sink = std::make_shared<RecordingSink>();
  auto generation = f.router->Generate(Ask("code x", "small"), sink).value();
  generation->Cancel();
  f.DeliverAll();
  EXPECT_EQ(sink->record().finishes.at(0).reason, FinishReason::kCancelled);
}

// The ticket may go before the probe is over; that is no cancellation.
TEST_F(CancelTest, DestroyingTheTicketIsNotCancelling) {
  Start("code x").reset();
  EXPECT_EQ(End().text(), "I am pocket-small");
}

// --- many at once ----------------------------------------------------------------------

// Requests of all kinds from several threads over backends with threads of their own, every
// third cancelled at some moment. Each ends exactly once. (For the thread sanitizer above
// all.)
TEST(RouterStress, EveryRequestEndsOnce) {
  constexpr int kThreads = 4;
  constexpr int kRequests = 150;
  ManualClock clock;
  FakeBackend small({Model(kSmall, "small", 4000)}, Delivery::kThread);
  FakeBackend large({Model(kLarge, "large", 8000)}, Delivery::kThread);
  RouterOptions options;
  options.small = {.backend = &small, .model = kSmall};
  options.large = {.backend = &large, .model = kLarge};
  options.labels = Labels();
  options.policy = RoutingPolicy::Paper();
  auto router = Router::Create(options, clock).value();

  const std::vector<std::string> prompts = {"code x", "qa x", "math x", "unsure-code x", "nan x"};
  const std::vector<std::string> models = {"auto", "auto-0.2", "small", "auto", "large"};
  std::atomic<int> finished{0}, cancelled{0}, wrong{0};
  const auto client = [&](int thread) {
    for (int i = 0; i < kRequests; ++i) {
      const size_t n = static_cast<size_t>(thread * kRequests + i);
      auto sink = std::make_shared<RecordingSink>();
      auto generation =
          router->Generate(Ask(prompts[n % prompts.size()], models[n / 5 % models.size()]), sink);
      if (!generation.ok()) {
        ++wrong;
        continue;
      }
      if (n % 3 == 0) {
        for (size_t spin = 0; spin < n % 7; ++spin) std::this_thread::yield();
        (*generation)->Cancel();
      }
      if (n % 4 == 0) generation = std::shared_ptr<Ticket>();
      sink->Wait();
      const RecordingSink::Record record = sink->record();
      if (!record.in_order || record.finishes.size() + record.errors.size() != 1) ++wrong;
      const bool stopped =
          !record.errors.empty() || record.finishes.at(0).reason == FinishReason::kCancelled;
      ++(stopped ? cancelled : finished);
      if (stopped && n % 3 != 0) ++wrong;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back(client, t);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(finished + cancelled, kThreads * kRequests);
}

TEST(RouterStress, DecideFromManyThreads) {
  std::atomic<int> right{0}, done{0};  // outlive the backend's thread
  Fixture f(Delivery::kThread);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const Status status = f.router->Decide(Ask("code x"), [&](Result<Decision> d) {
          if (d.ok() && d->model == kSmall) ++right;
          if (++done == 200) done.notify_all();
        });
        EXPECT_TRUE(status.ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int seen = done; seen < 200; seen = done) done.wait(seen);
  EXPECT_EQ(right, 200);
}

}  // namespace
}  // namespace aio
