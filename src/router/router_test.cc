// Router: where requests go, and what a Backend has besides.
#include "router/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;
using Delivery = FakeBackend::Delivery;

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
  RouterFixture f(Delivery::kImmediate);
  f.large.Update(kLarge, [](FakeModel& m) { m.load.running = 3; });
  const std::vector<ModelLoad> loads = f.router->Load();
  ASSERT_EQ(loads.size(), 3u) << "a variant is a model too";
  EXPECT_EQ(loads[0].name, kSmall);
  EXPECT_EQ(loads[1].running, 3);
}

TEST(Router, ProbeTimeIsByTheClock) {
  RouterFixture f(Delivery::kManual);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(f.router->Generate(Ask("code x"), sink).ok());
  f.clock.Advance(std::chrono::microseconds(11800));
  f.DeliverAll();
  EXPECT_DOUBLE_EQ(sink->record().starts.at(0).decision->probe_ms, 11.8);
}

TEST(Router, CreateChecksWhatItIsGiven) {
  RouterFixture f(Delivery::kImmediate);
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
  EXPECT_THAT(error([](RouterOptions& o) { o.policy = RoutingPolicy(); }),
              HasSubstr("no routing policy"));
  EXPECT_THAT(error([](RouterOptions& o) { o.virtual_names.clear(); }), HasSubstr("no name asks"));
  f.small.Update(kSmall, [](FakeModel& m) { m.validate_fault = InvalidArgument("collide"); });
  EXPECT_EQ(error([](RouterOptions&) {}), "collide");
}

// What was started goes on without the router.
TEST(Router, MayBeDestroyedDuringAProbe) {
  RouterFixture f(Delivery::kManual);
  auto sink = std::make_shared<RecordingSink>();
  bool decided = false;
  ASSERT_TRUE(f.router->Generate(Ask("code x"), sink).ok());
  ASSERT_TRUE(f.router->Decide(Ask("qa x"), [&](Result<Decision> d) { decided = d.ok(); }).ok());
  f.router.reset();
  f.DeliverAll();
  EXPECT_EQ(sink->record().text(), "I am pocket-small");
  EXPECT_TRUE(decided);
}

}  // namespace
}  // namespace aio
