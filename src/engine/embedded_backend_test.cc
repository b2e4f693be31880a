// EmbeddedBackend: what it refuses, how requests live and end.
#include "engine/embedded_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TestModelSpec LongContext() {
  TestModelSpec spec;
  spec.context_length = 4096;
  return spec;
}

const EmbeddedModel& Small() {
  static const EmbeddedModel model = MakeTinyModel("tiny", "small", LongContext());
  return model;
}

const EmbeddedModel& Large() {
  static const EmbeddedModel model = [] {
    TestModelSpec spec;
    spec.architecture = "qwen2";
    spec.num_layers = 3;
    spec.seed = 2;
    return MakeTinyModel("less-tiny", "large", spec);
  }();
  return model;
}

class EmbeddedBackendTest : public testing::Test {
 protected:
  void Start(EngineOptions options = {}, std::vector<EmbeddedModel> models = {Small()}) {
    options.num_threads = 1;
    backend_ = EmbeddedBackend::Create(std::move(models), options, clock_).value();
  }

  // Text "x", greedy, and as many tokens as it may be.
  static Request Ask(int max_tokens) {
    Request request;
    request.model = "tiny";
    request.prompt = std::string("x");
    request.sampling.temperature = 0;
    request.sampling.ignore_eos = true;
    request.sampling.max_tokens = max_tokens;
    return request;
  }

  ModelLoad Load(int model = 0) { return backend_->Load().at(model); }

  // Returns when the engine has handled everything that was posted before.
  void WaitForEngine() { EXPECT_EQ(GenerateAndWait(*backend_, Ask(1)).num_ends, 1); }

  // A running generation whose OnStart() waits, and the engine with it, until Open().
  class Gate {
   public:
    explicit Gate(Backend& backend, int max_tokens = 1) {
      sink_->on_start = [this] {
        started_.set_value();
        open_.get_future().wait();
      };
      EXPECT_TRUE(backend.Generate(Ask(max_tokens), sink_).ok());
      started_.get_future().wait();
    }
    void Open() { open_.set_value(); }
    CollectedAnswer Wait() { return sink_->Wait(); }

   private:
    std::promise<void> started_;
    std::promise<void> open_;
    std::shared_ptr<CollectingSink> sink_ = std::make_shared<CollectingSink>();
  };

  ManualClock clock_;
  std::unique_ptr<EmbeddedBackend> backend_;
};

// --- Creation

TEST_F(EmbeddedBackendTest, OptionsAndModelsAreChecked) {
  const auto create = [&](std::vector<EmbeddedModel> models, EngineOptions options) {
    return EmbeddedBackend::Create(std::move(models), options, clock_).status();
  };
  EXPECT_THAT(create({}, {}).message(), HasSubstr("at least one model"));
  EXPECT_THAT(create({Small(), Small()}, {}).message(), HasSubstr("\"tiny\" is given twice"));
  EmbeddedModel second = Large();
  second.role = "small";
  EXPECT_THAT(create({Small(), second}, {}).message(), HasSubstr("\"small\" is given twice"));
  second.name = "small";
  second.role = "large";
  EXPECT_THAT(create({Small(), second}, {}).message(), HasSubstr("\"small\" is given twice"));
  EXPECT_THAT(create({Small()}, {.max_running = 0}).message(), HasSubstr("max_running is 0"));
  EXPECT_EQ(create({Small()}, {.kv_cache_tokens = -1}).param(), "kv_cache_tokens");
}

TEST_F(EmbeddedBackendTest, ListsItsModels) {
  Start({.kv_cache_tokens = 1000}, {Small(), Large()});
  const std::vector<ModelInfo> models = backend_->Models();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "tiny");
  EXPECT_EQ(models[0].role, "small");
  EXPECT_EQ(models[0].architecture, "llama");
  EXPECT_EQ(models[0].context_length, 1024);  // the KV cache, in whole blocks
  EXPECT_EQ(models[1].context_length, 512);   // the model's
  EXPECT_EQ(models[1].vocabulary_size, kTinyVocabulary);
  EXPECT_NE(models[1].vocabulary_fingerprint, 0u);
  EXPECT_EQ(models[1].vocabulary_fingerprint, models[0].vocabulary_fingerprint);
  EXPECT_GT(models[1].parameters, 0);
  EXPECT_EQ(models[0].fingerprint.size(), 64u);
  EXPECT_NE(models[1].fingerprint, models[0].fingerprint);
  EXPECT_EQ(Load().kv_blocks_total, 32);
}

// Since models take turns, an idle one knows what a step of it costs too.
TEST_F(EmbeddedBackendTest, TellsWhatAStepTakes) {
  SystemClock clock;
  auto backend = EmbeddedBackend::Create({Small()}, EngineOptions(), clock).value();
  EXPECT_GT(backend->Load().at(0).step_ms, 0);
  EXPECT_EQ(backend->Load().at(0).tokens_per_second, 0);
  EXPECT_EQ(GenerateAndWait(*backend, Ask(20)).num_ends, 1);
  EXPECT_GT(backend->Load().at(0).tokens_per_second, 0);
}

TEST_F(EmbeddedBackendTest, TellsTheEntropyOfTheFirstTokensIfAsked) {
  Start();
  Request request = Ask(8);
  EXPECT_TRUE(GenerateAndWait(*backend_, request).entropies.empty());
  request.token_entropies_max = 5;
  const CollectedAnswer answer = GenerateAndWait(*backend_, request);
  const std::vector<float>& entropies = answer.entropies;
  ASSERT_EQ(entropies.size(), 5u);
  for (const float entropy : entropies) {
    EXPECT_GT(entropy, 0.0f);
    EXPECT_LE(entropy, std::log(static_cast<float>(kTinyVocabulary)));
  }
  request.strategy = DefaultStrategy(StrategyKind::kPromptLookup);
  EXPECT_EQ(GenerateAndWait(*backend_, request).entropies, entropies) << "to the bit";
  request.strategy.reset();
  request.token_entropies_max = 0;
  EXPECT_EQ(Transcript(GenerateAndWait(*backend_, request)), Transcript(answer));
}

// --- Refusals

TEST_F(EmbeddedBackendTest, UnknownModelsAreNotFound) {
  Start({}, {Small(), Large()});
  Request request = Ask(1);
  request.model = "gpt-7";
  for (const Status& status :
       {GenerateAndWait(*backend_, request).error, backend_->CountPromptTokens(request).status(),
        backend_->Decide(request, [](const Result<Decision>&) {}),
        backend_->ScoreLabels(request, {}, [](const Result<LabelScores>&) {}).status(),
        backend_->ValidateLabels("gpt-7", {})}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_EQ(status.reason(), "model_not_found");
    EXPECT_EQ(status.param(), "model");
    EXPECT_THAT(status.message(), AllOf(HasSubstr("\"gpt-7\""), HasSubstr("\"tiny\" (small)"),
                                        HasSubstr("\"less-tiny\" (large)")));
  }
}

TEST_F(EmbeddedBackendTest, BadParametersAreRefusedBeforeAnythingRuns) {
  Start();
  const auto expect_refused = [&](const Request& request, const std::string& param) {
    EXPECT_EQ(GenerateAndWait(*backend_, request).error.param(), param);
    EXPECT_EQ(backend_->Decide(request, [](const Result<Decision>&) {}).param(), param);
    const LabelQuery labels{"", "\n", {{"a", "x"}}};
    EXPECT_EQ(ScoreLabelsAndWait(*backend_, request, labels).status().param(), param);
  };
  Request request = Ask(1);
  request.sampling.temperature = -1;
  expect_refused(request, "temperature");
  request = Ask(1);
  request.sampling.logit_bias = {{kTinyVocabulary, 1}};
  expect_refused(request, "logit_bias");
  request = Ask(1);
  request.strategy = Strategy{StrategyKind::kPromptLookup, 0, 0, 0};
  expect_refused(request, "strategy.prompt_lookup_max");
  request = Ask(1);
  request.prompt = std::vector<int32_t>{kTinyVocabulary};
  expect_refused(request, "prompt");
  EXPECT_EQ(Load().waiting, 0);
}

TEST_F(EmbeddedBackendTest, TheContextIsABound) {
  Start({.kv_cache_tokens = 64});
  Request request = Ask(61);
  request.prompt = std::vector<int32_t>(4, 'x');
  const Status status = GenerateAndWait(*backend_, request).error;
  EXPECT_EQ(status.reason(), "context_length_exceeded");
  EXPECT_THAT(status.message(), HasSubstr("65 tokens (4 in the prompt, 61 in the completion)"));
  request.sampling.max_tokens = 60;
  EXPECT_EQ(GenerateAndWait(*backend_, request).tokens.size(), 60u);
  request.sampling.max_tokens.reset();
  const CollectedAnswer answer = GenerateAndWait(*backend_, request);
  EXPECT_EQ(answer.finish->usage.completion_tokens, 60);
  EXPECT_EQ(answer.finish->reason, FinishReason::kLength);
  request.prompt = std::vector<int32_t>(64, 'x');
  EXPECT_EQ(GenerateAndWait(*backend_, request).error.reason(), "context_length_exceeded");
  const LabelQuery labels{"", "\n", {{"a", "x"}}};
  EXPECT_EQ(ScoreLabelsAndWait(*backend_, request, labels).status().reason(),
            "context_length_exceeded");
  request.prompt = std::vector<int32_t>(63, 'x');  // 64 with the suffix
  EXPECT_TRUE(ScoreLabelsAndWait(*backend_, request, labels).ok());
  // Far too long: refused before it is encoded, and counted as no less than the context.
  request.prompt = std::string(1 << 20, 'x');
  EXPECT_THAT(GenerateAndWait(*backend_, request).error.message(), HasSubstr("tokens or more"));
  EXPECT_EQ(ScoreLabelsAndWait(*backend_, request, labels).status().reason(),
            "context_length_exceeded");
  EXPECT_GE(backend_->CountPromptTokens(request).value(), 64);
}

TEST_F(EmbeddedBackendTest, AFullQueueRefuses) {
  Start({.max_running = 1, .max_waiting = 2});
  Gate gate(*backend_);
  EXPECT_EQ(Load().running, 1);
  EXPECT_EQ(Load().waiting, 0);
  std::vector<std::shared_ptr<CollectingSink>> sinks;
  for (int i = 0; i < 2; ++i) {
    sinks.push_back(std::make_shared<CollectingSink>());
    ASSERT_TRUE(backend_->Generate(Ask(2), sinks.back()).ok());
  }
  EXPECT_EQ(Load().waiting, 2);
  const Status status = GenerateAndWait(*backend_, Ask(1)).error;
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.reason(), "queue_full");
  gate.Open();
  for (const auto& sink : sinks) EXPECT_EQ(sink->Wait().tokens.size(), 2u);
  EXPECT_EQ(Load().waiting, 0);
  EXPECT_EQ(GenerateAndWait(*backend_, Ask(1)).tokens.size(), 1u);
}

// --- Answers

TEST_F(EmbeddedBackendTest, AnswersWithEventsUsageAndTimings) {
  Start();
  Request request = Ask(5);
  request.model = "small";  // the role
  request.prompt = std::vector<ChatMessage>{{"user", "Hi"}};
  const int prompt_tokens = backend_->CountPromptTokens(request).value();
  const CollectedAnswer answer = GenerateAndWait(*backend_, request);
  ASSERT_TRUE(answer.finish.has_value()) << answer.error.ToString();
  EXPECT_EQ(answer.start->model, "tiny");
  EXPECT_FALSE(answer.start->decision.has_value());
  EXPECT_EQ(answer.start->prompt_tokens, prompt_tokens);
  EXPECT_EQ(answer.tokens.size(), 5u);
  EXPECT_EQ(answer.num_ends, 1);
  EXPECT_FALSE(answer.is_out_of_order);
  EXPECT_EQ(answer.finish->reason, FinishReason::kLength);
  EXPECT_EQ(answer.finish->usage.prompt_tokens, prompt_tokens);
  EXPECT_EQ(answer.finish->usage.completion_tokens, 5);
  EXPECT_EQ(answer.finish->speculation.draft_tokens, 0);
  EXPECT_EQ(Load().running, 0);
  EXPECT_EQ(Load().kv_blocks_used, 0);
}

TEST_F(EmbeddedBackendTest, TimingsComeFromTheClock) {
  Start();
  auto sink = std::make_shared<CollectingSink>();
  sink->on_start = [&] { clock_.Advance(std::chrono::milliseconds(30)); };
  sink->on_token = [&] { clock_.Advance(std::chrono::milliseconds(7)); };
  ASSERT_TRUE(backend_->Generate(Ask(4), sink).ok());
  const Timings timings = sink->Wait().finish->timings;
  EXPECT_DOUBLE_EQ(timings.queue_ms, 0);
  EXPECT_DOUBLE_EQ(timings.prompt_ms, 30);
  EXPECT_DOUBLE_EQ(timings.predicted_ms, 21);
}

TEST_F(EmbeddedBackendTest, DecideNamesTheModelThatWasAskedFor) {
  Start({}, {Small(), Large()});
  Request request = Ask(1);
  request.model = "large";
  request.strategy = Strategy{StrategyKind::kPromptLookup};
  Decision decision;
  ASSERT_TRUE(backend_->Decide(request, [&](Result<Decision> d) { decision = d.value(); }).ok());
  EXPECT_EQ(decision.model, "less-tiny");
  EXPECT_EQ(decision.role, "large");
  EXPECT_EQ(decision.strategy.kind, StrategyKind::kPromptLookup);
  EXPECT_EQ(decision.prompt_tokens, 1);
  EXPECT_FALSE(decision.probed);
}

TEST_F(EmbeddedBackendTest, TwoModelsAnswerAtOnce) {
  Start({}, {Small(), Large()});
  const CollectedAnswer small_alone = GenerateAndWait(*backend_, Ask(50));
  Request large = Ask(50);
  large.model = "large";
  const CollectedAnswer large_alone = GenerateAndWait(*backend_, large);
  EXPECT_NE(small_alone.tokens, large_alone.tokens);

  // Events show that the models take turns: neither runs to its end before the other.
  std::vector<char> turns;  // the engine thread's until both are waited for
  auto small_sink = std::make_shared<CollectingSink>();
  auto large_sink = std::make_shared<CollectingSink>();
  small_sink->on_token = [&] { turns.push_back('s'); };
  large_sink->on_token = [&] { turns.push_back('l'); };
  Gate gate(*backend_);
  ASSERT_TRUE(backend_->Generate(Ask(50), small_sink).ok());
  ASSERT_TRUE(backend_->Generate(large, large_sink).ok());
  gate.Open();
  EXPECT_EQ(Transcript(small_sink->Wait()), Transcript(small_alone));
  EXPECT_EQ(Transcript(large_sink->Wait()), Transcript(large_alone));
  int longest_run = 0;
  int run = 0;
  for (size_t i = 0; i < turns.size(); ++i) {
    run = i > 0 && turns[i] == turns[i - 1] ? run + 1 : 1;
    longest_run = std::max(longest_run, run);
  }
  EXPECT_LE(longest_run, 8);  // a character may take four tokens, and then one event
}

TEST_F(EmbeddedBackendTest, AWaitingRequestRunsWhenBlocksBecomeFree) {
  Start({.kv_cache_tokens = 128});
  const CollectedAnswer expected = GenerateAndWait(*backend_, Ask(90));
  Gate gate(*backend_, /*max_tokens=*/90);  // three of four blocks
  std::vector<std::shared_ptr<CollectingSink>> sinks;
  for (int i = 0; i < 3; ++i) {
    sinks.push_back(std::make_shared<CollectingSink>());
    ASSERT_TRUE(backend_->Generate(Ask(90), sinks.back()).ok());
  }
  EXPECT_EQ(Load().waiting, 3);
  gate.Open();
  for (const auto& sink : sinks) EXPECT_EQ(Transcript(sink->Wait()), Transcript(expected));
  EXPECT_EQ(Load().kv_blocks_used, 0);
}

// --- Ends before their time

TEST_F(EmbeddedBackendTest, CancelEndsARunningGenerationWithinAStep) {
  Start();
  std::promise<std::shared_ptr<Ticket>> handle;
  auto sink = std::make_shared<CollectingSink>();
  int tokens_seen = 0;
  sink->on_token = [&, future = handle.get_future().share()] {
    if (++tokens_seen == 3) {
      future.get()->Cancel();
      future.get()->Cancel();  // idempotent
    }
  };
  handle.set_value(backend_->Generate(Ask(3000), sink).value());
  const CollectedAnswer answer = sink->Wait();
  EXPECT_EQ(answer.finish->reason, FinishReason::kCancelled);
  EXPECT_EQ(answer.finish->usage.completion_tokens, 3);
  EXPECT_EQ(answer.num_ends, 1);
  EXPECT_EQ(Load().running, 0);
  EXPECT_EQ(Load().kv_blocks_used, 0);
}

TEST_F(EmbeddedBackendTest, CancelEndsAWaitingGeneration) {
  Start({.max_running = 1});
  Gate gate(*backend_);
  auto sink = std::make_shared<CollectingSink>();
  const auto generation = backend_->Generate(Ask(10), sink).value();
  generation->Cancel();
  gate.Open();
  const CollectedAnswer answer = sink->Wait();
  EXPECT_TRUE(answer.start.has_value());
  EXPECT_EQ(answer.finish->reason, FinishReason::kCancelled);
  EXPECT_EQ(answer.finish->usage.completion_tokens, 0);
  EXPECT_EQ(Load().waiting, 0);
  generation->Cancel();  // long over
  WaitForEngine();
}

TEST_F(EmbeddedBackendTest, CancelEndsAWaitingProbeAndFreesItsPlace) {
  Start({.max_running = 1, .max_waiting = 1});
  auto running = std::make_shared<CollectingSink>();
  std::promise<void> has_begun;
  std::promise<void> is_cancelled;
  int tokens_seen = 0;
  running->on_token = [&] {
    if (++tokens_seen > 1) return;
    has_begun.set_value();
    is_cancelled.get_future().wait();
  };
  const auto generation = backend_->Generate(Ask(3000), running).value();
  has_begun.get_future().wait();

  struct Seen {
    Status status;
    int tokens;  // of the running generation
    int waiting;
  };
  std::promise<Seen> seen;
  const auto on_scores = [&](const Result<LabelScores>& scores) {
    seen.set_value({scores.status(), tokens_seen, Load().waiting});
  };
  const LabelQuery labels{"", "\n", {{"a", "x"}}};
  const auto probe = backend_->ScoreLabels(Ask(1), labels, on_scores).value();
  EXPECT_EQ(GenerateAndWait(*backend_, Ask(1)).error.reason(), "queue_full");
  probe->Cancel();
  is_cancelled.set_value();
  const Seen then = seen.get_future().get();
  EXPECT_EQ(then.status.code(), StatusCode::kCancelled);
  EXPECT_LE(then.tokens, 2) << "within a step";
  EXPECT_EQ(then.waiting, 0);
  generation->Cancel();
  running->Wait();
}

TEST_F(EmbeddedBackendTest, DroppingTheTicketDoesNotCancel) {
  Start();
  Gate gate(*backend_);
  auto sink = std::make_shared<CollectingSink>();
  std::shared_ptr<Ticket> ticket = backend_->Generate(Ask(20), sink).value();
  ticket.reset();
  gate.Open();
  EXPECT_EQ(sink->Wait().tokens.size(), 20u);
}

TEST_F(EmbeddedBackendTest, DeadlinesEndRunningAndWaitingRequests) {
  Start({.max_running = 1});
  Gate gate(*backend_);
  Request request = Ask(3000);
  request.deadline = clock_.Now() + std::chrono::seconds(10);
  auto running = std::make_shared<CollectingSink>();
  int tokens_seen = 0;
  running->on_token = [&] {
    if (++tokens_seen == 2) clock_.Advance(std::chrono::seconds(10));
  };
  auto waiting = std::make_shared<CollectingSink>();
  ASSERT_TRUE(backend_->Generate(request, running).ok());
  ASSERT_TRUE(backend_->Generate(request, waiting).ok());
  std::promise<Result<LabelScores>> scores;
  ASSERT_TRUE(backend_
                  ->ScoreLabels(request, {"", "\n", {{"a", "x"}}},
                                [&](Result<LabelScores> s) { scores.set_value(std::move(s)); })
                  .ok());
  gate.Open();
  const CollectedAnswer ran = running->Wait();
  EXPECT_EQ(ran.error.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ran.tokens.size(), 2u);
  const CollectedAnswer waited = waiting->Wait();
  EXPECT_EQ(waited.error.code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(waited.start.has_value());
  EXPECT_EQ(scores.get_future().get().status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Load().kv_blocks_used, 0);
}

TEST_F(EmbeddedBackendTest, DestructionEndsEverythingOnce) {
  Start({.max_running = 2});
  std::vector<std::shared_ptr<CollectingSink>> sinks;
  std::vector<std::shared_ptr<Ticket>> handles;
  std::promise<void> has_begun;
  for (int i = 0; i < 5; ++i) {
    sinks.push_back(std::make_shared<CollectingSink>());
    if (i == 1) {  // the second of the two that run
      sinks[1]->on_token = [&, done = std::make_shared<std::once_flag>()] {
        std::call_once(*done, [&] { has_begun.set_value(); });
      };
    }
    handles.push_back(backend_->Generate(Ask(4000), sinks.back()).value());
  }
  std::promise<Result<LabelScores>> scores;
  ASSERT_TRUE(backend_
                  ->ScoreLabels(Ask(1), {"", "\n", {{"a", "x"}}},
                                [&](Result<LabelScores> s) { scores.set_value(std::move(s)); })
                  .ok());
  has_begun.get_future().wait();
  backend_.reset();
  for (int i = 0; i < 5; ++i) {
    const CollectedAnswer answer = sinks[i]->Wait();
    EXPECT_EQ(answer.num_ends, 1);
    if (i < 2) {
      EXPECT_EQ(answer.finish->reason, FinishReason::kCancelled);
    } else {
      EXPECT_EQ(answer.error.code(), StatusCode::kUnavailable);
    }
  }
  EXPECT_EQ(scores.get_future().get().status().code(), StatusCode::kUnavailable);
  handles[0]->Cancel();  // nobody is there any more
}

TEST_F(EmbeddedBackendTest, AcceptsNothingWhileShuttingDown) {
  Start();
  // The callback runs while the destructor waits for the engine thread.
  std::promise<void> is_closing;
  Status late;
  auto sink = std::make_shared<CollectingSink>();
  EmbeddedBackend* const backend = backend_.get();
  sink->on_end = [&, backend] {
    late = backend->Generate(Ask(1), std::make_shared<CollectingSink>()).status();
  };
  std::promise<void> has_begun;
  sink->on_token = [&, done = std::make_shared<std::once_flag>()] {
    std::call_once(*done, [&] { has_begun.set_value(); });
  };
  ASSERT_TRUE(backend_->Generate(Ask(4000), sink).ok());
  has_begun.get_future().wait();
  backend_.reset();
  EXPECT_EQ(late.code(), StatusCode::kUnavailable);
}

TEST_F(EmbeddedBackendTest, WhatASinkThrowsHurtsNobodyElse) {
  Start();
  const CollectedAnswer expected = GenerateAndWait(*backend_, Ask(30));
  Gate gate(*backend_);
  auto thrower = std::make_shared<CollectingSink>();
  thrower->on_token = [] { throw std::runtime_error("from a sink"); };
  auto early_thrower = std::make_shared<CollectingSink>();
  early_thrower->on_start = [] { throw 1; };
  auto sink = std::make_shared<CollectingSink>();
  ASSERT_TRUE(backend_->Generate(Ask(30), thrower).ok());
  ASSERT_TRUE(backend_->Generate(Ask(30), early_thrower).ok());
  ASSERT_TRUE(backend_->Generate(Ask(30), sink).ok());
  ASSERT_TRUE(backend_
                  ->ScoreLabels(Ask(1), {"", "\n", {{"a", "x"}}},
                                [](const Result<LabelScores>&) { throw std::bad_alloc(); })
                  .ok());
  gate.Open();
  EXPECT_EQ(Transcript(sink->Wait()), Transcript(expected));
  WaitForEngine();
  EXPECT_EQ(Load().running, 0);
  EXPECT_EQ(Load().kv_blocks_used, 0);
}

TEST_F(EmbeddedBackendTest, ASinkMayAskAgain) {
  Start();
  auto second = std::make_shared<CollectingSink>();
  auto first = std::make_shared<CollectingSink>();
  first->on_end = [&] { ASSERT_TRUE(backend_->Generate(Ask(2), second).ok()); };
  ASSERT_TRUE(backend_->Generate(Ask(2), first).ok());
  EXPECT_EQ(second->Wait().tokens.size(), 2u);
}

// --- Probes and held prompts

const LabelQuery kLabels{"", "\n<|im_start|>", {{"first", "x"}, {"second", "y"}}};

TEST_F(EmbeddedBackendTest, AProbeLeavesThePromptsKvToItsGeneration) {
  Start({.prefix_caching = false});
  Request request = Ask(3);
  request.prompt = std::string(100, 'z');
  LabelScores scores = ScoreLabelsAndWait(*backend_, request, kLabels).value();
  EXPECT_EQ(scores.logits.size(), 2u);
  EXPECT_EQ(scores.prompt_tokens, 100);
  EXPECT_EQ(scores.probe_tokens, 102);
  ASSERT_NE(scores.held_prompt, nullptr);
  EXPECT_EQ(Load().kv_blocks_used, 0);
  EXPECT_EQ(Load().kv_blocks_idle, 4);
  EXPECT_EQ(GenerateAndWait(*backend_, request).finish->usage.cached_prompt_tokens, 0);
  request.held_prompt = scores.held_prompt;
  EXPECT_EQ(GenerateAndWait(*backend_, request).finish->usage.cached_prompt_tokens, 99);
  std::thread([held = std::move(scores.held_prompt)]() mutable { held.reset(); }).join();
}

TEST_F(EmbeddedBackendTest, RequestsShareTheKvOfACommonBeginning) {
  Start();
  Request request = Ask(3);
  request.prompt = std::string(100, 'z');
  EXPECT_EQ(GenerateAndWait(*backend_, request).finish->usage.cached_prompt_tokens, 0);
  EXPECT_EQ(GenerateAndWait(*backend_, request).finish->usage.cached_prompt_tokens, 99);
  request.prompt = std::string(70, 'z') + std::string(50, 'y');
  EXPECT_EQ(GenerateAndWait(*backend_, request).finish->usage.cached_prompt_tokens, 70);
  EXPECT_EQ(Load().prefix_tokens_asked, 100 + 100 + 120);
  EXPECT_EQ(Load().prefix_tokens_found, 99 + 70);
}

// Counts what it is asked to encode.
class CountingTokenizer final : public Tokenizer {
 public:
  explicit CountingTokenizer(std::shared_ptr<const Tokenizer> real) : real_(std::move(real)) {}

  int encoded() const { return encoded_; }

  std::vector<int32_t> Encode(std::span<const TextPiece> pieces, bool add_bos) const override {
    ++encoded_;
    return real_->Encode(pieces, add_bos);
  }
  std::string_view TokenBytes(int32_t id) const override { return real_->TokenBytes(id); }
  std::string_view TokenPiece(int32_t id) const override { return real_->TokenPiece(id); }
  bool IsControl(int32_t id) const override { return real_->IsControl(id); }
  bool IsEndOfGeneration(int32_t id) const override { return real_->IsEndOfGeneration(id); }
  int vocabulary_size() const override { return real_->vocabulary_size(); }
  std::optional<int32_t> bos() const override { return real_->bos(); }
  std::optional<int32_t> eos() const override { return real_->eos(); }
  std::optional<int32_t> FindSpecial(std::string_view piece) const override {
    return real_->FindSpecial(piece);
  }
  bool adds_space_prefix() const override { return real_->adds_space_prefix(); }
  std::string_view kind() const override { return real_->kind(); }
  uint64_t fingerprint() const override { return real_->fingerprint(); }

 private:
  const std::shared_ptr<const Tokenizer> real_;
  mutable std::atomic<int> encoded_ = 0;
};

TEST_F(EmbeddedBackendTest, NothingIsEncodedTwice) {
  EmbeddedModel model = Small();
  const auto tokenizer = std::make_shared<CountingTokenizer>(model.tokenizer);
  model.tokenizer = tokenizer;
  Start({}, {model});
  ASSERT_TRUE(backend_->ValidateLabels("small", kLabels).ok());
  const int at_start = tokenizer->encoded();
  Request request = Ask(1);
  request.held_prompt = ScoreLabelsAndWait(*backend_, request, kLabels).value().held_prompt;
  EXPECT_EQ(tokenizer->encoded() - at_start, 2) << "the prompt, and the prompt in the template";
  const CollectedAnswer answer = GenerateAndWait(*backend_, request);
  EXPECT_EQ(tokenizer->encoded() - at_start, 2);
  // But another prompt with the same handle is.
  request.prompt = std::string("yy");
  EXPECT_NE(Transcript(GenerateAndWait(*backend_, request)), Transcript(answer));
  EXPECT_EQ(tokenizer->encoded() - at_start, 3);
}

TEST_F(EmbeddedBackendTest, AHeldPromptMayOutliveTheEngine) {
  Start();
  LabelScores scores = ScoreLabelsAndWait(*backend_, Ask(1), kLabels).value();
  backend_.reset();
  scores.held_prompt.reset();
}

TEST_F(EmbeddedBackendTest, AHeldPromptOfAnotherModelOrEngineIsNotUsed) {
  Start({.prefix_caching = false}, {Small(), Large()});
  Request request = Ask(3);
  request.prompt = std::string(50, 'z');
  const LabelScores small = ScoreLabelsAndWait(*backend_, request, kLabels).value();
  request.held_prompt = small.held_prompt;
  request.model = "large";
  EXPECT_EQ(GenerateAndWait(*backend_, request).finish->usage.cached_prompt_tokens, 0);
  const auto other = EmbeddedBackend::Create({Small()}, {.num_threads = 1}, clock_).value();
  request.model = "small";
  EXPECT_EQ(GenerateAndWait(*other, request).finish->usage.cached_prompt_tokens, 0);
  EXPECT_EQ(GenerateAndWait(*backend_, request).finish->usage.cached_prompt_tokens, 49);
}

TEST_F(EmbeddedBackendTest, WhatIsKeptGivesWayToRequests) {
  Start({.kv_cache_tokens = 256});
  Request request = Ask(1);
  request.prompt = std::string(60, 'z');
  const CollectedAnswer expected = GenerateAndWait(*backend_, request);
  Request other = request;
  for (char c = 'a'; c < 'k'; ++c) {  // twenty blocks, of which there are eight
    other.prompt = std::string(60, c);
    ASSERT_TRUE(ScoreLabelsAndWait(*backend_, other, kLabels).ok());
  }
  EXPECT_LE(Load().kv_blocks_idle, 8);
  EXPECT_EQ(GenerateAndWait(*backend_, Ask(250)).tokens.size(), 250u);
  const CollectedAnswer answer = GenerateAndWait(*backend_, request);
  EXPECT_EQ(answer.finish->usage.cached_prompt_tokens, 0);
  EXPECT_EQ(Transcript(answer), Transcript(expected));
}

TEST_F(EmbeddedBackendTest, ValidateLabelsSaysWhatCollides) {
  Start();
  EXPECT_TRUE(backend_->ValidateLabels("small", kLabels).ok());
  const LabelQuery colliding{"", "\n", {{"one", "ab"}, {"two", "ac"}}};
  EXPECT_THAT(backend_->ValidateLabels("tiny", colliding).message(),
              HasSubstr("\"one\" and \"two\""));
  EXPECT_EQ(ScoreLabelsAndWait(*backend_, Ask(1), colliding).status().param(), "labels");
}

}  // namespace
}  // namespace aio
