#include "engine/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
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

  const std::vector<int32_t>& guesses() const { return guesses_; }

 private:
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

// Everybody's guesses, the oldest first while there is room.
class ScriptedDrafts final : public DraftPlanner {
 public:
  void PlanDrafts(std::span<Sequence* const> decoding, int /*prefill_tokens*/,
                  int count_max) override {
    for (Sequence* sequence : decoding) {
      const auto& guesses = dynamic_cast<const ScriptedSequence&>(*sequence).guesses();
      const int count = std::min(
          {static_cast<int>(guesses.size()), count_max, std::max(sequence->draft_room(), 0)});
      sequence->SetDraft(std::span(guesses).first(count));
      count_max -= count;
    }
  }
};

class SchedulerTest : public testing::Test {
 protected:
  void Start(SchedulerOptions options, int num_blocks = 100) {
    pool_ = std::make_unique<BlockPool>(num_blocks);
    cache_ = std::make_unique<PrefixCache>(*pool_);
    scheduler_ = std::make_unique<Scheduler>(options, *pool_, *cache_, &drafts_);
  }

  struct Job {
    int prompt = 1;
    int answer = 1;
    std::vector<int32_t> guesses = {};
    TimePoint deadline = kNoDeadline;
    int first_token = -1;  // of the prompt; those after it count up. -1: shared with no other
    uint64_t arrival = 0;  // 0: its id
  };
  void Add(uint64_t id, const Job& job) {
    SequenceSetup setup;
    setup.id = id;
    setup.prompt.resize(job.prompt);
    const int first = job.first_token >= 0 ? job.first_token : static_cast<int>(id) * 10000;
    std::iota(setup.prompt.begin(), setup.prompt.end(), first);
    setup.arrival = job.arrival > 0 ? job.arrival : id;
    setup.answer_tokens_max = job.answer;
    setup.deadline = job.deadline;
    scheduler_->Add(std::make_unique<ScriptedSequence>(std::move(setup), job.guesses));
  }

  // Plans and completes one step; "1:0+5 2:3+1" are rows of sequences 1 and 2.
  std::string Step() {
    scheduler_->Plan(At(0), prefill_tokens_, plan_);
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
    for (const auto& sequence : scheduler_->TakeFinished()) {
      finished_.push_back(sequence->id());
      sequence->ReleaseBlocks(*cache_);
    }
    return text;
  }

  // Somebody computed tokens 0, 1, ... before; their blocks.
  std::vector<int32_t> Remember(int count) {
    std::vector<int32_t> tokens(count);
    std::iota(tokens.begin(), tokens.end(), 0);
    BlockTable table;
    EXPECT_TRUE(table.Grow(*pool_, BlockPool::BlocksFor(count)));
    cache_->Insert(/*salt=*/0, tokens, table);
    return {table.ids().begin(), table.ids().end()};
  }

  ScriptedDrafts drafts_;
  std::unique_ptr<BlockPool> pool_;
  std::unique_ptr<PrefixCache> cache_;
  std::unique_ptr<Scheduler> scheduler_;
  int prefill_tokens_ = 1 << 20;
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

TEST_F(SchedulerTest, AStepMayBeAllowedFewerPromptTokens) {
  Start({.prefill_chunk_tokens = 8});
  Add(1, {.prompt = 30});
  prefill_tokens_ = 3;
  EXPECT_EQ(Step(), "1:0+3");
  prefill_tokens_ = 100;
  EXPECT_EQ(Step(), "1:3+8");
}

TEST_F(SchedulerTest, AdmissionTakesBlocksForWhatIsKnownAndOneMore) {
  Start({}, /*num_blocks=*/4);
  Add(1, {.prompt = 1, .answer = 3 * kBlock});
  Add(2, {.prompt = 2 * kBlock, .answer = 1});
  Add(3, {.prompt = 1, .answer = 1});
  EXPECT_EQ(Step(), "1:0+1 2:0+" + std::to_string(2 * kBlock));
  EXPECT_EQ(pool_->num_used(), 2);  // of 1; 2 has ended and left its prompt behind
  EXPECT_EQ(pool_->num_idle(), 2);
  EXPECT_EQ(Step(), "1:1+1 3:0+1");
}

TEST_F(SchedulerTest, TheHeadOfTheQueueWaitsForBlocksAndTheOthersBehindIt) {
  Start({}, /*num_blocks=*/4);
  Add(1, {.prompt = 1, .answer = 2 * kBlock});
  Add(2, {.prompt = 2 * kBlock + 1, .answer = 1});
  Add(3, {.prompt = 1, .answer = 1});
  EXPECT_EQ(Step(), "1:0+1");
  EXPECT_EQ(scheduler_->num_waiting(), 2);  // 3 would fit, but 2 came before it
  scheduler_->Take(1);
  EXPECT_EQ(Step(), "2:0+" + std::to_string(2 * kBlock + 1) + " 3:0+1");
}

TEST_F(SchedulerTest, WhoArrivedFirstIsServedFirstWhateverTheOrderOfAdding) {
  Start({.max_running = 1});
  Add(5, {});
  Add(6, {});
  Add(7, {.arrival = 4});  // the generation whose probe arrived before the others
  EXPECT_EQ(Step(), "7:0+1");
  EXPECT_EQ(Step(), "5:0+1");
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

// --- The prefix cache

TEST_F(SchedulerTest, AKnownPrefixIsSharedAndItsLastBlockCopied) {
  Start({});
  const std::vector<int32_t> known = Remember(2 * kBlock + 5);
  Add(1, {.prompt = 3 * kBlock, .answer = 2, .first_token = 0});
  EXPECT_EQ(Step(), "1:" + std::to_string(2 * kBlock + 5) + "+" + std::to_string(kBlock - 5));
  const Sequence& sequence = *plan_.rows[0].sequence;
  EXPECT_EQ(sequence.num_cached(), 2 * kBlock + 5);
  EXPECT_EQ(sequence.blocks().ids()[0], known[0]);
  EXPECT_EQ(sequence.blocks().ids()[1], known[1]);
  ASSERT_EQ(plan_.copies.size(), 1u);
  EXPECT_EQ(plan_.copies[0].from, known[2]);
  EXPECT_EQ(plan_.copies[0].to, sequence.blocks().ids()[2]);
  EXPECT_EQ(scheduler_->counts().prefix_tokens_asked, 3 * kBlock);
  EXPECT_EQ(scheduler_->counts().prefix_tokens_found, 2 * kBlock + 5);
}

TEST_F(SchedulerTest, TheLastPromptTokenIsAlwaysComputed) {
  Start({});
  const std::vector<int32_t> known = Remember(kBlock);
  Add(1, {.prompt = kBlock, .answer = 5, .first_token = 0});
  EXPECT_EQ(Step(), "1:" + std::to_string(kBlock - 1) + "+1");
  // Its block is written, so it may not be shared.
  EXPECT_NE(plan_.rows[0].sequence->blocks().ids()[0], known[0]);
  EXPECT_EQ(plan_.copies.size(), 1u);
}

TEST_F(SchedulerTest, AnAnswerIsKnownToWhoeverGoesOnFromIt) {
  Start({});
  Add(1, {.prompt = 4, .answer = 5});  // its tokens are all 1
  while (scheduler_->has_work()) Step();
  std::vector<int32_t> conversation = {10000, 10001, 10002, 10003, 1, 1, 1, 1, 1};
  // The last token was sampled and never computed.
  EXPECT_EQ(cache_->Find(0, conversation).num_tokens(), 4 + 4);
}

TEST_F(SchedulerTest, ABlockToBeCopiedGivesWayToTheSequenceThatWantsIt) {
  Start({}, /*num_blocks=*/3);
  Remember(2 * kBlock + 5);
  // All three blocks are needed; the third cannot be both source and target.
  Add(1, {.prompt = 2 * kBlock + 6, .answer = 1, .first_token = 0});
  EXPECT_EQ(Step(), "1:" + std::to_string(2 * kBlock) + "+6");
}

TEST_F(SchedulerTest, AnAdmissionThatMustWaitReclaimsNothing) {
  Start({}, /*num_blocks=*/6);
  Add(1, {.prompt = 3 * kBlock, .answer = 9});
  Step();
  Remember(kBlock);
  Add(2, {.prompt = 5 * kBlock, .answer = 2});
  Step();
  EXPECT_EQ(scheduler_->num_waiting(), 1);
  EXPECT_EQ(cache_->num_blocks(), 1);
  scheduler_->Take(1);
  Step();
  EXPECT_EQ(scheduler_->num_running(), 1);
}

// --- Preemption

TEST_F(SchedulerTest, TheYoungestGivesWayAndIsComputedAgainFromWhatIsStillKnown) {
  Start({}, /*num_blocks=*/4);
  Add(1, {.prompt = 1, .answer = 3 * kBlock});
  Add(2, {.prompt = 1, .answer = 3 * kBlock});
  int steps = 0;
  while (scheduler_->counts().preemptions == 0) {
    Step();
    ASSERT_LT(++steps, 1000);
  }
  // Both had two blocks, and 1 needed a third.
  EXPECT_EQ(steps, 2 * kBlock + 1);
  EXPECT_EQ(plan_.rows.size(), 1u);
  EXPECT_EQ(plan_.rows[0].sequence->id(), 1u);
  EXPECT_EQ(scheduler_->num_waiting(), 1);
  while (scheduler_->has_work()) Step();
  EXPECT_EQ(finished_, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(scheduler_->counts().preemptions, 1);
}

TEST_F(SchedulerTest, GuessesNeverPreempt) {
  Start({}, /*num_blocks=*/2);
  Add(1, {.prompt = kBlock - 1, .answer = 2, .guesses = {1, 1, 1}});
  Add(2, {.prompt = kBlock - 2, .answer = 3, .guesses = {7, 7, 7}});
  while (scheduler_->has_work()) Step();
  EXPECT_EQ(scheduler_->counts().preemptions, 0);
}

TEST_F(SchedulerTest, APreemptedSequenceComesBackBeforeThoseWhoNeverRan) {
  Start({}, /*num_blocks=*/4);
  Add(1, {.prompt = 1, .answer = 3 * kBlock});
  Add(2, {.prompt = 1, .answer = 3 * kBlock});
  while (scheduler_->counts().preemptions == 0) Step();
  Add(3, {.prompt = 1, .answer = 1});
  while (scheduler_->has_work()) Step();
  EXPECT_EQ(finished_.front(), 1u);
  EXPECT_EQ(finished_.size(), 3u);
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
  EXPECT_GT(scheduler_->counts().preemptions, 0);
  EXPECT_EQ(pool_->num_used(), 0);
}

}  // namespace
}  // namespace aio
