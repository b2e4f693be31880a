#include "engine/speculator.h"

#include <algorithm>
#include <utility>

#include "engine/sequence.h"

namespace aio {

namespace {

// The guesses that the step may check: those of the draft model where it was asked.
const Guesses& Chosen(const Drafting& drafting) {
  return drafting.by_model().tokens.empty() ? drafting.by_lookup() : drafting.by_model();
}

}  // namespace

void Speculator::PlanDrafts(std::span<Sequence* const> decoding, int prefill_tokens,
                            int count_max) {
  Begin(decoding);
  if (plans_.empty()) return;
  // A prompt's token is worth as much as an answer's: guesses do not keep prompts waiting.
  const int rows = static_cast<int>(decoding.size()) + prefill_tokens;
  base_ = {static_cast<double>(rows), rows};
  if (draft_model_ != nullptr) AskModel();
  SetFixed(count_max);
  SetBest(count_max);
}

void Speculator::Begin(std::span<Sequence* const> decoding) {
  plans_.clear();
  for (Sequence* sequence : decoding) {
    Drafting* drafting = sequence->drafting();
    if (drafting == nullptr) continue;
    const Strategy& strategy = drafting->strategy();
    const int count = std::min(strategy.num_speculative_tokens, sequence->draft_room());
    if (count <= 0) continue;
    plans_.push_back({sequence, drafting, strategy.kind != StrategyKind::kAuto, count});
    drafting->BeginStep(sequence->tokens(), learnt_);
    if (strategy.kind != StrategyKind::kDraftModel) {
      drafting->ProposeByLookup(sequence->tokens(), count);
    }
  }
}

// Expected to give more than prompt lookup or no guess at all, its own time counted.
bool Speculator::WantsModel(const Plan& plan) const {
  // Not to and fro for nothing: both sides are estimates, and changing over costs something.
  constexpr double kMargin = 1.15;
  const int behind = draft_model_->NumBehind(*plan.sequence);
  const double catch_up_ms =
      (draft_model_->costs().Ms(behind) - draft_model_->costs().Ms(1)) / plan.drafting->model_run();
  const double rate =
      BestRateOfModel(plan.drafting->acceptance().chance(GuessClass::kAnyOfModel), plan.count_max,
                      draft_model_->costs().Ms(1), catch_up_ms, base_, costs_);
  const double margin = plan.drafting->is_in_model_run() ? 1 : kMargin;
  return rate > margin * BestRate(plan.drafting->by_lookup().chances, base_, costs_);
}

bool Speculator::LooksUpWell(const Plan& plan) const {
  constexpr double kOverPlain = 1.1;
  return BestRate(plan.drafting->by_lookup().chances, base_, costs_) >
         kOverPlain * BestRate({}, base_, costs_);
}

// A try, just to see, may not hold up the step for long.
bool Speculator::CanTryModel(const Plan& plan) const {
  constexpr double kStepsMax = 2;
  const int behind = draft_model_->NumBehind(*plan.sequence);
  return draft_model_->costs().Ms(behind) <= kStepsMax * costs_.Ms(base_.rows);
}

void Speculator::AskModel() {
  jobs_.clear();
  for (const Plan& plan : plans_) {
    if (plan.is_fixed) {
      if (plan.drafting->strategy().kind != StrategyKind::kDraftModel) continue;
    } else if (WantsModel(plan)) {
      plan.drafting->PreferModel();
    } else if (LooksUpWell(plan)) {
      plan.drafting->LeaveToLookup();
      continue;
    } else if (plan.drafting->IsTimeToTryModel() && CanTryModel(plan)) {
      plan.drafting->TryModel();
    } else {
      plan.drafting->PassOverModel();
      continue;
    }
    jobs_.push_back({plan.sequence, plan.drafting, plan.count_max, vocabulary_size_});
  }
  if (jobs_.empty()) return;
  const TimePoint begin = clock_.Now();
  work_.bytes_moved +=
      draft_model_->Draft(jobs_, clock_, [this](const DraftJob& job) { return ModelGoesOn(job); });
  work_.time += clock_.Now() - begin;
}

// Another guess of the draft model is worth its time if it raises the tokens per second of the
// step: what has been drafted is paid for either way.
bool Speculator::ModelGoesOn(const DraftJob& job) const {
  if (job.drafting->strategy().kind != StrategyKind::kAuto) return true;
  const Guesses& guesses = job.drafting->by_model();
  const auto drafted = static_cast<int>(guesses.chances.size());
  const double draft_ms = draft_model_->costs().Ms(static_cast<int>(jobs_.size()));
  double tokens = base_.tokens;
  double chance = 1;
  for (const float next : guesses.chances) {
    chance *= static_cast<double>(next);
    tokens += chance;
  }
  const double next =
      chance * static_cast<double>(job.drafting->acceptance().chance(GuessClass::kAnyOfModel));
  const double ms = costs_.Ms(base_.rows + drafted) + drafted * draft_ms;
  const double next_ms = costs_.Ms(base_.rows + drafted + 1) + (drafted + 1) * draft_ms;
  return (tokens + next) / next_ms > tokens / ms;
}

void Speculator::SetFixed(int& count_max) {
  for (const Plan& plan : plans_) {
    if (!plan.is_fixed) continue;
    const Guesses& guesses = Chosen(*plan.drafting);
    const int count = std::min(static_cast<int>(guesses.tokens.size()), std::max(count_max, 0));
    plan.sequence->SetDraft(std::span(guesses.tokens).first(count));
    count_max -= count;
    base_.rows += count;
    double chance = 1;
    for (int i = 0; i < count; ++i)
      base_.tokens += chance *= static_cast<double>(guesses.chances[i]);
  }
}

void Speculator::SetBest(int count_max) {
  chances_.clear();
  guesses_.clear();
  sequences_.clear();
  for (const Plan& plan : plans_) {
    if (plan.is_fixed) continue;
    const Guesses& guesses = Chosen(*plan.drafting);
    chances_.emplace_back(guesses.chances);
    guesses_.push_back(&guesses);
    sequences_.push_back(plan.sequence);
  }
  chooser_.Choose(chances_, base_, costs_, count_max, lengths_);
  for (size_t i = 0; i < chances_.size(); ++i) {
    sequences_[i]->SetDraft(std::span(guesses_[i]->tokens).first(lengths_[i]));
  }
}

Speculator::DraftWork Speculator::TakeDraftWork() { return std::exchange(work_, DraftWork{}); }

void Speculator::Forget(Sequence& sequence) {
  if (sequence.drafting() != nullptr) sequence.drafting()->End();
  if (draft_model_ != nullptr) draft_model_->Forget(sequence);
}

}  // namespace aio
