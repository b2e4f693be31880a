// Policies that need more of the router than a probe: conversations that stay on their model,
// drift, cascades, policies made for other models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

RoutingPolicy Policy(const std::string& text) {
  return RoutingPolicy::FromToml("version = 1\nname = \"p\"\n" + text, "p.toml").value();
}

class RouterPoliciesTest : public RouterTest {
 protected:
  void Use(const RoutingPolicy& policy, const std::function<void(RouterOptions&)>& change = {}) {
    RouterOptions options = f_.Options();
    options.policy = policy;
    if (change) change(options);
    auto router = Router::Create(std::move(options), f_.clock);
    ASSERT_TRUE(router.ok()) << router.status().ToString();
    f_.router = *std::move(router);
  }

  Decision Decided(const Request& request) {
    const RecordingSink::Record record = f_.Run(request);
    if (record.starts.size() == 1 && record.starts[0].decision) return *record.starts[0].decision;
    ADD_FAILURE() << "no decision";
    return {};
  }
};

INSTANTIATE_TEST_SUITE_P(Deliveries, RouterPoliciesTest,
                         ::testing::Values(FakeBackend::Delivery::kImmediate,
                                           FakeBackend::Delivery::kManual));

// --- which models ------------------------------------------------------------------------

TEST_P(RouterPoliciesTest, APolicyMadeForOtherModelsIsRefusedUnlessForced) {
  const auto policy = [](const std::string& large) {
    return Policy("kind = \"static-small\"\n[evidence]\nsmall = \"aa\"\nlarge = \"" + large +
                  "\"\n");
  };
  f_.small.Update(kSmall, [](FakeModel& model) { model.info.fingerprint = "aa"; });
  f_.large.Update(kLarge, [](FakeModel& model) { model.info.fingerprint = "bb"; });
  Use(policy("bb"));
  Use(policy(""));
  RouterOptions options = f_.Options();
  options.policy = policy("cc");
  EXPECT_EQ(Router::Create(options, f_.clock).status().message(),
            "policy 'p' was made for another large model than 'pocket-large' (fingerprint cc, not "
            "bb): calibrate again, or take it all the same with --force-policy");
  options.force_policy = true;
  EXPECT_TRUE(Router::Create(options, f_.clock).ok());
}

TEST_P(RouterPoliciesTest, PoliciesThatDoNotAskDoNotProbe) {
  Use(Policy("kind = \"static-large\"\n"));
  EXPECT_EQ(Decided(Ask("code please")).model, kLarge);
  EXPECT_TRUE(f_.small.probes().empty());
}

TEST_P(RouterPoliciesTest, RandomIsARequestsOwn) {
  Use(Policy("kind = \"random\"\n[random]\np_small = 0.5\n"));
  std::vector<std::string> models;
  for (int round = 0; round < 2; ++round) {
    std::string chosen;
    for (int i = 0; i < 40; ++i) {
      Request request = Ask("code please");
      request.id = "request " + std::to_string(i);
      chosen += Decided(request).role == "small" ? 's' : 'l';
    }
    models.push_back(chosen);
  }
  EXPECT_EQ(models[0], models[1]);
  EXPECT_THAT(models[0], ::testing::AllOf(HasSubstr("s"), HasSubstr("l")));
}

TEST_P(RouterPoliciesTest, UtilityLooksAtTheQueues) {
  const std::string arm = "strategy = \"plain\"\ntokens_per_second = 10\n";
  Use(Policy(
      "kind = \"utility\"\nprobe_prompt_tokens_max = 100\n[utility]\nlambda = 1\n"
      "answer_tokens = 100\n[[arm]]\nrole = \"small\"\naccuracy = { code = 40, qa = 40, math = 40 "
      "}\n" +
      arm + "[[arm]]\nrole = \"large\"\naccuracy = { code = 80, qa = 80, math = 80 }\n" + arm));
  EXPECT_EQ(Decided(Ask("qa please")).role, "large");
  f_.large.Update(kLarge, [](FakeModel& model) { model.load.waiting = 6; });
  EXPECT_EQ(Decided(Ask("qa please")).role, "small");
  f_.large.Update(kLarge, [](FakeModel& model) {
    model.load.waiting = 0;
    model.load.step_ms = 1000;
  });
  EXPECT_EQ(Decided(Ask("qa please")).role, "small");
}

TEST_P(RouterPoliciesTest, DecisionsShowCalibratedProbabilities) {
  Use(Policy(R"(
    probe_prompt_tokens_max = 100
    rule = [{ name = "all", role = "large", strategy = "plain" }]
    [calibration]
    labels = ["code", "qa", "math"]
    temperature = 9.0)"));
  const Decision decision = Decided(Ask("code please"));  // logits 9, 0, 0
  EXPECT_NEAR(decision.probabilities[0].second, std::exp(1.0) / (std::exp(1.0) + 2), 1e-9);
}

// --- sessions ----------------------------------------------------------------------------

Request Turn(const std::vector<std::string>& texts, const std::string& session = "") {
  std::vector<ChatMessage> messages;
  for (size_t i = 0; i < texts.size(); ++i) {
    messages.push_back({i % 2 == 0 ? "user" : "assistant", texts[i]});
  }
  Request request = Ask("");
  request.prompt = std::move(messages);
  request.session = session;
  return request;
}

TEST_P(RouterPoliciesTest, AConversationStaysOnItsModelWhileATurnIsUnsure) {
  // "unsure-code" by itself is for the large model, 0.65 sure.
  f_.small.Update(kSmall, [](FakeModel& model) {
    model.logits = [](const Request& request, const LabelQuery& labels) {
      const auto& messages = std::get<std::vector<ChatMessage>>(request.prompt);
      Request last = request;
      last.prompt = messages.back().content;
      return LogitsByFirstWord(last, labels);
    };
  });
  for (const std::string session : {"", "s1"}) {
    Use(RoutingPolicy::Paper());
    EXPECT_EQ(Decided(Turn({"unsure-code"}, session.empty() ? "" : "other")).role, "large");
    EXPECT_EQ(Decided(Turn({"code please"}, session)).role, "small");
    const Decision stays = Decided(Turn({"code please", "yes", "unsure-code"}, session));
    EXPECT_EQ(stays.role, "small");
    EXPECT_THAT(stays.reason, HasSubstr("session stays (0.64 sure of large < 0.80)"));
    EXPECT_THAT(stays.reason, HasSubstr("(rule code-large, session)"));
    const Decision moves =
        Decided(Turn({"code please", "yes", "unsure-code", "yes", "math now"}, session));
    EXPECT_EQ(moves.role, "large");
    EXPECT_THAT(moves.reason, HasSubstr("session moves (1.00 sure >= 0.80)"));
  }
}

TEST_P(RouterPoliciesTest, AskingWhatWouldBeDecidedIsNoTurn) {
  Use(RoutingPolicy::Paper());
  EXPECT_TRUE(f_.router->Decide(Turn({"code please"}, "s1"), [](const auto&) {}).ok());
  f_.DeliverAll();
  EXPECT_THAT(Decided(Turn({"qa please"}, "s1")).reason, ::testing::Not(HasSubstr("session")));
}

TEST_P(RouterPoliciesTest, SessionsCanBeOff) {
  Use(RoutingPolicy::Paper(), [](RouterOptions& options) { options.sessions_max = 0; });
  Decided(Turn({"code please"}, "s1"));
  EXPECT_THAT(Decided(Turn({"qa please"}, "s1")).reason, ::testing::Not(HasSubstr("session")));
}

// --- drift -------------------------------------------------------------------------------

TEST_P(RouterPoliciesTest, DriftIsToldAndFallsBack) {
  std::vector<std::string> told;
  Use(Policy(R"(
    probe_prompt_tokens_max = 100
    rule = [
      { name = "code", intents = ["code"], role = "small", strategy = "plain" },
      { name = "rest", role = "large", strategy = "plain" },
    ]
    [drift]
    label_shares = { code = 0.5, qa = 0.5 }
    window = 30
    fallback = "large")"),
      [&](RouterOptions& options) {
        options.on_drift = [&](const DriftSignals& drift) { told.push_back(drift.what); };
      });
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(Decided(Ask("code please")).role, "small");
    EXPECT_TRUE(f_.router->Decide(Ask("qa please"), [](const auto&) {}).ok());  // not traffic
    f_.DeliverAll();
  }
  EXPECT_EQ(told, std::vector<std::string>{"code 100 %, was 50 %"});
  const Decision fallen = Decided(Ask("code please"));
  EXPECT_EQ(fallen.role, "large");
  EXPECT_THAT(fallen.reason, HasSubstr("but drift (code 100 %, was 50 %)"));
  ASSERT_TRUE(f_.router->drift().has_value());
  EXPECT_EQ(f_.router->drift()->requests, 31);
  EXPECT_TRUE(f_.router->drift()->signals.drifted);
}

// --- cascade -----------------------------------------------------------------------------

class CascadeTest : public RouterPoliciesTest {
 protected:
  void SetUp() override {
    Use(Policy("kind = \"cascade\"\n[cascade]\ntokens = 3\nentropy_max = 0.5\n"));
  }

  void SmallSays(std::vector<float> entropies, int tokens = 5) {
    f_.small.Update(kSmall, [&](FakeModel& model) {
      model.answer = [entropies, tokens](const Request&) {
        FakeAnswer answer;
        answer.tokens.assign(static_cast<size_t>(tokens), "small ");
        answer.entropies = entropies;
        answer.traffic.weight_bytes = 7;
        return answer;
      };
    });
    f_.large.Update(kLarge, [](FakeModel& model) {
      model.answer = [](const Request&) {
        FakeAnswer answer;
        answer.tokens = {"large ", "answer"};
        answer.traffic.weight_bytes = 100;
        return answer;
      };
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Deliveries, CascadeTest,
                         ::testing::Values(FakeBackend::Delivery::kImmediate,
                                           FakeBackend::Delivery::kManual));

TEST_P(CascadeTest, NeedsASmallModelThatTellsHowSureItIs) {
  f_.small.Update(kSmall, [](FakeModel& model) { model.info.tells_entropies = false; });
  RouterOptions options = f_.Options();
  options.policy = Policy("kind = \"cascade\"\n[cascade]\ntokens = 3\nentropy_max = 0.5\n");
  EXPECT_THAT(Router::Create(options, f_.clock).status().message(),
              ::testing::AllOf(HasSubstr("policy 'p': kind: \"cascade\""), HasSubstr(kSmall),
                               HasSubstr("models.small.path")));
}

TEST_P(CascadeTest, ASmallModelThatTellsNoneAllTheSameDoesNotAnswer) {
  SmallSays({});
  f_.small.Update(kSmall, [](FakeModel& model) { model.info.tells_entropies = false; });
  const RecordingSink::Record record = f_.Run(Ask("anything"));
  EXPECT_EQ(record.text(), "large answer");
  ASSERT_TRUE(record.starts.size() == 1 && record.starts[0].decision);
  EXPECT_THAT(record.starts[0].decision->reason, HasSubstr("tells no entropies"));
}

TEST_P(CascadeTest, ASureBeginningIsLetGo) {
  SmallSays({0.25f, 0.5f, 0.75f, 9, 9});
  const RecordingSink::Record record = f_.Run(Ask("anything"));
  EXPECT_EQ(record.text(), "small small small small small ");
  ASSERT_TRUE(record.starts.size() == 1 && record.starts[0].decision);
  EXPECT_EQ(record.starts[0].model, kSmall);
  EXPECT_EQ(record.starts[0].decision->model, kSmall);
  EXPECT_EQ(record.starts[0].decision->reason,
            "entropy of the small model's first 3 tokens 0.50 <= 0.50: small model answers (rule "
            "cascade)");
  EXPECT_TRUE(f_.large.generations().empty());
}

TEST_P(CascadeTest, AnUnsureBeginningIsNeverSeen) {
  SmallSays({0.4f, 0.5f, 0.9f, 0, 0});
  const RecordingSink::Record record = f_.Run(Ask("anything"));
  EXPECT_EQ(record.text(), "large answer");
  ASSERT_TRUE(record.starts.size() == 1 && record.starts[0].decision);
  EXPECT_EQ(record.starts[0].model, kLarge);
  EXPECT_EQ(record.starts[0].decision->role, "large");
  EXPECT_EQ(record.starts[0].decision->reason,
            "entropy of the small model's first 3 tokens 0.60 > 0.50: large model answers (rule "
            "cascade)");
  EXPECT_EQ(f_.small.cancel_calls(), 1) << "the small model goes on for nobody";
}

TEST_P(CascadeTest, AShortAnswerIsJudgedByWhatThereIs) {
  SmallSays({0.4f, 0.4f}, 2);
  EXPECT_EQ(f_.Run(Ask("anything")).text(), "small small ");
  SmallSays({0.4f, 0.8f}, 2);
  const RecordingSink::Record record = f_.Run(Ask("anything"));
  EXPECT_EQ(record.text(), "large answer");
  EXPECT_EQ(record.finishes.at(0).traffic.weight_bytes, 107) << "what was read in vain counts";
  SmallSays({}, 0);
  EXPECT_EQ(f_.Run(Ask("anything")).text(), "");
}

TEST_P(CascadeTest, ASmallModelInTroubleLeavesItToTheLargeOne) {
  SmallSays({});
  f_.small.Update(kSmall, [](FakeModel& model) {
    model.generate_refusal = ResourceExhausted("the queue is full");
  });
  RecordingSink::Record record = f_.Run(Ask("anything"));
  EXPECT_EQ(record.text(), "large answer");
  EXPECT_THAT(record.starts.at(0).decision->reason, HasSubstr("small model failed"));
  f_.small.Update(kSmall, [](FakeModel& model) {
    model.generate_refusal = Status();
    model.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens = {"x"};
      answer.error = Internal("broken");
      return answer;
    };
  });
  record = f_.Run(Ask("anything"));
  EXPECT_EQ(record.text(), "large answer");
  EXPECT_THAT(record.starts.at(0).decision->reason, HasSubstr("broken"));
}

TEST_P(CascadeTest, ALargeModelInTroubleIsAnError) {
  SmallSays({9, 9, 9});
  f_.large.Update(kLarge, [](FakeModel& model) { model.generate_refusal = Unavailable("gone"); });
  const RecordingSink::Record record = f_.Run(Ask("anything"));
  ASSERT_EQ(record.errors.size(), 1u);
  EXPECT_EQ(record.errors[0].code(), StatusCode::kUnavailable);
  EXPECT_TRUE(record.tokens.empty());
}

TEST(Cascade, CancelReachesWhoeverIsAtIt) {
  for (const int delivered : {1, 2, 4, 6}) {
    RouterFixture f(FakeBackend::Delivery::kManual);
    RouterOptions options = f.Options();
    options.policy = Policy("kind = \"cascade\"\n[cascade]\ntokens = 3\nentropy_max = 0.5\n");
    f.router = Router::Create(std::move(options), f.clock).value();
    f.small.Update(kSmall, [](FakeModel& model) {
      model.answer = [](const Request&) {
        FakeAnswer answer;
        answer.tokens.assign(9, "small ");
        answer.entropies.assign(9, 1.0f);
        return answer;
      };
    });
    auto sink = std::make_shared<RecordingSink>();
    auto generation = f.router->Generate(Ask("anything"), sink);
    ASSERT_TRUE(generation.ok());
    for (int i = 0; i < delivered; ++i) {
      if (!f.small.DeliverOne()) f.large.DeliverOne();
    }
    (*generation)->Cancel();
    f.DeliverAll();
    const RecordingSink::Record record = sink->record();
    EXPECT_TRUE(record.in_order);
    ASSERT_EQ(record.finishes.size(), 1u) << delivered;
    EXPECT_EQ(record.finishes[0].reason, FinishReason::kCancelled) << delivered;
    EXPECT_EQ(f.small.pending() + f.large.pending(), 0);
  }
}

TEST(Cascade, ManyAtOnce) {
  RouterFixture f(FakeBackend::Delivery::kThread);
  RouterOptions options = f.Options();
  options.policy = Policy("kind = \"cascade\"\n[cascade]\ntokens = 3\nentropy_max = 0.5\n");
  f.router = Router::Create(std::move(options), f.clock).value();
  f.small.Update(kSmall, [](FakeModel& model) {
    model.answer = [](const Request& request) {
      FakeAnswer answer;
      answer.tokens.assign(6, "small ");
      answer.entropies.assign(6, FakePromptText(request.prompt) == "sure" ? 0.1f : 1.0f);
      return answer;
    };
  });
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (int i = 0; i < 200; ++i) {
    sinks.push_back(std::make_shared<RecordingSink>());
    auto generation = f.router->Generate(Ask(i % 2 == 0 ? "sure" : "unsure"), sinks.back());
    ASSERT_TRUE(generation.ok());
    tickets.push_back(*generation);
    if (i % 5 == 0) tickets.back()->Cancel();
  }
  for (int i = 0; i < 200; ++i) {
    sinks[i]->Wait();
    const RecordingSink::Record record = sinks[i]->record();
    EXPECT_TRUE(record.in_order);
    EXPECT_EQ(record.finishes.size() + record.errors.size(), 1u);
    if (i % 5 == 0) continue;
    EXPECT_EQ(record.starts.at(0).model, i % 2 == 0 ? kSmall : kLarge);
  }
}

}  // namespace
}  // namespace aio
