#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace aio {

namespace {

// Tokens of the held prefix that `sequence` can go on from; at least its last prompt
// token is computed anew, for the logits.
int UsablePrefix(const HeldPrefix& held, const Sequence& sequence) {
  const int limit =
      std::min(static_cast<int>(held.tokens.size()), sequence.num_prompt_tokens() - 1);
  int common = 0;
  while (common < limit && held.tokens[common] == sequence.tokens()[common]) ++common;
  return common;
}

}  // namespace

void StepPlan::Clear() {
  copies.clear();
  rows.clear();
  admitted.clear();
  num_rows = 0;
  num_draft_tokens = 0;
}

Scheduler::Scheduler(const SchedulerOptions& options, BlockPool& pool, HeldPrompts& held)
    : options_(options), pool_(pool), held_(held) {
  AIO_CHECK(options.max_running >= 1 && options.prefill_chunk_tokens >= 1 &&
            options.max_draft_tokens >= 0);
}

void Scheduler::Add(std::unique_ptr<Sequence> sequence) {
  AIO_CHECK(BlockPool::BlocksFor(sequence->num_positions_max()) <= pool_.num_blocks());
  waiting_.push_back(std::move(sequence));
}

void Scheduler::Plan(TimePoint now, StepPlan& plan) {
  plan.Clear();
  PlanAnswerRows(plan);
  int prompt_tokens_left = options_.prefill_chunk_tokens;
  const auto plan_prompt_rows = [&](Sequence& sequence) {
    const int pending = sequence.num_prompt_tokens() - sequence.num_computed();
    const int count = std::min(pending, prompt_tokens_left);
    if (count > 0) PlanRows(sequence, count, plan);
    prompt_tokens_left -= count;
  };
  for (const auto& sequence : running_) {
    if (sequence->num_computed() < sequence->num_prompt_tokens()) plan_prompt_rows(*sequence);
  }
  while (!waiting_.empty() && prompt_tokens_left > 0 && num_running() < options_.max_running) {
    if (!Admit(*waiting_.front(), now, plan)) break;
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    plan_prompt_rows(*running_.back());
  }
  AIO_CHECK(plan.num_rows <= options_.max_rows());
  AIO_CHECK(plan.num_rows > 0 || !has_work(), "the queue is stuck");
}

void Scheduler::PlanAnswerRows(StepPlan& plan) {
  for (const auto& sequence : running_) {
    if (sequence->num_computed() < sequence->num_prompt_tokens()) continue;
    sequence->Draft(options_.max_draft_tokens - plan.num_draft_tokens);
    plan.num_draft_tokens += static_cast<int>(sequence->draft().size());
    PlanRows(*sequence, sequence->num_pending(), plan);
  }
}

void Scheduler::PlanRows(Sequence& sequence, int count, StepPlan& plan) {
  plan.rows.push_back({&sequence, sequence.num_computed(), count});
  plan.num_rows += count;
}

bool Scheduler::Admit(Sequence& sequence, TimePoint now, StepPlan& plan) {
  const int blocks_needed = BlockPool::BlocksFor(sequence.num_positions_max());
  const std::optional<uint64_t> held_id = sequence.held_prompt();
  const HeldPrefix* held = held_id ? held_.Find(*held_id) : nullptr;
  int num_cached = held != nullptr ? UsablePrefix(*held, sequence) : 0;
  int num_shared = num_cached / KvCache::kBlockTokens;  // only full blocks are never written
  if (num_cached == 0 || !held_.MakeRoom(pool_, blocks_needed - num_shared, held_id)) {
    // Without the held prompt, which may then be reclaimed like any other.
    if (!held_.MakeRoom(pool_, blocks_needed, std::nullopt)) return false;
    num_cached = 0;
    num_shared = 0;
  }
  BlockTable blocks = num_shared > 0 ? held->blocks.SharePrefix(num_shared) : BlockTable();
  AIO_CHECK(blocks.Grow(pool_, blocks_needed - num_shared));
  if (num_cached > num_shared * KvCache::kBlockTokens) {
    plan.copies.push_back({held->blocks.ids()[num_shared], blocks.ids()[num_shared]});
  }
  plan.admitted.push_back(&sequence);
  sequence.Admit(std::move(blocks), num_cached, now);
  return true;
}

template <typename Condition>
std::vector<std::unique_ptr<Sequence>> Scheduler::TakeIf(const Condition& condition) {
  std::vector<std::unique_ptr<Sequence>> taken;
  const auto take_from = [&](auto& sequences) {
    auto kept = sequences.begin();
    for (auto& sequence : sequences) {
      if (condition(*sequence)) {
        taken.push_back(std::move(sequence));
      } else {
        if (&*kept != &sequence) *kept = std::move(sequence);
        ++kept;
      }
    }
    sequences.erase(kept, sequences.end());
  };
  take_from(running_);
  take_from(waiting_);
  return taken;
}

std::vector<std::unique_ptr<Sequence>> Scheduler::TakeFinished() {
  return TakeIf([](const Sequence& sequence) { return sequence.finished(); });
}

std::vector<std::unique_ptr<Sequence>> Scheduler::TakeExpired(TimePoint now) {
  return TakeIf([&](const Sequence& sequence) { return sequence.deadline() <= now; });
}

std::vector<std::unique_ptr<Sequence>> Scheduler::TakeAll() {
  return TakeIf([](const Sequence&) { return true; });
}

std::unique_ptr<Sequence> Scheduler::Take(uint64_t id) {
  std::vector<std::unique_ptr<Sequence>> taken =
      TakeIf([&](const Sequence& sequence) { return sequence.id() == id; });
  return taken.empty() ? nullptr : std::move(taken.front());
}

}  // namespace aio
