// Whom a failure is put down to, and where a request goes then, over scripted servers.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "remote/remote_test_fixture.h"

namespace aio {
namespace {

using testing::HasSubstr;
using testing::Not;

class RemoteGenerationTest : public RemoteTest {
 protected:
  using Server = std::function<void(const std::shared_ptr<FakeHttpCall>&)>;

  static Server Refusing(int http_status, std::string body) {
    return [http_status, body = std::move(body)](const std::shared_ptr<FakeHttpCall>& call) {
      call->Head(http_status);
      call->Bytes(body);
      call->End();
    };
  }
  static ReplicaSpec Spec(int i) {
    ReplicaSpec spec;
    spec.url = Url(i);
    return spec;
  }
  // Replicas that were started with these strategies, which all answer.
  void ServeStrategies(const std::vector<std::string>& strategies, RemoteOptions options) {
    Serve(static_cast<int>(strategies.size()), std::move(options));
    std::vector<ReplicaSpec> specs;
    for (size_t i = 0; i < strategies.size(); ++i) {
      specs.push_back(Spec(static_cast<int>(i)));
      specs.back().strategy = strategies[i];
    }
    backend_->SetReplicas(specs);
  }
  static LabelQuery Labels() {
    LabelQuery query;
    query.suffix = "\n\nWhat is this about: code or qa?";
    query.labels = {{"code", "code"}, {"qa", "qa"}};
    return query;
  }
  // Null: not yet.
  std::shared_ptr<std::optional<Result<LabelScores>>> Probe() {
    auto scores = std::make_shared<std::optional<Result<LabelScores>>>();
    const auto begun = backend_->ScoreLabels(
        Ask("def f(x):"), Labels(), [scores](Result<LabelScores> given) { *scores = given; });
    EXPECT_TRUE(begun.ok());
    return scores;
  }
  static bool IsProbe(const std::shared_ptr<FakeHttpCall>& call) {
    return call->call().body->find("\"logprobs\"") != std::string::npos;
  }
  static Server AnswersProbes(Server others) {
    return [others = std::move(others)](const std::shared_ptr<FakeHttpCall>& call) {
      if (!IsProbe(call)) return others(call);
      call->Head(200);
      call->Bytes(R"(data: {"choices": [{"delta": {"content": "code"}, "logprobs": {"content": )"
                  R"([{"token": "code", "logprob": -0.1, "top_logprobs": []}]}, )"
                  R"("finish_reason": "length"}]})"
                  "\n\ndata: [DONE]\n\n");
      call->End();
    };
  }
};

constexpr const char* kServerError =
    R"({"error": {"code": 500, "message": "boom", "type": "server_error"}})";

TEST_F(RemoteGenerationTest, ARequestThatFailsEverywhereIsNoFaultOfTheReplicas) {
  Serve(3, Options());
  for (int i = 0; i < 3; ++i) network_.server(Url(i)).serve = Refusing(500, kServerError);
  for (int i = 0; i < 10; ++i) {
    const auto record = Generate(Ask("hello"));
    network_.RunFor(kSecond);
    EXPECT_EQ(record->error.code(), StatusCode::kUnavailable);
  }
  for (const ReplicaReading& replica : backend_->Replicas()) {
    EXPECT_EQ(replica.state, ReplicaState::kReady) << replica.key;
    EXPECT_EQ(replica.running, 0);
    EXPECT_EQ(replica.outstanding_tokens, 0);
  }
}

TEST_F(RemoteGenerationTest, AReplicaThatFailsWhereAnotherAnswersIsLeftAlone) {
  Serve(2, Options());
  network_.server(Url(0)).serve = Refusing(500, kServerError);
  for (int i = 0; i < 20; ++i) {
    const auto record = Generate(Ask("hello"));
    network_.RunFor(100 * kMs);
    EXPECT_EQ(record->text, "t0 t1 t2 t3 t4 ");
  }
  EXPECT_GE(backend_->Replicas()[0].ejections, 1);
  EXPECT_EQ(backend_->Replicas()[1].ejections, 0);
}

TEST_F(RemoteGenerationTest, WhatAnEjectedReplicaHoldsIsTakenUpByTheOther) {
  Serve(2, Options());
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    if (call->call().body->find("wait") == std::string::npos) Refusing(500, kServerError)(call);
  };
  backend_->SetReplicas({Spec(0)});
  std::vector<std::shared_ptr<EventRecord>> records;
  for (int i = 0; i < 5; ++i) {
    records.push_back(Generate(Ask("wait")));
    records.push_back(Generate(Ask("hello")));
  }
  network_.RunFor(kMs / 2);
  backend_->SetReplicas({Spec(0), Spec(1)});
  network_.RunFor(kSecond);
  EXPECT_EQ(backend_->Replicas()[0].ejections, 1);
  for (const auto& record : records) EXPECT_EQ(record->text, "t0 t1 t2 t3 t4 ");
}

TEST_F(RemoteGenerationTest, AHedgeNeedsAnotherThatMayBeAsked) {
  RemoteOptions options = Options();
  options.hedge_after = 50 * kMs;
  ServeStrategies({"plain", "prompt_lookup"}, options);
  network_.server(Url(0)).serve = [](const auto&) {};
  Request request = Ask("hello");
  request.sampling.min_p = 0.1f;
  Generate(request);
  network_.RunFor(kSecond);
  EXPECT_EQ(network_.calls_to(Url(0)), 1);
  EXPECT_EQ(network_.calls_to(Url(1)), 0);
}

TEST_F(RemoteGenerationTest, AProxysErrorIsTheReplicasFault) {
  Serve(1, Options());
  network_.server(Url(0)).serve = Refusing(502, "<html>Bad Gateway</html>");
  Generate(Ask("hello"));
  network_.RunFor(20 * kSecond);
  EXPECT_GE(backend_->Replicas()[0].failures, 3);
}

TEST_F(RemoteGenerationTest, AConversationThatTheTemplateRefusesIsTheClientsToMend) {
  Serve(3, Options());
  for (int i = 0; i < 3; ++i) {
    network_.server(Url(i)).serve = Refusing(
        500, R"({"error": {"code": 500, "type": "server_error", "message": "While executing )"
             R"(CallExpression at line 47: Jinja Exception: roles must alternate."}})");
  }
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->error.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(record->error.param(), "messages");
  EXPECT_EQ(network_.calls_to(Url(0)) + network_.calls_to(Url(1)) + network_.calls_to(Url(2)), 1);
}

TEST_F(RemoteGenerationTest, AnAnswerThatTheEngineGivesUpIsNotWhole) {
  Serve(1, Options());
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    call->Bytes(ChatEvent("half "));
    call->Bytes("data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"abort\"}]}\n\n");
    call->Bytes("data: [DONE]\n\n");
    call->End();
  };
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->finishes, 0);
  EXPECT_EQ(record->error.code(), StatusCode::kUnavailable);
}

TEST_F(RemoteGenerationTest, WhatAnEngineSaysOfItsAccountsStaysHere) {
  RemoteOptions options = Options();
  options.retries_max = 0;
  Serve(1, options);
  const auto error_of = [&](int http_status, const std::string& code) {
    network_.server(Url(0)).serve =
        Refusing(http_status, fmt::format(R"({{"error": {{"message": "org-77 at host-5 is over )"
                                          R"(its limit", "code": "{}"}}}})",
                                          code));
    const auto record = Generate(Ask("hello"));
    network_.RunFor(kSecond);
    EXPECT_THAT(record->error.message(), Not(HasSubstr("org-77")));
    EXPECT_THAT(record->error.message(), HasSubstr("large-model"));
    return record->error;
  };
  EXPECT_EQ(error_of(429, "rate_limit_exceeded").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(error_of(503, "overloaded").code(), StatusCode::kUnavailable);
  EXPECT_EQ(error_of(429, "insufficient_quota").reason(), "insufficient_quota");
  EXPECT_EQ(backend_->Replicas()[0].failures, 0);
}

TEST_F(RemoteGenerationTest, AProbeThatWaitsForOthersIsNoFaultOfTheReplica) {
  RemoteOptions options = Options();
  options.probe_timeout = kSecond;
  Serve(1, options);
  network_.server(Url(0)).serve = [this](const std::shared_ptr<FakeHttpCall>& call) {
    if (!IsProbe(call)) ServeChats(network_, 100, 100 * kMs)(call);
  };
  const auto answer = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  for (int i = 0; i < 5; ++i) Probe();
  network_.RunFor(2 * kSecond);
  EXPECT_EQ(backend_->Replicas()[0].failures, 0);
  EXPECT_EQ(backend_->Replicas()[0].state, ReplicaState::kReady);
  network_.RunFor(20 * kSecond);
  ASSERT_EQ(answer->finishes, 1);
  // Now nothing comes from it at all.
  for (int i = 0; i < 3; ++i) Probe();
  network_.RunFor(1100 * kMs);
  EXPECT_EQ(backend_->Replicas()[0].state, ReplicaState::kEjected);
}

TEST_F(RemoteGenerationTest, TheManyThatADeadReplicaLeavesComeToTheOthersOverSomeTime) {
  RemoteOptions options = Options();
  options.affinity = Affinity::kNone;
  options.health_interval = 500 * kMs;
  Serve(2, options);
  for (int i = 0; i < 2; ++i)
    network_.server(Url(i)).serve = [](const auto& call) { call->Head(200); };
  std::vector<std::shared_ptr<EventRecord>> records;
  for (int i = 0; i < 800; ++i) records.push_back(Generate(Ask("hello")));
  network_.RunFor(100 * kMs);
  const int before = network_.calls_to(Url(1));
  ASSERT_GE(network_.calls_to(Url(0)), 300);
  network_.server(Url(0)).partitioned = true;
  while (network_.calls_to(Url(1)) == before) network_.RunFor(kMs);
  network_.RunFor(10 * kMs);
  EXPECT_LE(network_.calls_to(Url(1)) - before, 150);
  network_.RunFor(6 * kSecond);
  EXPECT_EQ(network_.calls_to(Url(1)), 800) << "but none is left behind";
}

TEST_F(RemoteGenerationTest, AnEventOfSeveralTokensIsFasterThanOneOfOne) {
  Serve(1, Options());
  network_.server(Url(0)).serve = [this](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    for (int i = 0; i < 10; ++i) {
      network_.RunAt(network_.Now() + i * 40 * kMs, [call] { call->Bytes(ChatEvent("a b c d ")); });
    }
    network_.RunAt(network_.Now() + 400 * kMs, [call] {
      call->Bytes(ChatEnd(10, 40));
      call->End();
    });
  };
  Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_NEAR(backend_->Replicas()[0].token_ms, 360.0 / 39, 0.5);
}

TEST_F(RemoteGenerationTest, AnAnswerGoesWhereItsPromptIsWhateverTheStrategy) {
  ServeStrategies({"plain", "prompt_lookup"}, Options());
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = AnswersProbes(ServeChats(network_, 2, kMs));
  }
  const auto scores = Probe();
  network_.RunFor(kSecond);
  ASSERT_TRUE(scores->has_value() && (*scores)->ok());
  const int asked = network_.calls_to(Url(0)) > 0 ? 0 : 1;
  for (const StrategyKind kind : {StrategyKind::kPlain, StrategyKind::kPromptLookup}) {
    Request request = Ask("def f(x):");
    request.strategy = DefaultStrategy(kind);
    request.held_prompt = (**scores)->held_prompt;
    Generate(request);
    network_.RunFor(kSecond);
  }
  EXPECT_EQ(network_.calls_to(Url(asked)), 3);
}

TEST_F(RemoteGenerationTest, ProbesAreNoTriesOfAStrategy) {
  ServeStrategies({"plain", "prompt_lookup"}, Options());
  std::vector<std::string> answered;
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = AnswersProbes([&, i](const auto& call) {
      answered.push_back(Url(i));
      ServeChats(network_, 2, kMs)(call);
    });
  }
  Probe();
  network_.RunFor(kSecond);
  Generate(Ask("hello"));
  Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(answered, (std::vector<std::string>{Url(0), Url(1)})) << "in the order of their names";
}

TEST_F(RemoteGenerationTest, WhatVllmRefusesWhereItSpeculatesGoesWhereItDoesNot) {
  ServeStrategies({"prompt_lookup", "plain", "draft_model"}, Options());
  for (int i = 0; i < 10; ++i) {
    Request request = Ask("hello");
    if (i % 2 == 0) {
      request.sampling.min_p = 0.1f;
    } else {
      request.sampling.logit_bias = {{5, 1.0f}};
    }
    request.strategy = DefaultStrategy(StrategyKind::kPromptLookup);
    Generate(request);
    network_.RunFor(kSecond);
  }
  EXPECT_EQ(network_.calls_to(Url(1)), 10);
}

TEST_F(RemoteGenerationTest, AStreamThatHasBegunKeepsItsRequestNoLonger) {
  Serve(1, Options());
  std::shared_ptr<FakeHttpCall> call;
  network_.server(Url(0)).serve = [&](const std::shared_ptr<FakeHttpCall>& given) {
    call = given;
    ServeChats(network_, 50, 100 * kMs)(given);
  };
  Generate(Ask("hello"));
  network_.RunFor(kSecond);
  ASSERT_NE(call, nullptr);
  EXPECT_TRUE(call->is_open());
  EXPECT_EQ(call->call().body.use_count(), 1) << "the call's own";
}

TEST_F(RemoteGenerationTest, AlternativesCountTowardsTheLongestAnswer) {
  Serve(1, Options());
  std::string tops;
  for (int i = 0; i < 128; ++i) tops += R"(,{"token":"a","logprob":-1})";
  std::string tokens;
  for (int i = 0; i < 100; ++i) {
    tokens += R"(,{"token":"a","logprob":-1,"top_logprobs":[)" + tops.substr(1) + "]}";
  }
  const std::string event = R"(data: {"choices": [{"delta": {"content": "a"}, "logprobs": )"
                            R"({"content": [)" +
                            tokens.substr(1) + "]}}]}\n\n";
  network_.server(Url(0)).serve = [event](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    for (int i = 0; i < 45; ++i) call->Bytes(event);
    call->Bytes(ChatEnd(1, 1));
    call->End();
  };
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->finishes, 0);
  EXPECT_EQ(record->errors, 1);
}

}  // namespace
}  // namespace aio
