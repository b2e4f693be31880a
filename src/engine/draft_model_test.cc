// Drafting by a second model, as a request meets it.
#include "engine/draft_model.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/embedded_backend.h"
#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

const SystemClock& MachineClock() {
  static const SystemClock clock;
  return clock;
}

EmbeddedModel Target(const std::string& draft_model = "drafter") {
  EmbeddedModel target = MakeTinyModel("target", "large");
  target.draft_model = draft_model;
  return target;
}

// Of the same weights as the target: what it drafts is right.
EmbeddedModel Twin() { return MakeTinyModel("drafter", "small"); }

EngineOptions Options() {
  EngineOptions options;
  options.num_threads = 1;
  return options;
}

std::unique_ptr<EmbeddedBackend> Start(const EngineOptions& options = Options()) {
  return EmbeddedBackend::Create({Target(), Twin()}, options, MachineClock()).value();
}

Request Drafted(int max_tokens) {
  Request request;
  request.model = "target";
  request.prompt = std::string("once upon a time in a far away land");
  request.strategy = DefaultStrategy(StrategyKind::kDraftModel);
  request.sampling.max_tokens = max_tokens;
  request.sampling.ignore_eos = true;
  request.sampling.temperature = 0;
  return request;
}

int64_t BlocksUsed(const Backend& backend) {
  int64_t used = 0;
  for (const ModelLoad& load : backend.Load()) used += load.kv_blocks_used;
  return used;
}

TEST(DraftModelTest, ATwinIsAlwaysRight) {
  const auto backend = Start();
  // At any temperature: it draws with the same random numbers.
  for (const float temperature : {0.0F, 0.7F, 1.5F}) {
    Request request = Drafted(61);
    request.sampling.temperature = temperature;
    request.sampling.top_p = 0.9F;
    const CollectedAnswer answer = GenerateAndWait(*backend, request);
    ASSERT_TRUE(answer.error.ok()) << answer.error.ToString();
    const Speculation& speculation = answer.finish->speculation;
    EXPECT_EQ(speculation.draft_accepted_tokens, speculation.draft_tokens);
    // The first token comes with the prompt, then five a step: four guesses and the next.
    EXPECT_EQ(speculation.steps_by_accepted[4], 12);
    EXPECT_EQ(speculation.draft_tokens, 48);
  }
}

TEST(DraftModelTest, WithPenaltiesItIsStillMostlyRight) {
  const auto backend = Start();
  Request request = Drafted(60);
  request.sampling.frequency_penalty = 0.3F;
  request.sampling.temperature = 1;
  const Speculation speculation = GenerateAndWait(*backend, request).finish->speculation;
  EXPECT_GT(speculation.draft_accepted_tokens, speculation.draft_tokens / 2);
}

TEST(DraftModelTest, NothingIsLeftBehind) {
  const auto backend = Start();
  for (int i = 0; i < 20; ++i) {
    Request request = Drafted(40);
    request.prompt = std::string(10 * i + 1, static_cast<char>('a' + i));
    auto sink = std::make_shared<CollectingSink>();
    const auto ticket = backend->Generate(request, sink).value();
    if (i % 2 == 0) ticket->Cancel();
    sink->Wait();
  }
  // The last sink hears of its end before the blocks are free.
  for (int i = 0; i < 1000 && BlocksUsed(*backend) > 0; ++i) {
    GenerateAndWait(*backend, Drafted(1));
  }
  EXPECT_EQ(BlocksUsed(*backend), 0);
}

// The target's sequences fill the drafter's cache; its own requests need all of it.
TEST(DraftModelTest, TheDraftersOwnRequestsComeFirst) {
  EngineOptions options = Options();
  options.kv_cache_tokens = 12 * KvCache::kBlockTokens;
  options.prefix_caching = false;
  const auto backend = Start(options);
  std::vector<std::shared_ptr<CollectingSink>> drafted;
  for (int i = 0; i < 3; ++i) {
    drafted.push_back(std::make_shared<CollectingSink>());
    ASSERT_TRUE(backend->Generate(Drafted(80), drafted.back()).ok());
  }
  for (int i = 0; i < 5; ++i) {
    Request own = Drafted(11 * KvCache::kBlockTokens);
    own.model = "drafter";
    own.strategy = Strategy();
    const CollectedAnswer answer = GenerateAndWait(*backend, own);
    ASSERT_TRUE(answer.error.ok()) << answer.error.ToString();
    EXPECT_EQ(answer.finish->usage.completion_tokens, 11 * KvCache::kBlockTokens);
  }
  const std::string expected = GenerateAndWait(*backend, Drafted(80)).text;
  for (const auto& sink : drafted) EXPECT_EQ(sink->Wait().text, expected);
}

TEST(DraftModelTest, AContextShorterThanTheTargetsEndsDraftingNotTheAnswer) {
  TestModelSpec shorter;
  shorter.context_length = 64;
  const auto backend =
      EmbeddedBackend::Create({Target(), MakeTinyModel("drafter", "small", shorter)}, Options(),
                              MachineClock())
          .value();
  const CollectedAnswer answer = GenerateAndWait(*backend, Drafted(100));
  ASSERT_TRUE(answer.error.ok()) << answer.error.ToString();
  EXPECT_EQ(answer.finish->usage.completion_tokens, 100);
  EXPECT_GT(answer.finish->speculation.draft_tokens, 10);
  EXPECT_LT(answer.finish->speculation.draft_tokens, 64);
}

// Families pad the vocabularies of their sizes differently. Random weights sample padding too.
TEST(DraftModelTest, PaddedVocabulariesMayDiffer) {
  for (const auto& [of_target, of_drafter] : {std::pair(0, 200), std::pair(200, 0)}) {
    EmbeddedModel target = MakeTinyModel("target", "large", {}, of_target);
    target.draft_model = "drafter";
    const auto backend =
        EmbeddedBackend::Create({target, MakeTinyModel("drafter", "small", {}, of_drafter)},
                                Options(), MachineClock())
            .value();
    for (uint64_t seed = 0; seed < 20; ++seed) {
      Request request = Drafted(50);
      request.sampling.temperature = 1.5F;
      request.sampling.seed = seed;
      const CollectedAnswer answer = GenerateAndWait(*backend, request);
      request.strategy = Strategy();
      EXPECT_EQ(Transcript(answer), Transcript(GenerateAndWait(*backend, request)));
    }
    Request foreign = Drafted(10);
    foreign.prompt = std::vector<int32_t>{5, kTinyVocabulary + of_target - 1, 6};
    EXPECT_TRUE(GenerateAndWait(*backend, foreign).error.ok());
  }
}

TEST(DraftModelTest, AskedForWhereNobodyDraftsItIsRefused) {
  const auto backend = Start();
  Request request = Drafted(10);
  request.model = "drafter";
  const CollectedAnswer answer = GenerateAndWait(*backend, request);
  EXPECT_EQ(answer.error.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(answer.error.param(), "aio.strategy");
  EXPECT_NE(answer.error.message().find("drafts for \"drafter\""), std::string::npos);
  // Auto does without.
  request.strategy = DefaultStrategy(StrategyKind::kAuto);
  EXPECT_TRUE(GenerateAndWait(*backend, request).error.ok());
}

TEST(DraftModelTest, ADrafterMustExistAndSpeakTheSameTokens) {
  const auto missing =
      EmbeddedBackend::Create({Target("nobody"), Twin()}, Options(), MachineClock());
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.status().message().find("no other model \"nobody\""), std::string::npos);
  const auto itself =
      EmbeddedBackend::Create({Target("target"), Twin()}, Options(), MachineClock());
  ASSERT_FALSE(itself.ok());
}

TEST(TrafficTest, IsWhatTheStepsRead) {
  const auto backend = Start();
  Request plain = Drafted(20);
  plain.strategy = Strategy();
  const Traffic traffic = GenerateAndWait(*backend, plain).finish->traffic;
  const int64_t weights = Target().model->summary().bytes_per_token;
  // A step for the prompt, which gives the first token, and one for each of the others.
  EXPECT_EQ(traffic.weight_bytes, 20 * weights);
  EXPECT_GT(traffic.kv_bytes, 0);
  // The target is the large model itself.
  EXPECT_EQ(traffic.static_large_bytes, traffic.weight_bytes + traffic.kv_bytes);

  Request small = plain;
  small.model = "drafter";
  small.prompt = std::string("somewhere else, long ago");
  const Traffic of_small = GenerateAndWait(*backend, small).finish->traffic;
  EXPECT_EQ(of_small.static_large_bytes, of_small.weight_bytes + of_small.kv_bytes);  // twins

  // With guesses fewer steps read the target's weights, and the drafter's are read too.
  Request drafted = Drafted(21);
  drafted.prompt = std::string("yet another beginning");
  const Traffic with_drafts = GenerateAndWait(*backend, drafted).finish->traffic;
  EXPECT_EQ(with_drafts.weight_bytes, (1 + 4) * weights + 16 * weights);
  EXPECT_GT(with_drafts.static_large_bytes, 21 * weights);
}

TEST(TrafficTest, ASharedStepIsShared) {
  const auto backend = Start();
  Request request = Drafted(200);
  request.strategy = Strategy();
  request.prompt = std::string("a");
  const int64_t alone = GenerateAndWait(*backend, request).finish->traffic.weight_bytes;
  std::vector<std::shared_ptr<CollectingSink>> sinks;
  for (int i = 0; i < 4; ++i) {
    sinks.push_back(std::make_shared<CollectingSink>());
    ASSERT_TRUE(backend->Generate(request, sinks.back()).ok());
  }
  int64_t together = 0;
  for (const auto& sink : sinks) together += sink->Wait().finish->traffic.weight_bytes;
  EXPECT_LT(together, 3 * alone);
}

TEST(TrafficTest, AProbesIsTold) {
  const auto backend = Start();
  Request request = Drafted(1);
  request.model = "drafter";
  request.strategy = Strategy();
  const LabelQuery labels{"", "\n", {{"a", "x"}, {"b", "y"}}};
  const LabelScores scores = ScoreLabelsAndWait(*backend, request, labels).value();
  EXPECT_EQ(scores.traffic.weight_bytes, Twin().model->summary().bytes_per_token);
  EXPECT_EQ(scores.traffic.static_large_bytes, 0);
}

}  // namespace
}  // namespace aio
