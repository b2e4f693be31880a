#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace aio {

namespace {

// Into the order of arrival.
template <typename Sequences>
void InsertInOrder(Sequences& sequences, std::unique_ptr<Sequence> sequence) {
  const auto place =
      std::upper_bound(sequences.begin(), sequences.end(), sequence,
                       [](const auto& a, const auto& b) { return a->arrival() < b->arrival(); });
  sequences.insert(place, std::move(sequence));
}

}  // namespace

void StepPlan::Clear() {
  copies.clear();
  rows.clear();
  admitted.clear();
  num_rows = 0;
  num_draft_tokens = 0;
  num_prefill_tokens = 0;
}

Scheduler::Scheduler(const SchedulerOptions& options, BlockPool& pool, PrefixCache& cache,
                     DraftPlanner* drafts)
    : options_(options), pool_(pool), cache_(cache), drafts_(drafts) {
  AIO_CHECK(options.max_running >= 1 && options.prefill_chunk_tokens >= 1 &&
            options.max_draft_tokens >= 0);
}

void Scheduler::Add(std::unique_ptr<Sequence> sequence) {
  AIO_CHECK(BlockPool::BlocksFor(sequence->num_positions_max()) <= pool_.num_blocks());
  InsertInOrder(waiting_, std::move(sequence));
}

void Scheduler::Plan(TimePoint now, int prefill_tokens, StepPlan& plan) {
  plan.Clear();
  prefill_tokens = std::clamp(prefill_tokens, 1, options_.prefill_chunk_tokens);
  PlanDrafts(prefill_tokens);
  PlanAnswers(plan);
  PlanPrefills(now, prefill_tokens, plan);
  AIO_CHECK(plan.num_rows <= options_.max_rows() &&
            plan.num_draft_tokens <= options_.max_draft_tokens);
  AIO_CHECK(plan.num_rows > 0 || !has_work(), "the queue is stuck");
}

void Scheduler::PlanDrafts(int prefill_tokens) {
  if (drafts_ == nullptr) return;
  decoding_.clear();
  int behind = 0;
  for (const auto& sequence : running_) {
    if (sequence->is_behind()) {
      behind += sequence->num_pending();
    } else {
      decoding_.push_back(sequence.get());
    }
  }
  // Those who wait are not admitted yet, so what they will add is not known: the least of them.
  if (behind == 0 && !waiting_.empty() && num_running() < options_.max_running) behind = 1;
  if (decoding_.empty()) return;
  drafts_->PlanDrafts(decoding_, std::min(behind, prefill_tokens), options_.max_draft_tokens);
}

void Scheduler::PlanAnswers(StepPlan& plan) {
  // Preemption shortens running_ from its end; what is planned stays.
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    if (sequence.is_behind()) continue;
    if (!FindBlocks(sequence)) return;
    plan.num_draft_tokens += static_cast<int>(sequence.draft().size());
    PlanRows(sequence, sequence.num_pending(), plan);
  }
}

void Scheduler::PlanPrefills(TimePoint now, int prefill_tokens, StepPlan& plan) {
  const auto plan_prefill = [&](Sequence& sequence) {
    const int count = std::min(sequence.num_pending(), prefill_tokens);
    if (count > 0) PlanRows(sequence, count, plan);
    plan.num_prefill_tokens += count;
    prefill_tokens -= count;
  };
  for (const auto& sequence : running_) {
    if (sequence->is_behind()) plan_prefill(*sequence);
  }
  while (!waiting_.empty() && prefill_tokens > 0 && num_running() < options_.max_running) {
    Sequence& first = *waiting_.front();
    if (!Admit(first, now, plan)) break;
    InsertInOrder(running_, std::move(waiting_.front()));
    waiting_.pop_front();
    plan_prefill(first);
  }
}

void Scheduler::PlanRows(Sequence& sequence, int count, StepPlan& plan) {
  plan.rows.push_back({&sequence, sequence.num_computed(), count});
  plan.num_rows += count;
}

// Blocks for all that is pending, at the cost of its guesses, then of the youngest. False when
// that was the sequence itself.
bool Scheduler::FindBlocks(Sequence& sequence) {
  for (;;) {
    const int positions = sequence.num_computed() + sequence.num_pending();
    const int missing = BlockPool::BlocksFor(positions) - sequence.blocks().size();
    if (missing <= 0) return true;
    if (cache_.MakeRoom(missing)) {
      sequence.Grow(pool_, missing);
      return true;
    }
    if (!sequence.draft().empty()) {
      sequence.DropDraft();
      continue;
    }
    const bool is_youngest = running_.back().get() == &sequence;
    PreemptYoungest();
    if (is_youngest) return false;
  }
}

void Scheduler::PreemptYoungest() {
  std::unique_ptr<Sequence> youngest = std::move(running_.back());
  running_.pop_back();
  youngest->ReleaseBlocks(cache_);
  InsertInOrder(waiting_, std::move(youngest));
  ++counts_.preemptions;
}

bool Scheduler::Admit(Sequence& sequence, TimePoint now, StepPlan& plan) {
  // At least the last known token is computed, for its logits.
  const int reusable = std::min(sequence.num_reusable(), sequence.num_tokens() - 1);
  const auto findable = sequence.tokens().first(reusable);
  CachedPrefix prefix = cache_.Find(sequence.cache_salt(), findable);
  const int positions =
      std::min(sequence.num_tokens() + KvCache::kBlockTokens, sequence.num_positions_max());
  const int missing = BlockPool::BlocksFor(positions) - prefix.blocks.size();
  if (!cache_.MakeRoom(missing)) {
    // The block to be copied may be the one that lacks.
    prefix.tail.Clear();
    prefix.tail_tokens = 0;
    if (!cache_.MakeRoom(missing)) return false;
  }
  const int num_cached = prefix.num_tokens();
  if (!sequence.was_admitted()) {
    counts_.prefix_tokens_asked += sequence.num_tokens();
    counts_.prefix_tokens_found += num_cached;
  }
  const int num_shared = prefix.blocks.size();
  sequence.Admit(std::move(prefix.blocks), num_cached, now);
  sequence.Grow(pool_, missing);
  if (prefix.tail_tokens > 0) {
    plan.copies.push_back({prefix.tail.ids()[0], sequence.blocks().ids()[num_shared]});
  }
  plan.admitted.push_back(&sequence);
  return true;
}

bool Scheduler::is_decoding() const {
  return std::any_of(running_.begin(), running_.end(),
                     [](const auto& sequence) { return !sequence->is_behind(); });
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
