// The exactness contract, end to end and bit for bit: the tokens and log-probabilities of
// a request depend on the request alone.
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
#include "base/utf8.h"
#include "engine/block_pool.h"
#include "engine/embedded_backend.h"
#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"
#include "model/forward.h"

namespace aio {
namespace {

const EmbeddedModel& Tiny() {
  static const EmbeddedModel model = [] {
    EmbeddedModel tiny = MakeTinyModel("tiny", "large");
    tiny.draft_model = "drafter";
    return tiny;
  }();
  return model;
}

// The same weights, rounded to eight bits: it agrees often, not always.
const EmbeddedModel& Drafter() {
  static const EmbeddedModel model = [] {
    TestModelSpec spec;
    spec.matrix_type = TensorType::kQ8_0;
    return MakeTinyModel("drafter", "small", spec);
  }();
  return model;
}

const Clock& MachineClock() {
  static const SystemClock clock;
  return clock;
}

std::unique_ptr<EmbeddedBackend> Start(const EngineOptions& options) {
  return EmbeddedBackend::Create({Tiny(), Drafter()}, options, MachineClock()).value();
}

EngineOptions Defaults() {
  EngineOptions options;
  options.num_threads = 1;
  return options;
}

class RandomRequests {
 public:
  explicit RandomRequests(uint32_t seed) : random_(seed) {}

  Request Next() {
    Request request;
    request.model = "tiny";
    request.prompt = RandomPrompt();
    request.sampling = RandomSampling();
    request.format = RandomFormat();
    return request;
  }
  Strategy Speculating() {
    constexpr StrategyKind kKinds[] = {StrategyKind::kPromptLookup, StrategyKind::kDraftModel,
                                       StrategyKind::kAuto};
    return SpeculatingBy(kKinds[Int(0, 2)]);
  }
  Strategy SpeculatingBy(StrategyKind kind) {
    Strategy strategy = DefaultStrategy(kind);
    strategy.prompt_lookup_max = Int(1, 6);
    strategy.prompt_lookup_min = Int(1, strategy.prompt_lookup_max);
    strategy.num_speculative_tokens = Int(1, kSpeculativeTokensMax);
    return strategy;
  }
  int Int(int min, int max) { return std::uniform_int_distribution<int>(min, max)(random_); }

 private:
  float OneOf(std::initializer_list<float> values) {
    return values.begin()[Int(0, static_cast<int>(values.size()) - 1)];
  }
  std::string RandomText(int length) {
    static constexpr std::string_view kWords[] = {"the ", "hen ", "in", "ring ",    "\u00e9",
                                                  "x = ", "7",    "\n", "another ", "<|im_end|>"};
    std::string text;
    while (static_cast<int>(text.size()) < length) text += kWords[Int(0, 9)];
    return text;
  }
  Prompt RandomPrompt() {
    switch (Int(0, 2)) {
      case 0:
        return RandomText(Int(1, 150));
      case 1:
        return std::vector<ChatMessage>{{"system", RandomText(Int(0, 20))},
                                        {"user", RandomText(Int(1, 120))}};
      default: {
        std::vector<int32_t> tokens(Int(1, 100));
        for (int32_t& token : tokens) token = Int(0, kTinyVocabulary - 1);
        return tokens;
      }
    }
  }
  // Half of the answers are held to one.
  AnswerFormat RandomFormat() {
    switch (Int(0, 7)) {
      case 0:
        return {AnswerFormatKind::kJsonObject, "", "response_format"};
      case 1:
        return {AnswerFormatKind::kJsonSchema,
                R"({"type":"object","properties":{"the ring":{"type":"string","minLength":3},
                    "x":{"type":"array","items":{"type":"integer"}}},"required":["the ring"]})",
                "response_format"};
      case 2:
        return {AnswerFormatKind::kRegex, "((the|hen|in|another ring) ?){3,40}\\.", "regex"};
      case 3:
        return {AnswerFormatKind::kGbnf, "root ::= (\"x = \" [0-9]+ \"\\n\")+", "grammar"};
      default:
        return {};
    }
  }
  SamplingParams RandomSampling() {
    SamplingParams sampling;
    sampling.seed = random_();
    sampling.temperature = OneOf({0, 0, 0.2f, 0.7f, 1.0f, 1.5f});
    sampling.top_k = static_cast<int>(OneOf({0, 0, 1, 5, 40}));
    sampling.top_p = OneOf({1, 1, 0.9f, 0.3f});
    sampling.min_p = OneOf({0, 0, 0.05f});
    sampling.repetition_penalty = OneOf({1, 1, 1.3f, 0.8f});
    sampling.presence_penalty = OneOf({0, 0, 0.6f, -0.5f});
    sampling.frequency_penalty = OneOf({0, 0, 0.4f, -0.3f});
    for (int i = Int(0, 2); i > 0; --i) {
      sampling.logit_bias.emplace_back(Int(0, kTinyVocabulary - 1), OneOf({-100, 1, 4}));
    }
    sampling.max_tokens = Int(1, 80);
    sampling.ignore_eos = Int(0, 3) > 0;
    sampling.top_logprobs = Int(-1, 4);
    return sampling;
  }

  std::mt19937 random_;
};

// Some text that the answer contains, to stop at; empty when it has none.
std::string PickStop(const std::string& text, RandomRequests& random) {
  std::vector<size_t> borders;
  for (size_t at = 0; at < text.size();) {
    borders.push_back(at);
    at += DecodeUtf8(std::string_view(text).substr(at)).length;
  }
  borders.push_back(text.size());
  if (borders.size() < 2) return "";
  const int last = static_cast<int>(borders.size()) - 1;
  const int begin = random.Int(0, last - 1);
  const int end = std::min(last, begin + random.Int(1, 4));
  return text.substr(borders[begin], borders[end] - borders[begin]);
}

// Runs all requests in one batch: none starts before all are queued.
std::vector<CollectedAnswer> RunTogether(Backend& backend, const std::vector<Request>& requests) {
  std::promise<void> all_are_queued;
  auto gate = std::make_shared<CollectingSink>();
  gate->on_start = [&] { all_are_queued.get_future().wait(); };
  Request gate_request;
  gate_request.model = "tiny";
  gate_request.prompt = std::string("x");
  gate_request.sampling.max_tokens = 1;
  EXPECT_TRUE(backend.Generate(gate_request, gate).ok());
  std::vector<std::shared_ptr<CollectingSink>> sinks;
  for (const Request& request : requests) {
    sinks.push_back(std::make_shared<CollectingSink>());
    const auto generation = backend.Generate(request, sinks.back());
    EXPECT_TRUE(generation.ok()) << generation.status().ToString();
  }
  all_are_queued.set_value();
  std::vector<CollectedAnswer> answers;
  for (const auto& sink : sinks) answers.push_back(sink->Wait());
  return answers;
}

std::vector<CollectedAnswer> RunAlone(Backend& backend, const std::vector<Request>& requests) {
  std::vector<CollectedAnswer> answers;
  for (const Request& request : requests) answers.push_back(GenerateAndWait(backend, request));
  return answers;
}

void ExpectEqual(const std::vector<CollectedAnswer>& a, const std::vector<CollectedAnswer>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_FALSE(a[i].is_out_of_order);
    ASSERT_EQ(Transcript(a[i]), Transcript(b[i])) << "request " << i;
  }
}

std::vector<Request> MixedRequests(uint32_t seed, int count) {
  RandomRequests random(seed);
  std::vector<Request> requests;
  for (int i = 0; i < count; ++i) {
    requests.push_back(random.Next());
    if (random.Int(0, 1) == 1) requests.back().strategy = random.Speculating();
  }
  return requests;
}

// The last logits of `tokens` by nothing but the forward pass.
std::vector<float> LastLogits(const std::vector<int32_t>& tokens) {
  const ModelConfig& config = Tiny().model->config();
  const int num_blocks = BlockPool::BlocksFor(static_cast<int>(tokens.size()));
  const auto cache = KvCache::Create(config, KvType::kF16, num_blocks).value();
  std::vector<int32_t> table(num_blocks);
  for (int i = 0; i < num_blocks; ++i) table[i] = i;
  std::vector<ForwardRow> rows;
  for (int i = 0; i < static_cast<int>(tokens.size()); ++i) {
    rows.push_back({tokens[i], i, table, i + 1 == static_cast<int>(tokens.size())});
  }
  ThreadPool pool(1);
  ForwardScratch scratch(config, static_cast<int>(rows.size()), 1);
  const std::span<const float> logits = Forward(*Tiny().model, rows, *cache, scratch, pool);
  return {logits.begin(), logits.end()};
}

TEST(ExactnessTest, GreedyIsTheArgmaxOfTheForwardPass) {
  const auto backend = Start(Defaults());
  Request request;
  request.model = "tiny";
  request.prompt = std::vector<int32_t>{1, 50, 99, 7};
  request.sampling.temperature = 0;
  request.sampling.ignore_eos = true;
  request.sampling.max_tokens = 40;
  const CollectedAnswer answer = GenerateAndWait(*backend, request);
  std::vector<int32_t> tokens = std::get<std::vector<int32_t>>(request.prompt);
  ASSERT_EQ(answer.tokens.size(), 40u);
  for (int32_t token : answer.tokens) {
    const std::vector<float> logits = LastLogits(tokens);
    ASSERT_EQ(token, std::max_element(logits.begin(), logits.end()) - logits.begin());
    tokens.push_back(token);
  }
}

TEST(ExactnessTest, ProbeLogitsAreThoseOfTheForwardPass) {
  EngineOptions options = Defaults();
  options.prefill_chunk_tokens = 5;
  const auto backend = Start(options);
  Request request;
  request.model = "tiny";
  request.prompt = std::string("another ring in the hen house");
  const LabelQuery labels{"", "\n<|im_start|>", {{"a", "x"}, {"b", "y"}, {"c", "the"}}};
  const LabelScores scores = ScoreLabelsAndWait(*backend, request, labels).value();
  const Tokenizer& tokenizer = *Tiny().tokenizer;
  std::vector<int32_t> tokens = tokenizer.EncodeText(std::get<std::string>(request.prompt), true);
  for (int32_t id : tokenizer.EncodeTemplate("\n<|im_start|>", false)) tokens.push_back(id);
  const std::vector<float> logits = LastLogits(tokens);
  EXPECT_EQ(scores.probe_tokens, static_cast<int>(tokens.size()));
  ASSERT_EQ(scores.logits.size(), 3u);
  EXPECT_EQ(scores.logits[0], logits['x']);
  EXPECT_EQ(scores.logits[1], logits['y']);
  EXPECT_EQ(scores.logits[2], logits['t']);
}

TEST(ExactnessTest, AloneOrInAFullBatch) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    EngineOptions options = Defaults();
    options.max_running = 9;  // eight and the gate
    const auto backend = Start(options);
    const std::vector<Request> requests = MixedRequests(seed, 8);
    ExpectEqual(RunAlone(*backend, requests), RunTogether(*backend, requests));
  }
}

TEST(ExactnessTest, AnyChunkSize) {
  const std::vector<Request> requests = MixedRequests(/*seed=*/10, 16);
  std::vector<CollectedAnswer> expected;
  for (int chunk : {256, 1, 3, 33}) {
    EngineOptions options = Defaults();
    options.prefill_chunk_tokens = chunk;
    const auto backend = Start(options);
    const std::vector<CollectedAnswer> answers = RunTogether(*backend, requests);
    if (expected.empty()) expected = answers;
    ExpectEqual(expected, answers);
  }
}

TEST(ExactnessTest, AnyNumberOfThreads) {
  const std::vector<Request> requests = MixedRequests(/*seed=*/20, 16);
  std::vector<CollectedAnswer> expected;
  for (int threads : {1, 2, 3}) {
    EngineOptions options = Defaults();
    options.num_threads = threads;
    const auto backend = Start(options);
    const std::vector<CollectedAnswer> answers = RunTogether(*backend, requests);
    if (expected.empty()) expected = answers;
    ExpectEqual(expected, answers);
  }
}

TEST(ExactnessTest, BothKvTypes) {
  for (KvType type : {KvType::kF16, KvType::kF32}) {
    EngineOptions options = Defaults();
    options.kv_type = type;
    const auto backend = Start(options);
    const std::vector<Request> requests = MixedRequests(/*seed=*/30, 12);
    ExpectEqual(RunAlone(*backend, requests), RunTogether(*backend, requests));
  }
}

// Greedy, at temperatures, with penalties, bias, limits and end tokens, as the seed has it;
// then once more with a stop string that the answer contains.
class SpeculationTest : public testing::TestWithParam<StrategyKind> {};

TEST_P(SpeculationTest, OnOrOff) {
  const auto backend = Start(Defaults());
  int drafted = 0;
  int accepted = 0;
  for (uint32_t seed = 100; seed < 300; ++seed) {
    RandomRequests random(seed);
    Request plain = random.Next();
    Request speculating = plain;
    speculating.strategy = random.SpeculatingBy(GetParam());
    const CollectedAnswer expected = GenerateAndWait(*backend, plain);
    const CollectedAnswer answer = GenerateAndWait(*backend, speculating);
    ASSERT_EQ(Transcript(answer), Transcript(expected)) << "seed " << seed;
    drafted += answer.finish->speculation.draft_tokens;
    accepted += answer.finish->speculation.draft_accepted_tokens;

    const std::string stop = PickStop(expected.text, random);
    if (stop.empty()) continue;
    plain.sampling.stop = {"zzz", stop};
    speculating.sampling.stop = plain.sampling.stop;
    const CollectedAnswer stopped = GenerateAndWait(*backend, plain);
    ASSERT_EQ(Transcript(GenerateAndWait(*backend, speculating)), Transcript(stopped))
        << "seed " << seed;
    EXPECT_EQ(stopped.finish->reason, FinishReason::kStop);
    EXPECT_EQ(stopped.text.find(stop), std::string::npos);
    EXPECT_TRUE(expected.text.starts_with(stopped.text));
  }
  // Otherwise the test shows nothing.
  EXPECT_GT(accepted, 100);
  EXPECT_GT(drafted, accepted);
}

INSTANTIATE_TEST_SUITE_P(ExactnessTest, SpeculationTest,
                         testing::Values(StrategyKind::kPromptLookup, StrategyKind::kDraftModel,
                                         StrategyKind::kAuto),
                         [](const auto& info) { return std::string(StrategyName(info.param)); });

TEST(ExactnessTest, SpeculationInABatchWithFewDraftRows) {
  std::vector<Request> requests = MixedRequests(/*seed=*/40, 12);
  EngineOptions options = Defaults();
  const auto plenty = Start(options);
  options.max_draft_tokens = 3;
  const auto few = Start(options);
  options.max_draft_tokens = 0;
  const auto none = Start(options);
  RandomRequests random(41);
  for (Request& request : requests) request.strategy = random.Speculating();
  const std::vector<CollectedAnswer> expected = RunTogether(*plenty, requests);
  ExpectEqual(expected, RunTogether(*few, requests));
  ExpectEqual(expected, RunTogether(*none, requests));
}

TEST(ExactnessTest, HeldPromptOrNone) {
  const LabelQuery labels{"",
                          "\n<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\n",
                          {{"a", "x"}, {"b", "y"}}};
  for (KvType type : {KvType::kF16, KvType::kF32}) {
    EngineOptions options = Defaults();
    options.kv_type = type;
    options.prefix_caching = false;  // for what is expected
    const auto backend = Start(options);
    int cached = 0;
    for (uint32_t seed = 400; seed < 480; ++seed) {
      RandomRequests random(seed);
      Request request = random.Next();
      if (random.Int(0, 1) == 1) request.strategy = random.Speculating();
      const CollectedAnswer expected = GenerateAndWait(*backend, request);
      ASSERT_TRUE(expected.error.ok()) << expected.error.ToString();
      EXPECT_EQ(expected.finish->usage.cached_prompt_tokens, 0);

      const LabelScores scores = ScoreLabelsAndWait(*backend, request, labels).value();
      EXPECT_EQ(scores.prompt_tokens, expected.finish->usage.prompt_tokens);
      request.held_prompt = scores.held_prompt;
      // More than once: the first may not spoil it for the second.
      for (int round = 0; round < 2; ++round) {
        const CollectedAnswer answer = GenerateAndWait(*backend, request);
        ASSERT_EQ(Transcript(answer), Transcript(expected)) << "seed " << seed;
        const Usage& usage = answer.finish->usage;
        EXPECT_LT(usage.cached_prompt_tokens, usage.prompt_tokens);
        cached += usage.cached_prompt_tokens;
      }
    }
    EXPECT_GT(cached, 1000);
  }
}

// Every prompt length around the borders of blocks.
TEST(ExactnessTest, HeldPromptOfAnyLength) {
  EngineOptions options = Defaults();
  options.prefix_caching = false;
  const auto backend = Start(options);
  const LabelQuery labels{"", "\n", {{"a", "x"}, {"b", "y"}}};
  for (int length = 1; length <= 3 * KvCache::kBlockTokens + 2; ++length) {
    Request request;
    request.model = "tiny";
    request.prompt = std::vector<int32_t>(length, 'a');
    std::get<std::vector<int32_t>>(request.prompt)[length / 2] = 'b';
    request.sampling.max_tokens = 3;
    request.sampling.top_logprobs = 3;
    const CollectedAnswer expected = GenerateAndWait(*backend, request);
    request.held_prompt = ScoreLabelsAndWait(*backend, request, labels).value().held_prompt;
    const CollectedAnswer answer = GenerateAndWait(*backend, request);
    ASSERT_EQ(Transcript(answer), Transcript(expected)) << length;
    EXPECT_EQ(answer.finish->usage.cached_prompt_tokens, length - 1);
  }
}

// Prompts that share beginnings of any length, one after the other and all at once.
TEST(ExactnessTest, PrefixesSharedOrNot) {
  EngineOptions options = Defaults();
  const auto sharing = Start(options);
  options.prefix_caching = false;
  const auto alone = Start(options);
  std::vector<Request> requests = MixedRequests(/*seed=*/50, 40);
  RandomRequests random(51);
  const std::string text = "It was the best of times, it was the worst of times. It was the age of";
  for (Request& request : requests) {
    request.prompt = text.substr(0, random.Int(1, static_cast<int>(text.size()))) +
                     std::string(random.Int(0, 70), static_cast<char>('a' + random.Int(0, 1)));
    if (random.Int(0, 1) == 1) request.strategy = random.Speculating();
  }
  std::vector<CollectedAnswer> expected;
  int cached = 0;
  for (const Request& request : requests) {
    expected.push_back(GenerateAndWait(*alone, request));
    const CollectedAnswer answer = GenerateAndWait(*sharing, request);
    ASSERT_EQ(Transcript(answer), Transcript(expected.back()));
    cached += answer.finish->usage.cached_prompt_tokens;
  }
  EXPECT_GT(cached, 500);
  ExpectEqual(expected, RunTogether(*sharing, requests));
}

// A cache so small that sequences are preempted again and again.
TEST(ExactnessTest, PreemptedOrNot) {
  EngineOptions options = Defaults();
  std::vector<Request> requests = MixedRequests(/*seed=*/60, 24);
  RandomRequests random(61);
  for (Request& request : requests) {
    request.sampling.max_tokens = random.Int(60, 90);
    if (random.Int(0, 1) == 1) request.strategy = random.Speculating();
  }
  const std::vector<CollectedAnswer> expected = RunTogether(*Start(options), requests);
  for (const bool sharing : {true, false}) {
    options.kv_cache_tokens = 8 * KvCache::kBlockTokens;
    options.prefix_caching = sharing;
    const auto crowded = Start(options);
    ExpectEqual(expected, RunTogether(*crowded, requests));
    EXPECT_GT(crowded->Load()[0].preemptions, 0);
    EXPECT_EQ(crowded->Load()[0].kv_blocks_used, 0);
  }
}

}  // namespace
}  // namespace aio
