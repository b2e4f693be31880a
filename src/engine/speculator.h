// Decides each step which sequences of one model speculate, by what means, and how far.
#ifndef AIO_ENGINE_SPECULATOR_H_
#define AIO_ENGINE_SPECULATOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/acceptance.h"
#include "engine/draft_lengths.h"
#include "engine/draft_model.h"
#include "engine/drafting.h"
#include "engine/scheduler.h"
#include "engine/step_costs.h"

namespace aio {

// `prompt_lookup` and `draft_model` check the number of guesses that was asked for. `auto` checks
// what is expected to give most tokens per second (draft_lengths.h), counting what else the step
// computes: every step anew, from 0 to the number asked for; with guesses of the draft model
// where the time that those take is made good too. Belongs to the thread that runs the steps.
class Speculator final : public DraftPlanner {
 public:
  // `costs` are those of the target's steps and outlive this, as does `clock`.
  // `vocabulary_size`: tokens that the target can sample.
  Speculator(const StepCosts& costs, const Clock& clock, int vocabulary_size)
      : costs_(costs), clock_(clock), vocabulary_size_(vocabulary_size) {}

  // Before the first step; may be null (no sequence has strategy kDraftModel then), else it
  // outlives this.
  void SetDraftModel(DraftModel* draft_model) { draft_model_ = draft_model; }
  bool has_draft_model() const { return draft_model_ != nullptr; }

  void PlanDrafts(std::span<Sequence* const> decoding, int prefill_tokens, int count_max) override;

  // What the draft model did since the last call.
  struct DraftWork {
    int64_t bytes_moved = 0;
    Duration time{};
  };
  DraftWork TakeDraftWork();

  // The sequence has ended.
  void Forget(Sequence& sequence);

 private:
  // One sequence that speculates in the step being planned.
  struct Plan {
    Sequence* sequence;
    Drafting* drafting;
    bool is_fixed;  // the strategy says how many
    int count_max;
  };

  void Begin(std::span<Sequence* const> decoding);
  bool WantsModel(const Plan& plan) const;
  bool LooksUpWell(const Plan& plan) const;
  bool CanTryModel(const Plan& plan) const;
  void AskModel();
  bool ModelGoesOn(const DraftJob& job) const;
  void SetFixed(int& count_max);
  void SetBest(int count_max);

  const StepCosts& costs_;
  const Clock& clock_;
  const int vocabulary_size_;
  DraftModel* draft_model_ = nullptr;
  ExperienceByIntent learnt_;
  DraftWork work_;

  // One step's, kept for their memory.
  std::vector<Plan> plans_;
  std::vector<DraftJob> jobs_;
  std::vector<std::span<const float>> chances_;
  std::vector<const Guesses*> guesses_;  // [chances_]
  std::vector<Sequence*> sequences_;     // [chances_]
  std::vector<int> lengths_;             // [chances_]
  DraftLengths chooser_;
  StepBase base_;
};

}  // namespace aio

#endif  // AIO_ENGINE_SPECULATOR_H_
