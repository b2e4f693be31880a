// What `auto` does with a sequence whose text repeats itself, by what its steps cost.
#include "engine/speculator.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aio {
namespace {

// Continues its prompt with a text that is known in advance.
class ScriptedSequence final : public Sequence {
 public:
  ScriptedSequence(SequenceSetup setup, const Strategy& strategy, std::vector<int32_t> answer)
      : Sequence(std::move(setup)),
        answer_(std::move(answer)),
        sampling_(SamplingParams(), tokens()),
        drafting_(strategy, "", sampling_) {}

  Drafting* drafting() override { return &drafting_; }
  bool finished() const override { return next_ == answer_.size(); }
  void Abort(Status) override {}
  void Deliver() override {}

 private:
  void Consume(const LogitRows&, Sampler&, TimePoint, std::vector<int32_t>& known) override {
    for (size_t i = 0; i <= draft().size() && next_ < answer_.size(); ++i) {
      known.push_back(answer_[next_++]);
      if (i == draft().size() || draft()[i] != known.back()) return;
    }
  }

  const std::vector<int32_t> answer_;
  size_t next_ = 0;
  SamplingState sampling_;
  Drafting drafting_;
};

std::vector<int32_t> Distinct(int count, int first) {
  std::vector<int32_t> tokens(count);
  for (int i = 0; i < count; ++i) tokens[i] = first + i;
  return tokens;
}

struct Outcome {
  int steps = 0;
  int drafted = 0;
  std::vector<int> lengths;
};

// Decodes `answer` after `prompt` with an `other_rows` more tokens in each step.
Outcome Decode(const std::vector<int32_t>& prompt, const std::vector<int32_t>& answer,
               const StepCosts& costs, Strategy strategy = DefaultStrategy(StrategyKind::kAuto),
               int other_rows = 0, int count_max = 64) {
  const ManualClock clock;
  BlockPool pool(100);
  Speculator speculator(costs, clock, 1 << 20);
  SequenceSetup setup;
  setup.id = 1;
  setup.prompt = prompt;
  setup.answer_tokens_max = static_cast<int>(answer.size());
  ScriptedSequence sequence(std::move(setup), strategy, answer);
  BlockTable blocks;
  EXPECT_TRUE(blocks.Grow(pool, BlockPool::BlocksFor(sequence.num_positions_max())));
  sequence.Admit(std::move(blocks), static_cast<int>(prompt.size()) - 1, TimePoint());
  Sampler sampler;
  Outcome outcome;
  while (!sequence.finished()) {
    Sequence* const decoding[] = {&sequence};
    speculator.PlanDrafts(decoding, other_rows, count_max);
    const auto drafted = static_cast<int>(sequence.draft().size());
    EXPECT_LE(drafted, std::min(count_max, strategy.num_speculative_tokens));
    outcome.drafted += drafted;
    outcome.lengths.push_back(drafted);
    ++outcome.steps;
    LogitRows logits;
    logits.count = drafted + 1;
    sequence.CompleteRows(drafted + 1, logits, sampler, TimePoint());
  }
  return outcome;
}

const StepCosts& BoundByMemory() {
  static const StepCosts costs({1, 17}, {10, 14});
  return costs;
}
const StepCosts& BoundByArithmetic() {
  static const StepCosts costs({1, 17}, {10, 180});
  return costs;
}

TEST(SpeculatorTest, CopiesInFewSteps) {
  const std::vector<int32_t> text = Distinct(200, 0);
  EXPECT_LT(Decode(text, text, BoundByMemory()).steps, 200 / 8);
}

TEST(SpeculatorTest, WhereNothingRepeatsNothingIsDrafted) {
  EXPECT_EQ(Decode(Distinct(50, 0), Distinct(200, 1000), BoundByMemory()).drafted, 0);
}

TEST(SpeculatorTest, GivesUpOnRepetitionsThatLeadAstray) {
  // Every other token is a known one, and what followed it before never follows again.
  std::vector<int32_t> answer;
  for (int i = 0; i < 200; ++i) answer.push_back(i % 2 == 0 ? 7 : 1000 + i);
  const Outcome outcome = Decode({7, 1, 7, 2, 7, 3}, answer, StepCosts({1, 17}, {10, 30}));
  EXPECT_LT(outcome.drafted, 20);
}

TEST(SpeculatorTest, ARightGuessThatCostsAsMuchAsATokenIsNotWorthIt) {
  const std::vector<int32_t> text = Distinct(200, 0);
  EXPECT_EQ(Decode(text, text, BoundByArithmetic()).drafted, 0);
}

TEST(SpeculatorTest, LearnsWithoutChecking) {
  // Too dear while guesses are believed to be no better than usual; not when they are all right.
  const StepCosts costs({1, 2, 17}, {10, 18.5, 40});
  const std::vector<int32_t> text = Distinct(300, 0);
  const Outcome outcome = Decode(text, text, costs);
  EXPECT_GT(outcome.lengths.back() + outcome.lengths[outcome.lengths.size() - 2], 8);
}

TEST(SpeculatorTest, ABusyStepIsLeftAlone) {
  // The step is bound by memory up to 16 tokens only.
  const StepCosts costs({1, 16, 17, 32}, {10, 11, 20, 160});
  const std::vector<int32_t> text = Distinct(100, 0);
  EXPECT_GT(Decode(text, text, costs).drafted, 60);
  EXPECT_EQ(
      Decode(text, text, costs, DefaultStrategy(StrategyKind::kAuto), /*other_rows=*/16).drafted,
      0);
}

TEST(SpeculatorTest, AFixedStrategyDoesAsItWasTold) {
  Strategy strategy = DefaultStrategy(StrategyKind::kPromptLookup);
  strategy.num_speculative_tokens = 3;
  const std::vector<int32_t> text = Distinct(100, 0);
  const Outcome outcome = Decode(text, text, BoundByArithmetic(), strategy);
  EXPECT_EQ(outcome.lengths[2], 3);
  EXPECT_NEAR(outcome.steps, 26, 2);
  EXPECT_LE(Decode(text, text, BoundByArithmetic(), strategy, 0, /*count_max=*/2).steps, 36);
}

}  // namespace
}  // namespace aio
