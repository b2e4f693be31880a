// Probes by a learned head: the same scores bit for bit however they come to be, and answers that
// do not know of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "engine/block_pool.h"
#include "engine/embedded_backend.h"
#include "engine/hidden_pool.h"
#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"
#include "model/forward.h"

namespace aio {
namespace {

constexpr int kLayers = 3;

const EmbeddedModel& Tiny() {
  static const EmbeddedModel model = [] {
    TestModelSpec spec;
    spec.num_layers = kLayers;
    return MakeTinyModel("tiny", "small", spec);
  }();
  return model;
}

std::unique_ptr<EmbeddedBackend> Start(const EngineOptions& options = {}) {
  static const SystemClock clock;
  return EmbeddedBackend::Create({Tiny()}, options, clock).value();
}

LabelQuery HeadQuery(int layers, bool early_exit = false) {
  ProbeHead head;
  head.layers = layers;
  head.hidden_size = Tiny().model->config().hidden_size;
  head.window_tokens = 8;
  head.bias = {0.5f, -0.25f, 0};
  std::mt19937 random(layers + 1);
  for (size_t i = 0; i < head.bias.size() * head.hidden_size; ++i) {
    head.weights.push_back(std::uniform_real_distribution<float>(-1, 1)(random));
  }
  LabelQuery query;
  query.labels = {{"code", ""}, {"qa", ""}, {"math", ""}};
  query.head = std::make_shared<const ProbeHead>(std::move(head));
  query.early_exit = early_exit;
  return query;
}

Request Ask(Prompt prompt) {
  Request request;
  request.model = "tiny";
  request.prompt = std::move(prompt);
  request.sampling.temperature = 0;
  request.sampling.max_tokens = 12;
  request.sampling.ignore_eos = true;
  request.sampling.top_logprobs = 2;
  return request;
}

Prompt Chat(std::string text) { return std::vector<ChatMessage>{{"user", std::move(text)}}; }

std::string Words(int count, int seed) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string((i * 7 + seed) % 23) + " hens, ";
  return text;
}

std::vector<Prompt> Prompts() {
  return {Chat("x"), Chat(Words(9, 1)), std::string("another ring in the hen house"),
          std::vector<int32_t>{1, 50, 99, 7, 7, 7, 12, 13, 14, 200, 3},
          std::vector<ChatMessage>{{"system", Words(4, 2)},
                                   {"user", Words(3, 3)},
                                   {"assistant", "no"},
                                   {"user", Words(7, 4)}}};
}

// The scores by nothing but the forward pass.
HeadScores ByHand(const std::vector<int32_t>& tokens, const TokenRange& text,
                  const ProbeHead& head) {
  const ModelConfig& config = Tiny().model->config();
  HiddenPool pool({.layers = {head.layers},
                   .text = text,
                   .window_tokens = head.window_tokens,
                   .hidden_size = config.hidden_size,
                   .epsilon = config.rms_norm_epsilon});
  const int num_blocks = BlockPool::BlocksFor(static_cast<int>(tokens.size()));
  const auto cache = KvCache::Create(config, KvType::kF16, num_blocks).value();
  std::vector<int32_t> table(num_blocks);
  for (int i = 0; i < num_blocks; ++i) table[i] = i;
  std::vector<ForwardRow> rows;
  for (int i = 0; i < static_cast<int>(tokens.size()); ++i) {
    rows.push_back({.token = tokens[i], .position = i, .block_table = table});
    if (i >= text.begin && i < text.end) rows.back().hidden = &pool;
  }
  ThreadPool threads(1);
  ForwardScratch scratch(config, static_cast<int>(rows.size()), 1);
  Forward(*Tiny().model, rows, *cache, scratch, threads);
  return ApplyHead(head, pool.Take().front());
}

void ExpectEqual(const LabelScores& a, const LabelScores& b) {
  EXPECT_EQ(a.logits, b.logits);
  EXPECT_EQ(a.window_logits, b.window_logits);
  EXPECT_EQ(a.prompt_tokens, b.prompt_tokens);
}

TEST(HeadProbeTest, ScoresAreThoseOfTheForwardPass) {
  const auto backend = Start();
  const Tokenizer& tokenizer = *Tiny().tokenizer;
  const std::string text = Words(9, 1);
  std::vector<int32_t> tokens = tokenizer.EncodeTemplate("<|im_start|>user\n", true);
  TokenRange range{static_cast<int>(tokens.size()), 0};
  for (const int32_t id : tokenizer.EncodeText(text, false)) tokens.push_back(id);
  range.end = static_cast<int>(tokens.size());
  for (int layers = 0; layers <= kLayers; ++layers) {
    const LabelQuery query = HeadQuery(layers);
    const LabelScores scores = ScoreLabelsAndWait(*backend, Ask(Chat(text)), query).value();
    const HeadScores expected = ByHand(tokens, range, *query.head);
    EXPECT_EQ(scores.logits, expected.logits) << layers << " layers";
    EXPECT_EQ(scores.window_logits, expected.window_logits);
    EXPECT_EQ(static_cast<int>(scores.window_logits.size()), NumWindows(range.size(), 8));
    // What follows the text is left to the generation, which counts it.
    EXPECT_EQ(scores.probe_tokens, range.end);
    EXPECT_GT(scores.prompt_tokens, range.end);
  }
}

TEST(HeadProbeTest, TheLastMessageIsRead) {
  const auto backend = Start();
  const LabelQuery query = HeadQuery(0);  // embeddings know nothing of what stands before
  const auto logits = [&](Prompt prompt) {
    return ScoreLabelsAndWait(*backend, Ask(std::move(prompt)), query).value().logits;
  };
  const std::vector<float> alone = logits(Chat("hens, 7"));
  EXPECT_EQ(
      logits(std::vector<ChatMessage>{
          {"system", "the x"}, {"user", "another one"}, {"assistant", "yes"}, {"user", "hens, 7"}}),
      alone);
  EXPECT_NE(logits(Chat("hens, 8")), alone);
}

TEST(HeadProbeTest, AnyChunkThreadsBatchAndDepth) {
  std::vector<LabelScores> expected;
  for (int layers = 0; layers <= kLayers; ++layers) {
    const auto backend = Start();
    for (const Prompt& prompt : Prompts()) {
      expected.push_back(ScoreLabelsAndWait(*backend, Ask(prompt), HeadQuery(layers)).value());
    }
  }
  for (const int threads : {1, 2}) {
    for (const int chunk : {1, 5, 256}) {
      EngineOptions options;
      options.num_threads = threads;
      options.prefill_chunk_tokens = chunk;
      const auto backend = Start(options);
      // All at once, early exits among them, beside a generation that is under way.
      auto sink = std::make_shared<CollectingSink>();
      ASSERT_TRUE(backend->Generate(Ask(Chat(Words(20, 5))), sink).ok());
      std::vector<std::pair<size_t, std::future<Result<LabelScores>>>> scored;
      for (const bool early_exit : {true, false}) {
        size_t i = 0;
        for (int layers = 0; layers <= kLayers; ++layers) {
          for (const Prompt& prompt : Prompts()) {
            auto promise = std::make_shared<std::promise<Result<LabelScores>>>();
            scored.emplace_back(i++, promise->get_future());
            ASSERT_TRUE(backend
                            ->ScoreLabels(Ask(prompt), HeadQuery(layers, early_exit),
                                          [promise](Result<LabelScores> scores) {
                                            promise->set_value(std::move(scores));
                                          })
                            .ok());
          }
        }
      }
      for (auto& [i, scores] : scored) ExpectEqual(scores.get().value(), expected[i]);
      EXPECT_EQ(sink->Wait().num_ends, 1);
    }
  }
}

TEST(HeadProbeTest, AGenerationDoesNotKnowOfItsProbe) {
  for (const Prompt& prompt : Prompts()) {
    const CollectedAnswer expected = GenerateAndWait(*Start(), Ask(prompt));
    for (int layers = 0; layers <= kLayers; ++layers) {
      for (const bool early_exit : {false, true}) {
        for (const bool prefix_caching : {true, false}) {
          EngineOptions options;
          options.prefix_caching = prefix_caching;
          const auto backend = Start(options);
          Request request = Ask(prompt);
          LabelScores scores =
              ScoreLabelsAndWait(*backend, request, HeadQuery(layers, early_exit)).value();
          request.held_prompt = std::move(scores.held_prompt);
          const CollectedAnswer answer = GenerateAndWait(*backend, request);
          EXPECT_EQ(Transcript(answer), Transcript(expected));
          // All that the probe computed is used; but an early exit leaves nothing.
          const bool leaves_kv = !early_exit || layers == kLayers;
          EXPECT_EQ(answer.finish->usage.cached_prompt_tokens,
                    leaves_kv ? std::min(scores.probe_tokens, scores.prompt_tokens - 1) : 0);
        }
      }
    }
  }
}

// KV that is known already has no hidden states; those of the text are computed again.
TEST(HeadProbeTest, WhatTheCacheKnowsDoesNotChangeScores) {
  const auto backend = Start();
  const std::vector<ChatMessage> conversation = {{"system", Words(30, 2)}, {"user", Words(8, 3)}};
  const LabelQuery query = HeadQuery(2);
  const LabelScores expected = ScoreLabelsAndWait(*backend, Ask(conversation), query).value();
  GenerateAndWait(*backend, Ask(conversation));
  const auto found_before = backend->Load().front().prefix_tokens_found;
  ExpectEqual(ScoreLabelsAndWait(*backend, Ask(conversation), query).value(), expected);
  // The system message's KV was of use.
  EXPECT_GT(backend->Load().front().prefix_tokens_found, found_before + 30);
  ExpectEqual(ScoreLabelsAndWait(*backend, Ask(conversation), HeadQuery(2, true)).value(),
              expected);
}

TEST(HeadProbeTest, PreemptionDoesNotChangeScores) {
  const auto expected = ScoreLabelsAndWait(*Start(), Ask(Chat(Words(20, 0))), HeadQuery(2)).value();
  EngineOptions options;
  options.kv_cache_tokens = 256;
  options.prefill_chunk_tokens = 3;
  options.max_draft_tokens = 0;
  for (const bool early_exit : {false, true}) {
    const auto backend = Start(options);
    // Older answers that grow until there is no room for the probe.
    std::vector<std::shared_ptr<CollectingSink>> sinks;
    for (int i = 0; i < 2; ++i) {
      Request request = Ask(std::string("hen"));
      request.sampling.max_tokens = 150;
      sinks.push_back(std::make_shared<CollectingSink>());
      ASSERT_TRUE(backend->Generate(request, sinks.back()).ok());
    }
    const LabelQuery query = HeadQuery(2, early_exit);
    ExpectEqual(ScoreLabelsAndWait(*backend, Ask(Chat(Words(20, 0))), query).value(), expected);
    for (const auto& sink : sinks) EXPECT_TRUE(sink->Wait().error.ok());
    EXPECT_GT(backend->Load().front().preemptions, 0);
  }
}

TEST(HeadProbeTest, AnEarlyExitReadsLess) {
  const auto backend = Start();
  const auto bytes = [&](int layers, bool early_exit) {
    const Request request = Ask(Chat(Words(9, 1)));
    const LabelQuery query = HeadQuery(layers, early_exit);
    return ScoreLabelsAndWait(*backend, request, query).value().traffic.weight_bytes;
  };
  EXPECT_EQ(bytes(0, true), 0);
  EXPECT_LT(bytes(1, true), bytes(2, true));
  EXPECT_EQ(bytes(2, true), 2 * bytes(1, true));
  EXPECT_LT(bytes(2, true), bytes(2, false));
  EXPECT_EQ(bytes(kLayers, true), bytes(kLayers, false));
}

TEST(HeadProbeTest, OfALongTextTheEndsAreRead) {
  const auto backend = Start();
  LabelQuery query = HeadQuery(1);
  const auto score = [&](int middle) {
    const Prompt prompt = Chat(Words(10, 1) + Words(20, middle) + Words(10, 3));
    return ScoreLabelsAndWait(*backend, Ask(prompt), query).value();
  };
  EXPECT_NE(score(5).logits, score(6).logits);
  const LabelScores all = score(5);
  query.window_tokens = 64;
  const LabelScores ends = score(5);
  EXPECT_EQ(ends.logits, score(6).logits);
  EXPECT_EQ(ends.window_logits.size(), 8u);
  EXPECT_LT(ends.probe_tokens, all.probe_tokens);
  EXPECT_EQ(ends.prompt_tokens, all.prompt_tokens);
}

TEST(HeadProbeTest, HeadsOfOtherModelsAreRefused) {
  const auto backend = Start();
  const auto refusal = [&](const LabelQuery& query) {
    const Status status = backend->ValidateLabels("tiny", query);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.param(), "labels");
    const auto scores = backend->ScoreLabels(Ask(Chat("x")), query, [](Result<LabelScores>) {});
    EXPECT_EQ(scores.status().message(), status.message());
    return status.message();
  };
  EXPECT_TRUE(backend->ValidateLabels("tiny", HeadQuery(kLayers)).ok());
  EXPECT_NE(refusal(HeadQuery(kLayers + 1)).find("fitted on another"), std::string::npos);
  LabelQuery query = HeadQuery(1);
  query.labels.pop_back();
  EXPECT_NE(refusal(query).find("3 labels apart, there are 2"), std::string::npos);
  query = HeadQuery(1);
  ProbeHead head = *query.head;
  head.hidden_size /= 2;
  head.weights.resize(head.weights.size() / 2);
  query.head = std::make_shared<const ProbeHead>(head);
  EXPECT_NE(refusal(query).find("fitted on another"), std::string::npos);
}

Result<std::vector<HiddenWindows>> ReadAndWait(EmbeddedBackend& backend, const Request& request,
                                               const EmbeddedBackend::HiddenQuery& query) {
  std::promise<Result<std::vector<HiddenWindows>>> read;
  const auto ticket = backend.ReadHidden(
      request, query,
      [&](Result<std::vector<HiddenWindows>> windows) { read.set_value(std::move(windows)); });
  if (!ticket.ok()) return ticket.status();
  return read.get_future().get();
}

// What a head is fitted on is what it will see.
TEST(HeadProbeTest, ReadHiddenGivesWhatHeadsAreAppliedTo) {
  const auto backend = Start();
  for (const Prompt& prompt : Prompts()) {
    const auto windows = ReadAndWait(*backend, Ask(prompt), {{2, 0, kLayers}, 8}).value();
    ASSERT_EQ(windows.size(), 3u);
    for (const HiddenWindows& of_layer : windows) {
      const LabelQuery query = HeadQuery(of_layer.layers);
      const LabelScores scores = ScoreLabelsAndWait(*backend, Ask(prompt), query).value();
      EXPECT_EQ(ApplyHead(*query.head, of_layer).logits, scores.logits);
      EXPECT_EQ(ApplyHead(*query.head, of_layer).window_logits, scores.window_logits);
    }
  }
}

TEST(HeadProbeTest, ReadHiddenRefusesLayersThatAreNotThere) {
  const auto backend = Start();
  for (const std::vector<int>& layers : {std::vector<int>{}, {-1}, {kLayers + 1}, {1, 1}}) {
    const auto read = ReadAndWait(*backend, Ask(Chat("x")), {layers, 8});
    EXPECT_EQ(read.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(read.status().param(), "layers");
  }
}

}  // namespace
}  // namespace aio
