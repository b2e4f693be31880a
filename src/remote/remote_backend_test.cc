#include "remote/remote_backend.h"

#include <nlohmann/json.hpp>

#include "remote/remote_test_fixture.h"

namespace aio {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

class RemoteBackendTest : public RemoteTest {};

TEST_F(RemoteBackendTest, BringsAStreamedAnswerWithItsUsage) {
  Serve(1, Options());
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->text, "t0 t1 t2 t3 t4 ");
  EXPECT_EQ(record->starts, 1);
  EXPECT_EQ(record->finishes, 1);
  EXPECT_FALSE(record->after_end);
  EXPECT_EQ(record->start.model, "large-model") << "not what the engine calls it";
  EXPECT_EQ(record->finish.usage.prompt_tokens, 10);
  EXPECT_EQ(record->finish.usage.completion_tokens, 5);
  EXPECT_EQ(network_.open_calls(), 0);
  EXPECT_EQ(backend_->Replicas()[0].running, 0);
  EXPECT_EQ(backend_->Replicas()[0].outstanding_tokens, 0);
}

TEST_F(RemoteBackendTest, SendsWhatWasAskedInTheEnginesWords) {
  Serve(1, Options());
  Json sent;
  std::string path;
  network_.server(Url(0)).serve = [&](const std::shared_ptr<FakeHttpCall>& call) {
    sent = Json::parse(*call->call().body);
    path = call->call().url;
    call->Head(200);
    call->Bytes(ChatEnd(1, 0));
    call->End();
  };
  Request request = Ask("hi");
  request.sampling.temperature = 0.5;
  request.sampling.top_k = 7;
  request.sampling.max_tokens = 9;
  request.sampling.seed = ~uint64_t{0};
  request.sampling.repetition_penalty = 1.5;
  request.tools = R"([{"type": "function", "function": {"name": "add"}}])";
  request.vendor_fields = {{"guided_decoding_backend", R"({"b": 1, "a": 2})", ""}};
  request.format = {AnswerFormatKind::kJsonSchema, R"({"type": "object"})", "response_format"};
  Generate(request);
  network_.RunFor(kSecond);
  EXPECT_EQ(path, "http://r0/v1/chat/completions");
  EXPECT_EQ(sent["model"], "served");
  EXPECT_EQ(sent["messages"], Json::parse(R"([{"role": "user", "content": "hi"}])"));
  EXPECT_EQ(sent["temperature"], 0.5);
  EXPECT_EQ(sent["top_k"], 7);
  EXPECT_EQ(sent["max_tokens"], 9);
  EXPECT_EQ(sent["seed"], 0x7fffffffffffffff) << "engines take 63 bits";
  EXPECT_EQ(sent["repetition_penalty"], 1.5);
  EXPECT_EQ(sent["tools"][0]["function"]["name"], "add");
  EXPECT_EQ(sent["guided_decoding_backend"]["a"], 2) << "unknown fields as they came";
  EXPECT_EQ(sent["response_format"]["json_schema"]["schema"]["type"], "object");
  EXPECT_EQ(sent["stream"], true);
  EXPECT_EQ(sent["stream_options"]["include_usage"], true);
  EXPECT_EQ(sent["top_p"], 1) << "the engine's own default may be another";
  EXPECT_EQ(sent["min_p"], 0);
}

TEST_F(RemoteBackendTest, RefusesWhatTheEngineHasNoFieldFor) {
  RemoteOptions options = Options();
  options.profile = *FindEngineProfile("openai");
  Serve(1, options);
  Request request = Ask("hi");
  request.sampling.top_k = 7;
  const auto record = std::make_shared<EventRecord>();
  const Status refused = backend_->Generate(request, record).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(refused.param(), "top_k");
  EXPECT_THAT(refused.message(), HasSubstr("openai"));
  EXPECT_EQ(record->ends(), 0);
}

TEST_F(RemoteBackendTest, NothingOfAClientEndsAMemberOfTheBody) {
  Serve(1, Options());
  Request request = Ask("hi");
  request.format = {AnswerFormatKind::kJsonSchema,
                    R"({}}},"model":"other","stream":false,"x":{"a":{"b":{})", "guided_json"};
  EXPECT_EQ(backend_->Generate(request, std::make_shared<EventRecord>()).status().param(),
            "guided_json");
  request.format = {AnswerFormatKind::kChoice, "[1]", "guided_choice"};
  EXPECT_EQ(backend_->Generate(request, std::make_shared<EventRecord>()).status().param(),
            "guided_choice");
  request.format = {};
  request.vendor_fields = {{"kv_transfer_params", "{}", ""}};
  EXPECT_EQ(backend_->Generate(request, std::make_shared<EventRecord>()).status().param(),
            "kv_transfer_params");
}

TEST_F(RemoteBackendTest, CallsOfToolsComeWhole) {
  Serve(1, Options());
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    for (const char* piece :
         {R"({"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}})",
          R"({"index": 0, "function": {"arguments": "{\"a\": "}})",
          R"({"index": 0, "function": {"arguments": "1}"}})"}) {
      call->Bytes(R"(data: {"choices": [{"delta": {"tool_calls": [)" + std::string(piece) +
                  "]}}]}\n\n");
    }
    call->Bytes("data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"tool_calls\"}]}\n\n");
    call->Bytes("data: [DONE]\n\n");
    call->End();
  };
  const auto record = Generate(Ask("1 + 1?"));
  network_.RunFor(kSecond);
  ASSERT_EQ(record->calls.size(), 1u);
  EXPECT_EQ(record->calls[0], (ToolCall{"c1", "add", R"({"a": 1})"}));
  EXPECT_EQ(record->finishes, 1);
}

TEST_F(RemoteBackendTest, CallsThatShareAnIndexAreToldApartByTheirIds) {
  Serve(1, Options());
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    for (const char* piece :
         {R"({"index": 0, "id": "c1", "function": {"name": "add", "arguments": "{\"x\":1}"}})",
          R"({"index": 0, "id": "c2", "function": {"name": "sub", "arguments": "{\"y\""}})",
          R"({"index": 0, "function": {"arguments": ":2}"}})"}) {
      call->Bytes(R"(data: {"choices": [{"delta": {"tool_calls": [)" + std::string(piece) +
                  "]}}]}\n\n");
    }
    call->Bytes("data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"tool_calls\"}]}\n\n");
    // After all has been told, too.
    call->Bytes(R"(data: {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c3"}]}}]})"
                "\n\n");
    call->Bytes("data: [DONE]\n\n");
    call->End();
  };
  const auto record = Generate(Ask("1 + 1?"));
  network_.RunFor(kSecond);
  ASSERT_EQ(record->calls.size(), 2u);
  EXPECT_EQ(record->calls[0], (ToolCall{"c1", "add", R"({"x":1})"}));
  EXPECT_EQ(record->calls[1], (ToolCall{"c2", "sub", R"({"y":2})"}));
  EXPECT_EQ(record->finishes, 1);
}

TEST_F(RemoteBackendTest, AnAnswerThatIsDoneNeedsNoEndOfItsResponse) {
  Serve(1, Options());
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    call->Bytes(ChatEvent("all of it"));
    call->Bytes(ChatEnd(7, 3));
    call->Bytes("data: [DONE]\n\n");
  };
  for (const bool whole : {false, true}) {
    Request request = Ask("hello");
    request.whole = whole;
    const auto record = Generate(request);
    network_.RunFor(5 * kSecond);
    EXPECT_EQ(record->text, "all of it");
    EXPECT_EQ(record->finishes, 1);
    EXPECT_EQ(record->finish.usage.prompt_tokens, 7);
  }
  EXPECT_EQ(network_.calls_to(Url(0)), 2) << "none was asked again";
  EXPECT_EQ(network_.open_calls(), 0);
}

TEST_F(RemoteBackendTest, AnotherReplicaAnswersWhenOneRefuses) {
  Serve(2, Options());
  network_.server(Url(0)).refuses = true;
  for (int i = 0; i < 8; ++i) {
    const auto record = Generate(Ask("hello"));
    network_.RunFor(kSecond);
    EXPECT_EQ(record->text, "t0 t1 t2 t3 t4 ");
    EXPECT_EQ(record->finishes, 1);
  }
  EXPECT_EQ(network_.calls_to(Url(1)), 8);
}

TEST_F(RemoteBackendTest, AnotherReplicaAnswersWhenOneBreaksOffBeforeItsFirstToken) {
  Serve(2, Options());
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = [this, i](const std::shared_ptr<FakeHttpCall>& call) {
      if (network_.calls_to(Url(1 - i)) > 0) return ServeChats(network_, 3, kMs)(call);
      call->Head(200);
      // The role comes first and says nothing yet.
      call->Bytes("data: {\"choices\": [{\"delta\": {\"role\": \"assistant\"}}]}\n\n");
      call->Reset();
    };
  }
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->text, "t0 t1 t2 ");
  EXPECT_EQ(record->starts, 1);
  EXPECT_EQ(record->finishes, 1);
}

TEST_F(RemoteBackendTest, AnAnswerThatBreaksOffIsNeverBegunAgain) {
  Serve(2, Options());
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
      call->Head(200);
      call->Bytes(ChatEvent("half "));
      call->Reset();
    };
  }
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->text, "half ");
  EXPECT_EQ(record->errors, 1);
  EXPECT_EQ(record->error.code(), StatusCode::kUnavailable);
  EXPECT_EQ(network_.calls_to(Url(0)) + network_.calls_to(Url(1)), 1);
}

TEST_F(RemoteBackendTest, AnAnswerThatNobodyHasSeenIsBegunAgain) {
  Serve(2, Options());
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = [this, i](const std::shared_ptr<FakeHttpCall>& call) {
      if (network_.calls_to(Url(1 - i)) > 0) return ServeChats(network_, 3, kMs)(call);
      call->Head(200);
      call->Bytes(ChatEvent("half "));
      call->Reset();
    };
  }
  Request request = Ask("hello");
  request.whole = true;
  const auto record = Generate(request);
  network_.RunFor(kSecond);
  EXPECT_EQ(record->text, "t0 t1 t2 ");
  EXPECT_EQ(record->starts, 1);
  EXPECT_EQ(record->finishes, 1);
  EXPECT_FALSE(record->after_end);
}

TEST_F(RemoteBackendTest, WhatTheClientSentIsRefusedByOneAndAskedOfNoOther) {
  Serve(3, Options());
  for (int i = 0; i < 3; ++i) {
    network_.server(Url(i)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
      call->Head(400);
      call->Bytes(R"({"error": {"message": "maximum context length is 5", "code": 400}})");
      call->End();
    };
  }
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->error.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(record->error.reason(), "context_length_exceeded");
  int calls = 0;
  for (int i = 0; i < 3; ++i) calls += network_.calls_to(Url(i));
  EXPECT_EQ(calls, 1);
}

TEST_F(RemoteBackendTest, AKeyThatTheEngineRefusesIsNotTheClientsFault) {
  RemoteOptions options = Options();
  options.retries_max = 0;
  Serve(1, options);
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(401);
    call->Bytes(R"({"error": "Unauthorized"})");
    call->End();
  };
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->error.code(), StatusCode::kUnavailable);
  EXPECT_THAT(record->error.message(), HasSubstr("HTTP 401"));
}

TEST_F(RemoteBackendTest, WhenAllAreBusyThatIsWhatTheClientIsTold) {
  Serve(2, Options());
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
      call->Head(429, std::chrono::seconds(1));
      call->Bytes(R"({"error": {"message": "queue full"}})");
      call->End();
    };
  }
  const auto record = Generate(Ask("hello"));
  network_.RunFor(20 * kSecond);
  EXPECT_EQ(record->error.code(), StatusCode::kResourceExhausted);
  for (const ReplicaReading& replica : backend_->Replicas()) {
    EXPECT_EQ(replica.state, ReplicaState::kReady) << "busy is not broken";
  }
}

TEST_F(RemoteBackendTest, CancelEndsItAtTheEngine) {
  Serve(1, Options(), 100);
  const auto record = Generate(Ask("hello"));
  network_.RunFor(100 * kMs);
  EXPECT_EQ(network_.open_calls(), 1);
  ticket_->Cancel();
  ticket_->Cancel();
  network_.RunFor(10 * kMs);
  EXPECT_EQ(network_.open_calls(), 0);
  EXPECT_EQ(record->finishes, 1);
  EXPECT_EQ(record->finish.reason, FinishReason::kCancelled);
  EXPECT_EQ(backend_->Replicas()[0].outstanding_tokens, 0);
}

TEST_F(RemoteBackendTest, ADeadlineEndsIt) {
  Serve(1, Options(), 100);
  Request request = Ask("hello");
  request.deadline = network_.Now() + 200 * kMs;
  const auto record = Generate(request);
  network_.RunFor(300 * kMs);
  EXPECT_EQ(record->error.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(network_.open_calls(), 0);
}

TEST_F(RemoteBackendTest, AnEngineThatSaysNothingIsGivenUp) {
  RemoteOptions options = Options();
  options.first_token_timeout = 5 * kSecond;
  options.retries_max = 0;
  Serve(1, options);
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
  };
  const auto record = Generate(Ask("hello"));
  network_.RunFor(6 * kSecond);
  EXPECT_EQ(record->error.code(), StatusCode::kUnavailable);
  EXPECT_EQ(network_.open_calls(), 0);
}

TEST_F(RemoteBackendTest, AnotherReplicaAnswersForOneThatSaysNothing) {
  RemoteOptions options = Options();
  options.first_token_timeout = 5 * kSecond;
  Serve(2, options);
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = [this, i](const std::shared_ptr<FakeHttpCall>& call) {
      if (network_.calls_to(Url(1 - i)) > 0) ServeChats(network_, 2, kMs)(call);
    };
  }
  const auto record = Generate(Ask("hello"));
  network_.RunFor(6 * kSecond);
  EXPECT_EQ(record->text, "t0 t1 ");
  EXPECT_EQ(network_.open_calls(), 0);
}

TEST_F(RemoteBackendTest, AnEngineThatFallsSilentIsGivenUp) {
  RemoteOptions options = Options();
  options.silence_timeout = 3 * kSecond;
  Serve(1, options);
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    call->Bytes(ChatEvent("half "));
  };
  const auto record = Generate(Ask("hello"));
  network_.RunFor(4 * kSecond);
  EXPECT_EQ(record->errors, 1);
  EXPECT_THAT(record->error.message(), HasSubstr("silent"));
  EXPECT_EQ(network_.open_calls(), 0);
}

TEST_F(RemoteBackendTest, WithoutAReplicaThereIsNoAnswer) {
  Serve(0, Options());
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->error.code(), StatusCode::kUnavailable);
  EXPECT_THAT(record->error.message(), HasSubstr("large-model"));
}

TEST_F(RemoteBackendTest, WhatRunsWhenItGoesEnds) {
  Serve(1, Options(), 1000);
  const auto record = Generate(Ask("hello"));
  network_.RunFor(100 * kMs);
  CloseBackend();
  EXPECT_EQ(record->errors, 1);
  EXPECT_EQ(record->error.code(), StatusCode::kCancelled);
  network_.RunFor(kSecond);
  EXPECT_EQ(network_.open_calls(), 0);
}

TEST_F(RemoteBackendTest, AHedgeAnswersWhenTheFirstIsSlow) {
  RemoteOptions options = Options();
  options.hedge_after = 100 * kMs;
  Serve(2, options);
  for (int i = 0; i < 2; ++i) {
    network_.server(Url(i)).serve = [this, i](const std::shared_ptr<FakeHttpCall>& call) {
      const bool is_first = network_.calls_to(Url(1 - i)) == 0;
      ServeChats(network_, 3, is_first ? 2 * kSecond : 10 * kMs)(call);
    };
  }
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->text, "t0 t1 t2 ");
  EXPECT_EQ(record->finishes, 1);
  EXPECT_EQ(network_.open_calls(), 0) << "the slow one has been given up";
}

// What a vLLM says of the next token.
std::string ProbeAnswer(const std::string& top) {
  return R"(data: {"choices": [{"delta": {"content": "code"}, "logprobs": {"content": [)"
         R"({"token": "code", "logprob": -0.1, "top_logprobs": [)" +
         top + "]}]}, \"finish_reason\": \"length\"}]}\n\ndata: [DONE]\n\n";
}

LabelQuery Labels() {
  LabelQuery query;
  query.suffix = "\n\nWhat is this about: code, qa or math?";
  query.labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}};
  return query;
}

class RemoteProbeTest : public RemoteTest {
 protected:
  Result<LabelScores> Probe(const std::string& top) {
    Serve(3, Options());
    for (int i = 0; i < 3; ++i) {
      network_.server(Url(i)).serve = [this, top](const std::shared_ptr<FakeHttpCall>& call) {
        sent_ = Json::parse(*call->call().body);
        call->Head(200);
        call->Bytes(ProbeAnswer(top));
        call->End();
      };
    }
    std::optional<Result<LabelScores>> scores;
    const auto started = backend_->ScoreLabels(
        Ask("def f(x):"), Labels(), [&](Result<LabelScores> given) { scores = std::move(given); });
    EXPECT_TRUE(started.ok());
    network_.RunFor(kSecond);
    return scores ? *std::move(scores) : Internal("never called");
  }

  Json sent_;
};

TEST_F(RemoteProbeTest, ReadsTheLabelsFromOneToken) {
  const auto scores =
      Probe(R"({"token": "code", "logprob": -0.1}, {"token": " qa", "logprob": -3}, )"
            R"({"token": "The", "logprob": -4}, {"token": "ma", "logprob": -5})");
  ASSERT_TRUE(scores.ok()) << scores.status().ToString();
  ASSERT_EQ(scores->logits.size(), 3u);
  EXPECT_NEAR(scores->logits[0], -0.1, 1e-4);
  EXPECT_NEAR(scores->logits[1], -3, 1e-4);
  EXPECT_NEAR(scores->logits[2], -5, 1e-4) << "a token may be the beginning of a word";
  EXPECT_EQ(sent_["max_tokens"], 1);
  EXPECT_EQ(sent_["temperature"], 0);
  EXPECT_EQ(sent_["top_logprobs"], 20);
  EXPECT_EQ(sent_["structured_outputs"]["choice"], Json::parse(R"(["code", "qa", "math"])"));
  EXPECT_EQ(sent_["messages"][0]["content"], "def f(x):\n\nWhat is this about: code, qa or math?");
}

TEST_F(RemoteProbeTest, LabelsThatAreNotToldGetTheirUpperBound) {
  // Left of 1: 1 - 0.9 - 0.05 = 0.05; the least told: 0.05.
  const auto scores = Probe(R"({"token": "code", "logprob": -0.105361}, )"
                            R"({"token": "The", "logprob": -2.995732})");
  ASSERT_TRUE(scores.ok());
  EXPECT_NEAR(std::exp(scores->logits[1]), 0.05, 1e-3);
  EXPECT_NEAR(std::exp(scores->logits[2]), 0.05, 1e-3);
}

TEST_F(RemoteProbeTest, TheAnswerGoesWhereThePromptIs) {
  const auto scores = Probe(R"({"token": "code", "logprob": -0.1})");
  ASSERT_TRUE(scores.ok());
  int asked = 0;
  while (network_.calls_to(Url(asked)) == 0) ++asked;
  for (int i = 0; i < 3; ++i) network_.server(Url(i)).serve = ServeChats(network_, 2, kMs);
  for (int i = 0; i < 5; ++i) {
    Request request = Ask("def f(x):");
    request.held_prompt = scores->held_prompt;
    Generate(request);
    network_.RunFor(kSecond);
  }
  EXPECT_EQ(network_.calls_to(Url(asked)), 6);
}

TEST_F(RemoteProbeTest, WordsThatCannotBeToldApartAreRefused) {
  Serve(1, Options());
  LabelQuery query = Labels();
  query.labels[1].word = "co";
  EXPECT_THAT(backend_->ValidateLabels("large-model", query).message(), HasSubstr("'co'"));
  query = Labels();
  query.prefix = "x";
  EXPECT_THAT(backend_->ValidateLabels("large-model", query).message(), HasSubstr("prefix"));
  EXPECT_TRUE(backend_->ValidateLabels("large-model", Labels()).ok());
}

TEST_F(RemoteProbeTest, AProbeHasItsTimeForAllItsTries) {
  Serve(3, Options());
  for (int i = 0; i < 3; ++i) {
    network_.server(Url(i)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
      call->Head(200);
    };
  }
  std::optional<Result<LabelScores>> scores;
  ASSERT_TRUE(backend_
                  ->ScoreLabels(Ask("def f(x):"), Labels(),
                                [&](Result<LabelScores> given) { scores = std::move(given); })
                  .ok());
  network_.RunFor(6 * kSecond);
  ASSERT_TRUE(scores.has_value());
  EXPECT_EQ(scores->status().code(), StatusCode::kUnavailable) << "the model's fault";
}

TEST_F(RemoteBackendTest, AClientThatReadsSlowlyIsNoFaultOfTheReplicas) {
  RemoteOptions options = Options();
  options.silence_timeout = 2 * kSecond;
  Serve(1, options, 20);
  const auto record = Generate(Ask("hello"));
  network_.RunFor(100 * kMs);
  ticket_->SetPaused(true);
  network_.RunFor(60 * kSecond);
  EXPECT_EQ(record->errors, 0) << "the silence was wanted";
  ticket_->SetPaused(false);
  network_.RunFor(kSecond);
  EXPECT_EQ(record->ends(), 1);
  EXPECT_EQ(backend_->Replicas()[0].token_ms, 0) << "nothing is learnt of its speed";
  EXPECT_EQ(backend_->Replicas()[0].failures, 0);
}

TEST_F(RemoteBackendTest, ATicketMayOutliveItsBackend) {
  Serve(1, Options(), 3);
  Generate(Ask("hello"));
  network_.RunFor(kSecond);
  CloseBackend();
  ticket_->SetPaused(false);
  ticket_->Cancel();
}

TEST_F(RemoteBackendTest, SaysWhatItCannotTell) {
  Serve(1, Options());
  const ModelInfo info = backend_->Models().at(0);
  EXPECT_FALSE(info.tells_entropies);
  EXPECT_FALSE(info.counts_exactly);
}

TEST_F(RemoteBackendTest, TokenIdsAreCountedAndTellNothingOfTexts) {
  Serve(1, Options());
  const Request text = Ask(std::string(1000, 'x'));
  const int before = backend_->CountPromptTokens(text).value();
  Request ids = Ask("");
  ids.prompt = std::vector<int32_t>(1000, 7);
  EXPECT_EQ(backend_->CountPromptTokens(ids).value(), 1000);
  for (int i = 0; i < 20; ++i) {
    Generate(ids);
    network_.RunFor(kSecond);
  }
  EXPECT_EQ(backend_->CountPromptTokens(text).value(), before);
}

TEST_F(RemoteBackendTest, WhatCannotFitIsNotSentToBeCut) {
  RemoteOptions options = Options();
  options.context_length = 100;
  Serve(1, options);
  const auto begun =
      backend_->Generate(Ask(std::string(1001, 'x')), std::make_shared<EventRecord>());
  EXPECT_EQ(begun.status().reason(), "context_length_exceeded");
  EXPECT_EQ(begun.status().param(), "messages");
  EXPECT_TRUE(backend_->Generate(Ask(std::string(900, 'x')), std::make_shared<EventRecord>()).ok())
      << "may be";
}

TEST_F(RemoteBackendTest, TellsTheStopStringThatTheEngineNames) {
  Serve(1, Options());
  network_.server(Url(0)).serve = [](const std::shared_ptr<FakeHttpCall>& call) {
    call->Head(200);
    call->Bytes(
        "data: {\"choices\": [{\"delta\": {\"content\": \"a\"}, \"finish_reason\": "
        "\"stop\", \"stop_reason\": \"END\"}]}\n\ndata: [DONE]\n\n");
    call->End();
  };
  const auto record = Generate(Ask("hello"));
  network_.RunFor(kSecond);
  EXPECT_EQ(record->finish.stop_string, "END");
}

TEST_F(RemoteProbeTest, AWindowIsRefusedAndNotIgnored) {
  Serve(1, Options());
  LabelQuery query = Labels();
  query.window_tokens = 512;
  EXPECT_THAT(backend_->ValidateLabels("large-model", query).message(),
              HasSubstr("leave window_tokens out"));
}

}  // namespace
}  // namespace aio
