// Hidden states and passes that end early, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/allocation_counter.h"
#include "kernels/aligned.h"
#include "kernels/kernels.h"
#include "kernels/matmul.h"
#include "model/forward.h"
#include "model/testing/test_model.h"

namespace aio {
namespace {

constexpr int kLayers = 3;
constexpr int kTokens = 40;

using Vector = std::vector<float>;
using HiddenStates = std::map<std::pair<int, int>, Vector>;  // by layers and position

// Keeps all it is shown.
class KeepAll final : public HiddenReader {
 public:
  bool Wants(int) const override { return true; }
  void Read(int layers, int position, std::span<const float> x) override {
    const bool is_new = states.try_emplace({layers, position}, x.begin(), x.end()).second;
    EXPECT_TRUE(is_new) << "shown twice: " << layers << " layers, position " << position;
  }

  HiddenStates states;
};

std::shared_ptr<const Model> MakeModel(int num_layers, TensorType type = TensorType::kF32) {
  TestModelSpec spec;  // of one seed: models with fewer layers are the beginning of this one
  spec.num_layers = num_layers;
  spec.matrix_type = type;
  return LoadRandomModel(spec);
}

int32_t TokenAt(int sequence, int position) { return (sequence * 37 + position * 11) % 128; }

// Two sequences in one cache.
class Runner {
 public:
  Runner(std::shared_ptr<const Model> model, int threads)
      : model_(std::move(model)),
        cache_(KvCache::Create(model_->config(), KvType::kF16, 4).value()),
        scratch_(model_->config(), 2 * kTokens, 2 * kTokens),
        pool_(threads) {}

  ForwardRow Row(int sequence, int position) const {
    return {.token = TokenAt(sequence, position),
            .position = position,
            .block_table = tables_[sequence]};
  }
  Vector Step(std::span<const ForwardRow> rows) {
    const std::span<const float> logits = Forward(*model_, rows, *cache_, scratch_, pool_);
    return {logits.begin(), logits.end()};
  }
  // All of sequence 0, `chunk` tokens a step.
  HiddenStates Read(int chunk, int num_layers = ForwardRow::kAllLayers) {
    KeepAll reader;
    for (int begin = 0; begin < kTokens; begin += chunk) {
      std::vector<ForwardRow> rows;
      for (int p = begin; p < std::min(begin + chunk, kTokens); ++p) {
        rows.push_back(Row(0, p));
        rows.back().num_layers = num_layers;
        rows.back().hidden = &reader;
      }
      EXPECT_TRUE(Step(rows).empty());
    }
    return reader.states;
  }

 private:
  std::shared_ptr<const Model> model_;
  std::unique_ptr<KvCache> cache_;
  ForwardScratch scratch_;
  ThreadPool pool_;
  const std::vector<int32_t> tables_[2] = {{2, 0}, {1, 3}};
};

TEST(ForwardHiddenTest, LogitsAreTheOutputOfTheLastHiddenState) {
  for (const TensorType type : {TensorType::kF32, TensorType::kQ8_0}) {
    const std::shared_ptr<const Model> model = MakeModel(kLayers, type);
    const ModelConfig& config = model->config();
    Runner runner(model, 1);
    KeepAll reader;
    std::vector<ForwardRow> rows;
    for (int p = 0; p < kTokens; ++p) rows.push_back(runner.Row(0, p));
    rows.back().wants_logits = true;
    rows.back().hidden = &reader;
    const Vector logits = runner.Step(rows);
    ASSERT_EQ(reader.states.size(), kLayers + 1u);

    const Vector& last = reader.states.at({kLayers, kTokens - 1});
    AlignedVector<float> normed(last.size());
    RmsNorm(last, model->weights().output_norm, config.rms_norm_epsilon, normed);
    AlignedVector<float> expected(config.vocabulary_size);
    MatMulScratch scratch(1, normed.size());
    ThreadPool pool(1);
    const Product product{model->weights().output, {}, expected};
    MatMul({&product, 1}, normed, scratch, pool);
    EXPECT_EQ(logits, Vector(expected.begin(), expected.end()));
  }
}

// With the test above, each layer's states are what the model's first layers compute.
TEST(ForwardHiddenTest, TheFirstLayersAreAModelOfTheirOwn) {
  const HiddenStates whole = Runner(MakeModel(kLayers), 1).Read(kTokens);
  EXPECT_EQ(whole.size(), (kLayers + 1u) * kTokens);
  for (int layers = 1; layers < kLayers; ++layers) {
    const HiddenStates part = Runner(MakeModel(layers), 1).Read(kTokens);
    for (const auto& [at, x] : part) {
      ASSERT_EQ(x, whole.at(at)) << at.first << " layers, position " << at.second;
    }
  }
}

TEST(ForwardHiddenTest, ChunksThreadsAndEarlyExitDoNotChangeABit) {
  const std::shared_ptr<const Model> model = MakeModel(kLayers);
  const HiddenStates expected = Runner(model, 1).Read(1);
  for (const int threads : {1, 2}) {
    for (const int chunk : {1, 7, 33, kTokens}) {
      EXPECT_EQ(Runner(model, threads).Read(chunk), expected);
      for (int layers = 0; layers <= kLayers; ++layers) {
        HiddenStates part = expected;
        std::erase_if(part, [&](const auto& state) { return state.first.first > layers; });
        EXPECT_EQ(Runner(model, threads).Read(chunk, layers), part) << layers << " layers";
      }
    }
  }
}

// Rows that leave a step after their last layer change nothing for those that stay.
TEST(ForwardHiddenTest, RowsThatLeaveEarlyDoNotDisturbTheOthers) {
  const std::shared_ptr<const Model> model = MakeModel(kLayers);
  const auto last_logits = [&](int others, int num_layers) {
    Runner runner(model, 2);
    KeepAll reader;
    std::vector<ForwardRow> rows;
    for (int p = 0; p < kTokens; ++p) rows.push_back(runner.Row(0, p));
    rows.back().wants_logits = true;
    for (int p = 0; p < others; ++p) {
      rows.push_back(runner.Row(1, p));
      rows.back().num_layers = num_layers;
      rows.back().hidden = &reader;
    }
    Vector logits = runner.Step(rows);
    EXPECT_EQ(reader.states.size(), others * (std::min(num_layers, kLayers) + size_t{1}));
    // What the first sequence left in the cache is whole: it goes on as if alone.
    ForwardRow again = runner.Row(0, kTokens - 1);
    again.wants_logits = true;
    EXPECT_EQ(runner.Step({&again, 1}), logits);
    return logits;
  };
  const Vector alone = last_logits(0, 0);
  for (int num_layers = 0; num_layers <= kLayers; ++num_layers) {
    EXPECT_EQ(last_logits(kTokens, num_layers), alone) << num_layers << " layers";
  }
}

// Adds up what it is shown.
class Sum final : public HiddenReader {
 public:
  explicit Sum(size_t size) : values_(size) {}
  bool Wants(int layers) const override { return layers == 2; }
  void Read(int, int, std::span<const float> x) override { AddInPlace(values_, x); }
  const Vector& values() const { return values_; }
  void Clear() { std::fill(values_.begin(), values_.end(), 0.0f); }

 private:
  Vector values_;
};

TEST(ForwardHiddenTest, ReadingDoesNotAllocate) {
  const std::shared_ptr<const Model> model = MakeModel(kLayers);
  Runner runner(model, 2);
  Sum sum(model->config().hidden_size);
  std::vector<ForwardRow> rows;
  for (int p = 0; p < kTokens; ++p) {
    rows.push_back(runner.Row(0, p));
    rows.back().num_layers = 2;
    rows.back().hidden = &sum;
  }
  runner.Step(rows);  // chooses the instruction set
  const Vector once = sum.values();
  sum.Clear();
  const int before = AllocationCount();
  runner.Step(rows);
  EXPECT_EQ(AllocationCount() - before, 0);
  EXPECT_EQ(sum.values(), once);
}

TEST(ForwardHiddenDeathTest, RowsInTheWrongOrderStopTheProgram) {
  Runner runner(MakeModel(kLayers), 1);
  std::vector<ForwardRow> rows = {runner.Row(0, 0), runner.Row(1, 0)};
  rows[0].num_layers = 1;
  EXPECT_DEATH(runner.Step(rows), "rows out of order of layers");
  rows[1].num_layers = -1;
  EXPECT_DEATH(runner.Step(rows), "rows out of order of layers");
  rows[1].num_layers = 1;
  rows[1].wants_logits = true;
  EXPECT_DEATH(runner.Step(rows), "logits need all layers");
}

}  // namespace
}  // namespace aio
