#include "engine/scheduler.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace aio {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;

TimePoint At(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }

// Knows `answer` tokens in advance, without a model.
class ScriptedSequence final : public Sequence {
 public:
  ScriptedSequence(SequenceSetup setup, std::vector<int32_t> guesses)
      : Sequence(setup), answer_tokens_(setup.answer_tokens_max), guesses_(std::move(guesses)) {}

  bool finished() const override { return is_finished_; }
  void Abort(Status) override { is_finished_ = true; }
  void Deliver() override {}

 private:
  void AppendDraft(int count_max, std::vector<int32_t>& draft) override {
    for (int32_t guess : guesses_) {
      if (static_cast<int>(draft.size()) < count_max) draft.push_back(guess);
    }
  }
  // Accepts guesses of token 1.
  void Consume(const LogitRows& logits, Sampler&, TimePoint, std::vector<int32_t>& known) override {
    EXPECT_EQ(logits.count, 1 + static_cast<int>(draft().size()));
    for (int i = 0; i < logits.count; ++i) {
      known.push_back(1);
      is_finished_ = num_tokens() - num_prompt_tokens() >= answer_tokens_;
      if (is_finished_ || i == logits.count - 1 || draft()[i] != 1) return;
    }
  }

  int answer_tokens_;
  std::vector<int32_t> guesses_;
  bool is_finished_ = false;
};

class SchedulerTest : public testing::Test {
 protected:
  void Start(SchedulerOptions options, int num_blocks = 100) {
    pool_ = std::make_unique<BlockPool>(num_blocks);
    held_ = std::make_unique<HeldPrompts>();
    scheduler_ = std::make_unique<Scheduler>(options, *pool_, *held_);
  }
  ~SchedulerTest() override {
    scheduler_.reset();
    held_.reset();
  }

  struct Job {
    int prompt = 1;
    int answer = 1;
    std::vector<int32_t> guesses = {};
    TimePoint deadline = kNoDeadline;
    std::optional<uint64_t> held = std::nullopt;
  };
  void Add(uint64_t id, const Job& job) {
    SequenceSetup setup;
    setup.id = id;
    setup.prompt.resize(job.prompt);
    std::iota(setup.prompt.begin(), setup.prompt.end(), 0);
    setup.answer_tokens_max = job.answer;
    setup.deadline = job.deadline;
    setup.held_prompt = job.held;
    scheduler_->Add(std::make_unique<ScriptedSequence>(std::move(setup), job.guesses));
  }

  // Plans and completes one step; "1:0+5 2:3+1" are rows of sequences 1 and 2.
  std::string Step() {
    scheduler_->Plan(At(0), plan_);
    std::string text;
    int num_rows = 0;
    for (const PlannedRows& rows : plan_.rows) {
      text += (text.empty() ? "" : " ") + std::to_string(rows.sequence->id()) + ":" +
              std::to_string(rows.begin) + "+" + std::to_string(rows.count);
      num_rows += rows.count;
      LogitRows logits;
      logits.count = rows.num_logit_rows();
      rows.sequence->CompleteRows(rows.count, logits, sampler_, At(0));
    }
    EXPECT_EQ(num_rows, plan_.num_rows);
    for (const auto& sequence : scheduler_->TakeFinished()) finished_.push_back(sequence->id());
    return text;
  }

  // A held prompt of tokens 0, 1, ...
  uint64_t Hold(int tokens) {
    HeldPrefix prefix;
    prefix.tokens.resize(tokens);
    std::iota(prefix.tokens.begin(), prefix.tokens.end(), 0);
    EXPECT_TRUE(prefix.blocks.Grow(*pool_, BlockPool::BlocksFor(tokens)));
    return held_->Add(std::move(prefix));
  }

  std::unique_ptr<BlockPool> pool_;
  std::unique_ptr<HeldPrompts> held_;
  std::unique_ptr<Scheduler> scheduler_;
  StepPlan plan_;
  Sampler sampler_;
  std::vector<uint64_t> finished_;
};

TEST_F(SchedulerTest, ComputesAPromptInChunksThenOneTokenAStep) {
  Start({.max_running = 4, .prefill_chunk_tokens = 4});
  Add(1, {.prompt = 10, .answer = 3});
  EXPECT_EQ(Step(), "1:0+4");
  EXPECT_EQ(Step(), "1:4+4");
  EXPECT_EQ(Step(), "1:8+2");
  EXPECT_EQ(Step(), "1:10+1");
  EXPECT_EQ(Step(), "1:11+1");
  EXPECT_EQ(finished_, (std::vector<uint64_t>{1}));
  EXPECT_FALSE(scheduler_->has_work());
  EXPECT_EQ(Step(), "");
  EXPECT_EQ(pool_->num_used(), 0);
}

TEST_F(SchedulerTest, AnswersGoOnBesideAPromptAndPromptsShareTheChunk) {
  Start({.max_running = 4, .prefill_chunk_tokens = 4});
  Add(1, {.prompt = 2, .answer = 10});
  EXPECT_EQ(Step(), "1:0+2");
  Add(2, {.prompt = 6, .answer = 1});
  Add(3, {.prompt = 5, .answer = 1});
  EXPECT_EQ(Step(), "1:2+1 2:0+4");
  EXPECT_EQ(Step(), "1:3+1 2:4+2 3:0+2");
  EXPECT_EQ(Step(), "1:4+1 3:2+3");
}

TEST_F(SchedulerTest, AtMostMaxRunningInOrderOfArrival) {
  Start({.max_running = 2});
  for (uint64_t id = 1; id <= 3; ++id) Add(id, {.prompt = 1, .answer = 2});
  EXPECT_EQ(Step(), "1:0+1 2:0+1");
  EXPECT_EQ(scheduler_->num_running(), 2);
  EXPECT_EQ(scheduler_->num_waiting(), 1);
  EXPECT_EQ(Step(), "1:1+1 2:1+1");
  EXPECT_EQ(Step(), "3:0+1");
}

TEST_F(SchedulerTest, AdmissionTakesAllBlocksAndTheHeadOfTheQueueWaitsForThem) {
  Start({}, /*num_blocks=*/4);
  Add(1, {.prompt = 1, .answer = 3 * kBlock});
  Add(2, {.prompt = kBlock, .answer = 2});
  Add(3, {.prompt = 1, .answer = 1});
  EXPECT_EQ(Step(), "1:0+1");
  EXPECT_EQ(pool_->num_used(), 3);
  EXPECT_EQ(scheduler_->num_waiting(), 2);  // 3 would fit, but 2 came before it
  scheduler_->Take(1);
  EXPECT_EQ(Step(), "2:0+" + std::to_string(kBlock) + " 3:0+1");
}

TEST_F(SchedulerTest, GuessesAreMoreRowsAndTheMarkFallsBackWhenTheyAreWrong) {
  Start({});
  Add(1, {.prompt = 3, .answer = 9, .guesses = {1, 1, 7}});
  EXPECT_EQ(Step(), "1:0+3");
  EXPECT_EQ(Step(), "1:3+4");  // two of three true: three new tokens
  EXPECT_EQ(Step(), "1:6+4");
  EXPECT_EQ(Step(), "1:9+2");  // two tokens left: one guess at most
  EXPECT_EQ(finished_, (std::vector<uint64_t>{1}));
}

TEST_F(SchedulerTest, GuessesAreLimitedOverAllSequencesOldestFirst) {
  Start({.max_draft_tokens = 3});
  Add(1, {.prompt = 1, .answer = 20, .guesses = {7, 7}});
  Add(2, {.prompt = 1, .answer = 20, .guesses = {7, 7}});
  Add(3, {.prompt = 1, .answer = 20, .guesses = {7, 7}});
  Step();
  EXPECT_EQ(Step(), "1:1+3 2:1+2 3:1+1");
  EXPECT_EQ(plan_.num_draft_tokens, 3);
}

TEST_F(SchedulerTest, ExpiredOnesAreTakenRunningOrWaiting) {
  Start({.max_running = 1});
  Add(1, {.answer = 9, .deadline = At(5)});
  Add(2, {.deadline = At(3)});
  Add(3, {});
  Step();
  EXPECT_TRUE(scheduler_->TakeExpired(At(2)).empty());
  EXPECT_EQ(scheduler_->TakeExpired(At(3)).at(0)->id(), 2u);
  EXPECT_EQ(scheduler_->TakeExpired(At(6)).at(0)->id(), 1u);
  EXPECT_EQ(scheduler_->num_waiting(), 1);
}

TEST_F(SchedulerTest, TakeFindsRunningAndWaiting) {
  Start({.max_running = 1});
  Add(1, {.answer = 9});
  Add(2, {});
  Step();
  EXPECT_EQ(scheduler_->Take(9), nullptr);
  EXPECT_EQ(scheduler_->Take(2)->id(), 2u);
  EXPECT_EQ(scheduler_->Take(1)->id(), 1u);
  EXPECT_EQ(pool_->num_used(), 0);  // a table gives its blocks back by itself
}

TEST_F(SchedulerTest, AHeldPromptIsSharedAndItsLastBlockCopied) {
  Start({});
  const uint64_t held = Hold(2 * kBlock + 5);
  Add(1, {.prompt = 3 * kBlock, .answer = 2, .held = held});
  EXPECT_EQ(Step(), "1:" + std::to_string(2 * kBlock + 5) + "+" + std::to_string(kBlock - 5));
  const Sequence& sequence = *plan_.rows[0].sequence;
  EXPECT_EQ(sequence.num_cached(), 2 * kBlock + 5);
  const HeldPrefix& prefix = *held_->Find(held);
  EXPECT_EQ(sequence.blocks().ids()[0], prefix.blocks.ids()[0]);
  EXPECT_EQ(sequence.blocks().ids()[1], prefix.blocks.ids()[1]);
  ASSERT_EQ(plan_.copies.size(), 1u);
  EXPECT_EQ(plan_.copies[0].from, prefix.blocks.ids()[2]);
  EXPECT_EQ(plan_.copies[0].to, sequence.blocks().ids()[2]);
  EXPECT_EQ(pool_->num_used(), 3 + 2);
}

TEST_F(SchedulerTest, TheLastPromptTokenIsAlwaysComputed) {
  Start({});
  const uint64_t held = Hold(kBlock);
  Add(1, {.prompt = kBlock, .answer = 5, .held = held});
  EXPECT_EQ(Step(), "1:" + std::to_string(kBlock - 1) + "+1");
  // Its block is written, so it may not be shared.
  EXPECT_NE(plan_.rows[0].sequence->blocks().ids()[0], held_->Find(held)->blocks.ids()[0]);
  EXPECT_EQ(plan_.copies.size(), 1u);
}

TEST_F(SchedulerTest, OnlyTheCommonPrefixOfAHeldPromptCounts) {
  Start({});
  HeldPrefix prefix;
  prefix.tokens = {0, 1, 2, 99, 4};
  ASSERT_TRUE(prefix.blocks.Grow(*pool_, 1));
  const uint64_t held = held_->Add(std::move(prefix));
  Add(1, {.prompt = 6, .answer = 1, .held = held});
  EXPECT_EQ(Step(), "1:3+3");
}

TEST_F(SchedulerTest, AReleasedHeldPromptIsComputedAgain) {
  Start({});
  const uint64_t held = Hold(10);
  held_->Release(held);
  Add(1, {.prompt = 12, .answer = 1, .held = held});
  EXPECT_EQ(Step(), "1:0+12");
}

TEST_F(SchedulerTest, HeldPromptsGiveWayOldestFirstButNotTheOneInUse) {
  Start({}, /*num_blocks=*/6);
  const uint64_t wanted = Hold(2 * kBlock);
  const uint64_t other = Hold(2 * kBlock);
  // Needs five blocks, two of them shared: three new ones, and two are free.
  Add(1, {.prompt = 2 * kBlock + 1, .answer = 3 * kBlock, .held = wanted});
  EXPECT_EQ(Step(), "1:" + std::to_string(2 * kBlock) + "+1");
  EXPECT_NE(held_->Find(wanted), nullptr);
  EXPECT_EQ(held_->Find(other), nullptr);
}

TEST_F(SchedulerTest, AHeldPromptInTheWayOfItsOwnGenerationGoes) {
  Start({}, /*num_blocks=*/3);
  // All three blocks are needed, and the held prompt's second one cannot be shared.
  const uint64_t held = Hold(kBlock + 5);
  Add(1, {.prompt = kBlock + 6, .answer = 2 * kBlock - 6, .held = held});
  EXPECT_EQ(Step(), "1:0+" + std::to_string(kBlock + 6));
  EXPECT_EQ(held_->Find(held), nullptr);
}

TEST_F(SchedulerTest, AnAdmissionThatMustWaitReclaimsNothing) {
  Start({}, /*num_blocks=*/6);
  Add(1, {.prompt = 1, .answer = 3 * kBlock});
  Step();
  const uint64_t held = Hold(kBlock);
  Add(2, {.prompt = 1, .answer = 5 * kBlock});
  Step();
  EXPECT_EQ(scheduler_->num_waiting(), 1);
  EXPECT_NE(held_->Find(held), nullptr);
  scheduler_->Take(1);
  Step();
  EXPECT_EQ(scheduler_->num_running(), 1);
}

TEST_F(SchedulerTest, PlansRespectEveryLimit) {
  const SchedulerOptions options{
      .max_running = 3, .prefill_chunk_tokens = 7, .max_draft_tokens = 4};
  Start(options, /*num_blocks=*/8);
  uint64_t id = 0;
  for (int i = 0; i < 40; ++i) {
    Add(++id, {.prompt = 1 + i * 7 % 90, .answer = 1 + i * 11 % 100, .guesses = {1, i % 3, 1}});
  }
  while (scheduler_->has_work()) {
    Step();
    EXPECT_LE(scheduler_->num_running(), options.max_running);
    EXPECT_LE(plan_.num_draft_tokens, options.max_draft_tokens);
    EXPECT_LE(plan_.num_rows, options.max_rows());
  }
  EXPECT_EQ(finished_.size(), id);
  EXPECT_EQ(pool_->num_used(), 0);
}

}  // namespace
}  // namespace aio
