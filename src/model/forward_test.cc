// The forward pass against the reference, and its exactness contract bit for bit.
#include "model/forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/attention.h"
#include "kernels/target.h"
#include "model/testing/reference_forward.h"
#include "model/testing/test_model.h"

namespace aio {
namespace {

std::vector<int32_t> MakeTokens(const TestModelSpec& spec, int count, uint32_t seed = 7) {
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    tokens.push_back(static_cast<int32_t>((seed >> 8) % spec.vocabulary_size));
  }
  return tokens;
}

// One model with a cache, and sequences whose blocks are handed out interleaved.
class Runner {
 public:
  Runner(std::shared_ptr<const Model> model, KvType kv_type, int threads, int blocks = 64)
      : model_(std::move(model)),
        cache_(KvCache::Create(model_->config(), kv_type, blocks).value()),
        scratch_(model_->config(), kRows, kRows),
        pool_(threads),
        free_block_(blocks) {}

  // A block table for `tokens` positions, not in ascending order.
  std::vector<int32_t> NewBlockTable(int tokens) {
    std::vector<int32_t> table((tokens + KvCache::kBlockTokens - 1) / KvCache::kBlockTokens);
    for (int32_t& block : table) block = --free_block_;
    return table;
  }

  // Computes a step and appends every row's logits to `out` in row order.
  void Step(std::span<const ForwardRow> rows, std::vector<std::vector<float>>& out) {
    const std::span<const float> logits = Forward(*model_, rows, *cache_, scratch_, pool_);
    const size_t vocabulary = model_->config().vocabulary_size;
    for (size_t i = 0; i < logits.size(); i += vocabulary) {
      out.emplace_back(logits.begin() + i, logits.begin() + i + vocabulary);
    }
  }

  // Logits at every position, `chunk` tokens a step.
  std::vector<std::vector<float>> RunSequence(std::span<const int32_t> tokens, int chunk) {
    return RunSequence(tokens, chunk, NewBlockTable(static_cast<int>(tokens.size())), true);
  }
  // The same from position `begin` on, with or without logits.
  std::vector<std::vector<float>> RunSequence(std::span<const int32_t> tokens, int chunk,
                                              const std::vector<int32_t>& table, bool wants_logits,
                                              size_t begin = 0) {
    std::vector<std::vector<float>> logits;
    for (size_t first = begin; first < tokens.size(); first += chunk) {
      std::vector<ForwardRow> rows;
      for (size_t p = first; p < std::min(tokens.size(), first + chunk); ++p) {
        rows.push_back({tokens[p], static_cast<int32_t>(p), table, wants_logits});
      }
      Step(rows, logits);
    }
    return logits;
  }

 private:
  static constexpr int kRows = 96;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<KvCache> cache_;
  ForwardScratch scratch_;
  ThreadPool pool_;
  int32_t free_block_;
};

// The largest over positions of |logits - reference| / |reference|, Euclidean norms.
double RelativeError(const std::vector<std::vector<float>>& logits,
                     const std::vector<std::vector<double>>& reference) {
  double worst = logits.size() == reference.size() ? 0.0 : 1e9;
  for (size_t p = 0; p < std::min(logits.size(), reference.size()); ++p) {
    double difference = 0;
    double norm = 0;
    for (size_t i = 0; i < reference[p].size(); ++i) {
      difference += std::pow(logits[p][i] - reference[p][i], 2);
      norm += std::pow(reference[p][i], 2);
    }
    const double error = std::sqrt(difference / norm);
    if (!(error <= worst)) worst = error;  // keeps NaN
  }
  return worst;
}

struct Case {
  std::string name;
  TestModelSpec spec;
};

TestModelSpec With(TestModelSpec spec, void (*change)(TestModelSpec&)) {
  change(spec);
  return spec;
}

// Rows of whole blocks, whatever the type.
TestModelSpec Quantized(TestModelSpec spec, TensorType type) {
  spec.matrix_type = type;
  spec.num_layers = 1;
  spec.hidden_size = 256;
  spec.num_heads = 8;
  spec.head_size = 32;
  spec.intermediate_size = 512;
  return spec;
}

std::vector<Case> Cases() {
  const auto architecture = [](const char* name) {
    TestModelSpec spec;
    spec.architecture = name;
    return spec;
  };
  const TestModelSpec llama = architecture("llama");
  const TestModelSpec qwen2 = architecture("qwen2");
  const TestModelSpec qwen3 = architecture("qwen3");
  const TestModelSpec pangu = architecture("pangu-embedded");
  return {
      {"llama", llama},
      {"llama_rope_factors", With(llama, [](TestModelSpec& s) { s.rope_factors = true; })},
      {"llama_linear_scaling", With(llama, [](TestModelSpec& s) { s.rope_linear_factor = 4; })},
      {"llama_tied_biases", With(llama,
                                 [](TestModelSpec& s) {
                                   s.tied = true;
                                   s.optional_biases = true;
                                 })},
      {"llama_partial_rope", With(llama, [](TestModelSpec& s) { s.rope_dims = 8; })},
      {"llama_odd_sizes", With(llama,
                               [](TestModelSpec& s) {
                                 s.hidden_size = 72;
                                 s.head_size = 20;
                                 s.num_heads = 3;
                                 s.num_kv_heads = 1;
                                 s.intermediate_size = 101;
                                 s.vocabulary_size = 97;
                               })},
      {"qwen2", qwen2},
      {"qwen2_tied_mha", With(qwen2,
                              [](TestModelSpec& s) {
                                s.tied = true;
                                s.num_kv_heads = 4;
                                s.rope_freq_base = 1e6f;
                              })},
      {"qwen3", qwen3},
      {"qwen3_wide_heads", With(qwen3,
                                [](TestModelSpec& s) {
                                  s.head_size = 64;
                                  s.tied = true;
                                })},
      {"llama_wide_group", With(llama,
                                [](TestModelSpec& s) {
                                  s.num_heads = 20;  // two tiles of ten heads each
                                  s.num_kv_heads = 1;
                                  s.head_size = 32;
                                })},
      {"qwen3_biases", With(qwen3, [](TestModelSpec& s) { s.optional_biases = true; })},
      {"pangu", pangu},
      {"pangu_tied", With(pangu,
                          [](TestModelSpec& s) {
                            s.tied = true;
                            s.rope_freq_base = 4e6f;
                            s.num_heads = 6;
                          })},
      {"pangu_partial_rope", With(pangu, [](TestModelSpec& s) { s.rope_dims = 12; })},
      {"llama_f16", With(llama, [](TestModelSpec& s) { s.matrix_type = TensorType::kF16; })},
      {"qwen2_bf16", With(qwen2, [](TestModelSpec& s) { s.matrix_type = TensorType::kBF16; })},
      {"qwen3_q8_0", With(qwen3, [](TestModelSpec& s) { s.matrix_type = TensorType::kQ8_0; })},
      {"pangu_q8_0_tied", With(pangu,
                               [](TestModelSpec& s) {
                                 s.matrix_type = TensorType::kQ8_0;
                                 s.tied = true;
                               })},
      {"llama_q4_0", Quantized(llama, TensorType::kQ4_0)},
      {"llama_q4_k", Quantized(llama, TensorType::kQ4_K)},
      {"pangu_q5_k", Quantized(pangu, TensorType::kQ5_K)},
      {"qwen2_q6_k", Quantized(qwen2, TensorType::kQ6_K)},
  };
}

class ReferenceTest : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Models, ReferenceTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ReferenceTest, LogitsAgreeOnEveryInstructionSet) {
  const TestModelSpec& spec = GetParam().spec;
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  const std::vector<int32_t> tokens = MakeTokens(spec, 70);
  const auto reference = ReferenceForward(model->file(), tokens);
  const std::string before(ActiveTarget());
  for (const std::string& target : AvailableTargets()) {
    ASSERT_TRUE(SelectTarget(target).ok());
    Runner f32(model, KvType::kF32, 2);
    // Quantised weights are multiplied with activations of 16 bits.
    const bool quantized = TensorBytes(static_cast<uint32_t>(spec.matrix_type), 1) == std::nullopt;
    EXPECT_LT(RelativeError(f32.RunSequence(tokens, 33), reference), quantized ? 2e-4 : 2e-5)
        << target;
    Runner f16(model, KvType::kF16, 2);
    EXPECT_LT(RelativeError(f16.RunSequence(tokens, 33), reference), 5e-3) << target;
    if (!KvTypeHolds(KvType::kQ8_0, spec.head_size)) continue;
    Runner q8_0(model, KvType::kQ8_0, 2);
    EXPECT_LT(RelativeError(q8_0.RunSequence(tokens, 33), reference), 3e-2) << target;
  }
  ASSERT_TRUE(SelectTarget(before).ok());
}

// The tolerances above mean something only if every tensor matters: with any one of them
// halved, the logits must move by far more.
TEST(ForwardTest, EveryTensorMatters) {
  for (const char* architecture : {"llama", "qwen3", "pangu-embedded"}) {
    TestModelSpec spec;
    spec.architecture = architecture;
    spec.num_layers = 1;
    spec.optional_biases = true;
    spec.rope_factors = spec.architecture == "llama";
    const std::vector<std::byte> bytes = MakeRandomModel(spec);
    const auto original = GgufFile::Parse(bytes, "original").value();
    const std::vector<int32_t> tokens = MakeTokens(spec, 20);
    const auto reference = ReferenceForward(*original, tokens);
    for (const GgufTensor& tensor : original->tensors()) {
      std::vector<std::byte> changed = bytes;
      for (size_t i = 0; i < tensor.data.size(); i += sizeof(float)) {
        std::byte* at = changed.data() + (tensor.data.data() - bytes.data()) + i;
        float value;
        std::memcpy(&value, at, sizeof(value));
        value *= 0.5f;
        std::memcpy(at, &value, sizeof(value));
      }
      const auto model = Model::Load(GgufFile::Parse(changed, "changed").value()).value();
      Runner runner(model, KvType::kF32, 1);
      EXPECT_GT(RelativeError(runner.RunSequence(tokens, 20), reference), 1e-3)
          << architecture << " " << tensor.name;
    }
  }
}

class ExactnessTest : public testing::TestWithParam<std::tuple<TensorType, KvType>> {
 protected:
  // Odd sizes where the encoding allows them: ragged vectors, tiles and tasks.
  static TestModelSpec Spec() {
    TestModelSpec spec;
    spec.architecture = "qwen3";
    spec.matrix_type = std::get<0>(GetParam());
    spec.vocabulary_size = 331;
    if (KvEncoding() == KvType::kQ8_0) spec.head_size = 32;
    if (spec.matrix_type == TensorType::kQ8_0) return spec;
    if (spec.matrix_type == TensorType::kQ4_K) return Quantized(spec, spec.matrix_type);
    spec.hidden_size = 72;
    if (KvEncoding() != KvType::kQ8_0) spec.head_size = 20;
    spec.intermediate_size = 101;
    return spec;
  }
  static KvType KvEncoding() { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(
    Types, ExactnessTest,
    testing::Combine(testing::Values(TensorType::kF32, TensorType::kF16, TensorType::kBF16,
                                     TensorType::kQ8_0, TensorType::kQ4_K),
                     testing::ValuesIn(kAllKvTypes)),
    [](const auto& info) {
      return std::string(TensorTypeName(static_cast<uint32_t>(std::get<0>(info.param)))) + "_kv_" +
             std::string(KvTypeName(std::get<1>(info.param)));
    });

void ExpectSameBits(const std::vector<std::vector<float>>& a,
                    const std::vector<std::vector<float>>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)), 0)
        << what << ", position " << i;
  }
}

TEST_P(ExactnessTest, ChunksAndThreadsDoNotChangeABit) {
  const TestModelSpec spec = Spec();
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  const std::vector<int32_t> tokens = MakeTokens(spec, 75);
  Runner one(model, KvEncoding(), 1);
  const auto expected = one.RunSequence(tokens, 1);
  for (const int threads : {1, 2}) {
    for (const int chunk : {2, 7, 32, 75}) {
      Runner runner(model, KvEncoding(), threads);
      ExpectSameBits(runner.RunSequence(tokens, chunk), expected,
                     "chunk " + std::to_string(chunk) + ", threads " + std::to_string(threads));
    }
  }
}

TEST_P(ExactnessTest, NeighboursDoNotChangeABit) {
  const TestModelSpec spec = Spec();
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  constexpr int kSequences = 8;
  constexpr int kTokens = 40;
  std::vector<std::vector<int32_t>> prompts;
  std::vector<std::vector<std::vector<float>>> alone;
  for (int s = 0; s < kSequences; ++s) {
    prompts.push_back(MakeTokens(spec, kTokens, 100 + s));
    Runner runner(model, KvEncoding(), 1);
    alone.push_back(runner.RunSequence(prompts[s], 1));
  }
  // All eight at once, each at a position of its own: sequence s starts s steps late.
  Runner together(model, KvEncoding(), 2);
  std::vector<std::vector<int32_t>> tables;
  for (int s = 0; s < kSequences; ++s) tables.push_back(together.NewBlockTable(kTokens));
  std::vector<std::vector<std::vector<float>>> batched(kSequences);
  for (int step = 0; step < kTokens + kSequences; ++step) {
    std::vector<ForwardRow> rows;
    std::vector<int> owners;
    for (int s = 0; s < kSequences; ++s) {
      const int p = step - s;
      if (p < 0 || p >= kTokens) continue;
      rows.push_back({prompts[s][p], p, tables[s], true});
      owners.push_back(s);
    }
    std::vector<std::vector<float>> logits;
    together.Step(rows, logits);
    for (size_t i = 0; i < owners.size(); ++i) batched[owners[i]].push_back(logits[i]);
  }
  for (int s = 0; s < kSequences; ++s) {
    ExpectSameBits(batched[s], alone[s], "sequence " + std::to_string(s));
  }
}

// Contexts of several spans: few rows are split into spans, many are not.
TEST(ForwardTest, SpansDoNotChangeABit) {
  TestModelSpec spec;
  spec.num_layers = 1;
  spec.context_length = 5000;
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  const std::vector<int32_t> tokens = MakeTokens(spec, 2 * kAttentionSpanKeys + 100);
  const auto last = [&](int tail, int threads) {
    Runner runner(model, KvType::kF16, threads, 160);
    const auto before = std::span(tokens).first(tokens.size() - 90);
    const std::vector<int32_t> table = runner.NewBlockTable(static_cast<int>(tokens.size()));
    runner.RunSequence(before, 96, table, false);
    return runner.RunSequence(tokens, tail, table, true, before.size());
  };
  const auto expected = last(1, 1);
  ASSERT_EQ(expected.size(), 90u);
  ExpectSameBits(last(5, 16), expected, "a few rows on many threads");
  ExpectSameBits(last(90, 2), expected, "many rows");
}

TEST(ForwardTest, OnlyRowsThatWantLogitsGetThem) {
  TestModelSpec spec;
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  const std::vector<int32_t> tokens = MakeTokens(spec, 10);
  Runner all(model, KvType::kF16, 1);
  const auto expected = all.RunSequence(tokens, 10);
  Runner some(model, KvType::kF16, 1);
  const std::vector<int32_t> table = some.NewBlockTable(10);
  std::vector<ForwardRow> rows;
  for (int p = 0; p < 10; ++p) rows.push_back({tokens[p], p, table, p == 4 || p == 9});
  std::vector<std::vector<float>> logits;
  some.Step(rows, logits);
  ASSERT_EQ(logits.size(), 2u);
  EXPECT_EQ(logits[0], expected[4]);
  EXPECT_EQ(logits[1], expected[9]);
  for (ForwardRow& row : rows) row.wants_logits = false;
  logits.clear();
  some.Step(rows, logits);
  EXPECT_TRUE(logits.empty());
  some.Step({}, logits);
  EXPECT_TRUE(logits.empty());
}

// Rolling back and writing a position again must leave no trace of what was there.
TEST(ForwardTest, APositionMayBeRewritten) {
  TestModelSpec spec;
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  const std::vector<int32_t> tokens = MakeTokens(spec, 40);
  const std::vector<int32_t> detour = MakeTokens(spec, 40, 99);
  Runner runner(model, KvType::kF16, 1);
  const auto expected = runner.RunSequence(tokens, 40);
  const std::vector<int32_t> table = runner.NewBlockTable(40);
  std::vector<std::vector<float>> logits;
  for (const auto& path : {detour, tokens}) {
    logits.clear();
    for (int p = 0; p < 40; ++p) {
      const ForwardRow row{path[p], p, table, true};
      runner.Step({&row, 1}, logits);
    }
  }
  ExpectSameBits(logits, expected, "rewritten");
}

TEST(ForwardDeathTest, RowsOutOfRangeStopTheProgram) {
  TestModelSpec spec;
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  Runner runner(model, KvType::kF16, 1);
  const std::vector<int32_t> table = {0};
  const std::vector<int32_t> bad_table = {64};
  std::vector<std::vector<float>> logits;
  const auto step = [&](ForwardRow row) { runner.Step({&row, 1}, logits); };
  EXPECT_DEATH(step({spec.vocabulary_size, 0, table, true}), "token out of range");
  EXPECT_DEATH(step({-1, 0, table, true}), "token out of range");
  EXPECT_DEATH(step({0, -1, table, true}), "position out of range");
  EXPECT_DEATH(step({0, spec.context_length, table, true}), "position out of range");
  EXPECT_DEATH(step({0, 32, table, true}), "beyond the block table");
  EXPECT_DEATH(step({0, 0, bad_table, true}), "block out of range");
}

}  // namespace
}  // namespace aio
