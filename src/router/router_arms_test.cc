// Router: which weights and which strategy answer, and what the probe leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

RoutingPolicy Policy(const std::string& rule) {
  return RoutingPolicy::FromToml(
             "version = 1\nname = \"test\"\nprobe_prompt_tokens_max = 2048\nrule = [" + rule + "]",
             "test.toml")
      .value();
}

// The large role has a W8A16 variant, and the small model drafts for it.
class RouterArmsTest : public RouterTest {
 protected:
  RouterArmsTest() {
    Make([](RouterOptions&) {});
  }

  template <typename Change>
  void Make(Change change) {
    RouterOptions options = f_.Options();
    options.large.variants = {{"w8a16", kLargeW8A16}};
    options.large.draft_model = kSmall;
    change(options);
    auto router = Router::Create(std::move(options), f_.clock);
    ASSERT_TRUE(router.ok()) << router.status().ToString();
    f_.router = *std::move(router);
  }

  // By both Generate() and Decide(), before any work.
  Status Refusal(const Request& request) {
    const Status status = f_.RunToRefusal(request);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(f_.router->Decide(request, nullptr).message(), status.message());
    EXPECT_TRUE(f_.small.probes().empty());
    return status;
  }
};

INSTANTIATE_TEST_SUITE_P(Deliveries, RouterArmsTest,
                         ::testing::Values(FakeBackend::Delivery::kImmediate,
                                           FakeBackend::Delivery::kManual));

Request WithWeights(Request request, std::string weights) {
  request.weights = std::move(weights);
  return request;
}

Request WithDraft(Request request) {
  request.strategy = DefaultStrategy(StrategyKind::kDraftModel);
  return request;
}

// --- bad wishes and bad policies -------------------------------------------------------

TEST_P(RouterArmsTest, WeightsThatAreNotResidentAreRefused) {
  Status status = Refusal(WithWeights(Ask("code x"), "w4\n"));
  EXPECT_EQ(status.param(), "aio.weights");
  EXPECT_EQ(status.message(),
            "the weights 'w4\n' are not resident; there is \"\", a model's own, and the large "
            "model has w8a16");
  // A role that was named has to have them itself.
  status = Refusal(WithWeights(Ask("code x", "small"), "w8a16"));
  EXPECT_EQ(status.param(), "aio.weights");
  EXPECT_EQ(status.message(), "the weights 'w8a16' are not resident; there is \"\", a model's own");
  Make([](RouterOptions& options) { options.large.variants.clear(); });
  EXPECT_EQ(Refusal(WithWeights(Ask("qa x"), "w8a16")).param(), "aio.weights");
  EXPECT_EQ(Refusal(WithWeights(Ask("qa x", "large"), "w8a16")).param(), "aio.weights");
  EXPECT_EQ(f_.router->Decide(Ask("x", kLargeW8A16), nullptr).code(), StatusCode::kNotFound);
}

TEST_P(RouterArmsTest, AVariantsNameAndOtherWeightsContradict) {
  const Status status = Refusal(WithWeights(Ask("x", kLargeW8A16), ""));
  EXPECT_EQ(status.param(), "aio.weights");
  EXPECT_EQ(status.message(),
            "'pocket-large-w8a16' is the w8a16 variant of 'pocket-large': name that one, or leave "
            "the weights out");
}

TEST_P(RouterArmsTest, DraftModelWithoutOneIsRefusedBeforeTheProbe) {
  Make([](RouterOptions& options) { options.large.draft_model.clear(); });
  const Status status = Refusal(WithDraft(Ask("code x")));
  EXPECT_EQ(status.param(), "aio.strategy");
  EXPECT_EQ(status.message(), "no model drafts for 'pocket-large'; choose another strategy");
}

TEST_P(RouterArmsTest, APolicyAsksForNothingThatIsNotThere) {
  const auto error = [&](const std::string& rule, auto change) {
    RouterOptions options = f_.Options();
    options.policy = Policy(rule);
    change(options);
    auto router = Router::Create(std::move(options), f_.clock);
    return router.ok() ? "ok" : router.status().message();
  };
  const auto nothing = [](RouterOptions&) {};
  EXPECT_EQ(
      error(R"({ name = "r", role = "large", strategy = "plain", weights = "w8a16" })", nothing),
      "policy 'test', rule 'r': the large model, 'pocket-large', has no w8a16 weights "
      "resident; load them (models.large.w8a16_path), or take 'weights' out of it");
  EXPECT_EQ(error(R"({ name = "r", role = "small", strategy = "plain", weights = "w8a16" })",
                  [](RouterOptions& o) {
                    o.large.variants = {{"w8a16", kLargeW8A16}};
                  }),
            "policy 'test', rule 'r': the small model, 'pocket-small', has no w8a16 weights "
            "resident; load them (models.small.w8a16_path), or take 'weights' out of it");
  EXPECT_EQ(error(R"({ name = "r", role = "large", strategy = "draft_model" })", nothing),
            "policy 'test', rule 'r': no model drafts for the large one, 'pocket-large'; name one "
            "(models.large.draft_model), or choose another strategy");
  EXPECT_EQ(error(R"({ name = "r", role = "large", strategy = "auto" })", nothing), "ok");
}

TEST_P(RouterArmsTest, AVariantIsOfItsModel) {
  const auto error = [&](auto change) {
    RouterOptions options = f_.Options();
    change(options);
    return Router::Create(std::move(options), f_.clock).status().message();
  };
  EXPECT_EQ(error([](RouterOptions& o) {
              o.large.variants = {{"w8a16", "x"}};
            }),
            "the large model's w8a16 variant, 'x', is not among those of its backend");
  EXPECT_THAT(error([](RouterOptions& o) {
                o.large.variants = {{"w8a16", kLarge}};
              }),
              HasSubstr("would stand for two things"));
  f_.large.Update(kLargeW8A16, [](FakeModel& m) { m.info.vocabulary_fingerprint = 9; });
  EXPECT_EQ(error([](RouterOptions& o) {
              o.large.variants = {{"w8a16", kLargeW8A16}};
            }),
            "the large model's w8a16 variant, 'pocket-large-w8a16', differs from 'pocket-large' in "
            "context or vocabulary");
}

// --- which arm answers -----------------------------------------------------------------

TEST_P(RouterArmsTest, TheClientsWeightsGoBeforeThePolicy) {
  const Decision decision = f_.DecisionFor(WithWeights(Ask("qa who"), "w8a16"));
  EXPECT_EQ(decision.model, kLargeW8A16);
  EXPECT_EQ(decision.role, "large");
  EXPECT_EQ(decision.weights, kW8A16);
  EXPECT_EQ(decision.rule, "knowledge");
  EXPECT_THAT(decision.reason, HasSubstr("on w8a16 as the client asked"));
  const Request answered = f_.large.generations().back().request;
  EXPECT_EQ(answered.model, kLargeW8A16);
  EXPECT_FALSE(answered.weights.has_value()) << "they are the model's own";
  EXPECT_FALSE(f_.small.probes().back().request.weights.has_value());
}

TEST_P(RouterArmsTest, ARoleWithoutThemAnswersOnItsOwn) {
  const Decision decision = f_.DecisionFor(WithWeights(Ask("code x"), "w8a16"));
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_EQ(decision.weights, "");
  EXPECT_THAT(decision.reason, HasSubstr("on its own weights (it has no w8a16)"));
  EXPECT_TRUE(f_.small.generations().back().had_held_prompt);
}

TEST_P(RouterArmsTest, APolicysWeights) {
  Make([](RouterOptions& options) {
    options.policy =
        Policy(R"({ name = "r", role = "large", strategy = "plain", weights = "w8a16" })");
  });
  EXPECT_EQ(f_.DecisionFor(Ask("qa who")).model, kLargeW8A16);
  EXPECT_EQ(f_.DecisionFor(WithWeights(Ask("qa who"), "")).model, kLarge);
}

TEST_P(RouterArmsTest, NamesAndWeightsBypassTheRouting) {
  for (const Request& request :
       {Ask("qa x", kLargeW8A16), WithWeights(Ask("qa x", kLargeW8A16), "w8a16"),
        WithWeights(Ask("qa x", kLarge), "w8a16"), WithWeights(Ask("qa x", "large"), "w8a16")}) {
    const Decision decision = f_.DecisionFor(request);
    EXPECT_EQ(decision.model, kLargeW8A16);
    EXPECT_EQ(decision.role, "large");
    EXPECT_EQ(decision.weights, kW8A16);
    EXPECT_EQ(decision.rule, "override");
    EXPECT_EQ(decision.reason, "asked for by name: large model answers with plain on w8a16");
  }
  EXPECT_TRUE(f_.small.probes().empty());
  EXPECT_EQ(f_.router->CountPromptTokens(Ask("a b", kLargeW8A16)).value(), 2);
}

TEST_P(RouterArmsTest, TheSmallRolesVariantDoesNotGetTheHold) {
  FakeBackend small({Model(kSmall, "small", 4000), Model("s8", "", 4000)}, GetParam());
  Make([&](RouterOptions& options) {
    options.small = {.backend = &small, .model = kSmall, .variants = {{"w8a16", "s8"}}};
  });
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(f_.router->Generate(WithWeights(Ask("code x"), "w8a16"), sink).ok());
  small.DeliverAll();
  EXPECT_EQ(sink->record().text(), "I am s8");
  EXPECT_FALSE(small.generations().at(0).had_held_prompt);
  EXPECT_EQ(small.held_prompts(), 0);
}

TEST_P(RouterArmsTest, ListsVariantsWithTheirModel) {
  const std::vector<ModelInfo> models = f_.router->Models();
  ASSERT_EQ(models.size(), 5u);
  EXPECT_EQ(models[2].draft_model, "");
  EXPECT_EQ(models[3].name, kLarge);
  EXPECT_EQ(models[3].weights, "");
  EXPECT_EQ(models[3].draft_model, kSmall);
  EXPECT_EQ(models[4].name, kLargeW8A16);
  EXPECT_EQ(models[4].role, "large");
  EXPECT_EQ(models[4].weights, kW8A16);
  EXPECT_EQ(models[4].draft_model, kSmall);
}

TEST_P(RouterArmsTest, DraftModelIsForTheLargeModel) {
  Decision decision = f_.DecisionFor(WithDraft(Ask("qa who")));
  EXPECT_EQ(decision.model, kLarge);
  EXPECT_EQ(decision.strategy, DefaultStrategy(StrategyKind::kDraftModel));
  EXPECT_NE(f_.small.probes().back().request.strategy->kind, StrategyKind::kDraftModel)
      << "a small model may refuse it, and a probe decodes nothing";
  decision = f_.DecisionFor(WithDraft(Ask("code x")));
  EXPECT_EQ(decision.model, kSmall);
  EXPECT_EQ(decision.strategy, Strategy{});
  EXPECT_THAT(decision.reason, HasSubstr("draft_model is for the large model"));
  EXPECT_EQ(f_.small.generations().back().request.strategy, Strategy{});
}

// --- what the probe leaves behind ------------------------------------------------------

TEST_P(RouterArmsTest, TheChosenModelIsToldTheIntent) {
  f_.Run(Ask("code x"));
  EXPECT_EQ(f_.small.generations().at(0).request.intent, "code");
  f_.Run(Ask("math 1 + 1"));
  EXPECT_EQ(f_.large.generations().at(0).request.intent, "math");
  f_.Run(Ask(Words("qa", 2049)));
  EXPECT_EQ(f_.large.generations().at(1).request.intent, "") << "not probed";
  f_.Run(Ask("qa who", "large"));
  EXPECT_EQ(f_.large.generations().at(2).request.intent, "");
}

TEST_P(RouterArmsTest, TheProbesTimeAndTrafficAreOfTheRequest) {
  f_.small.Update(kSmall, [](FakeModel& m) {
    m.probe_traffic = {.weight_bytes = 1000, .kv_bytes = 20, .static_large_bytes = 0};
  });
  for (FakeBackend* backend : {&f_.small, &f_.large}) {
    const auto answers = [](FakeModel& m) {
      m.answer = [](const Request&) {
        FakeAnswer answer;
        answer.traffic = {.weight_bytes = 5, .kv_bytes = 3, .static_large_bytes = 50};
        return answer;
      };
    };
    backend->Update(backend == &f_.small ? kSmall : kLarge, answers);
  }
  for (const char* prompt : {"code x", "qa who"}) {  // the small and the large model answer
    auto sink = std::make_shared<RecordingSink>();
    ASSERT_TRUE(f_.router->Generate(Ask(prompt), sink).ok());
    f_.clock.Advance(std::chrono::milliseconds(12));
    f_.DeliverAll();
    const FinishEvent finish = sink->record().finishes.at(0);
    EXPECT_EQ(finish.timings.probe_ms, GetParam() == FakeBackend::Delivery::kManual ? 12.0 : 0.0);
    EXPECT_EQ(finish.traffic.weight_bytes, 1005);
    EXPECT_EQ(finish.traffic.kv_bytes, 23);
    EXPECT_EQ(finish.traffic.static_large_bytes, 50);
  }
  const FinishEvent unprobed = f_.Run(Ask("qa who", "large")).finishes.at(0);
  EXPECT_EQ(unprobed.timings.probe_ms, 0);
  EXPECT_EQ(unprobed.traffic.weight_bytes, 5);
}

}  // namespace
}  // namespace aio
