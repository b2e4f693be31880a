// What a sequence that speculates keeps from step to step: its guesses, and what became of them.
#ifndef AIO_ENGINE_DRAFTING_H_
#define AIO_ENGINE_DRAFTING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/request.h"
#include "engine/acceptance.h"
#include "engine/constraint.h"
#include "engine/prompt_lookup.h"
#include "engine/sampling_state.h"

namespace aio {

// Guesses of what follows the first `position` tokens of a sequence.
struct Guesses {
  int position = 0;
  std::vector<int32_t> tokens;
  std::vector<int> classes;    // [tokens]; GuessClass
  std::vector<float> chances;  // [tokens]; that it comes true if those before it did

  void Begin(int at);
  void Append(int32_t token, int guess_class, const Acceptance& acceptance);
  void Cut(size_t count);  // those beyond the first `count` are no guesses any more
};

// One per sequence that does not decode plainly. Guesses cost nothing until they are checked, so
// prompt lookup always makes some and learns from what was sampled instead, checked or not.
// Belongs to the thread that runs the steps.
class Drafting {
 public:
  // `sampling` and `constraint` (null: none) are the answer's and outlive this.
  Drafting(const Strategy& strategy, std::string intent, const SamplingState& sampling,
           Constraint* constraint = nullptr);

  const Strategy& strategy() const { return strategy_; }
  const SamplingState& sampling() const { return *sampling_; }

  // A step begins whose next token follows `tokens`: learns what became of the guesses made
  // before, here and in `learnt`, and forgets them.
  void BeginStep(std::span<const int32_t> tokens, ExperienceByIntent& learnt);
  // Of this request so far; after the first BeginStep().
  const Acceptance& acceptance() const { return own_->acceptance; }
  // For how many steps on end the draft model is likely to be asked if it is now.
  double model_run() const { return was_looked_up_ ? own_->run_after_lookup : own_->model_run; }
  // It was asked in the step before this.
  bool is_in_model_run() const { return model_steps_ > 0; }

  // Of the step that has begun:
  void ProposeByLookup(std::span<const int32_t> tokens, int count_max);
  void ProposeByModel(int32_t token, float probability);
  // After the guesses of the model: which tokens the next may be; null: any.
  const TokenMask* NextMask();
  // Nothing can follow them.
  bool is_over() const { return constraint_ != nullptr && constraint_->IsOver(after_model_); }
  const Guesses& by_lookup() const { return by_lookup_; }
  const Guesses& by_model() const { return by_model_; }

  // Of each step in which the draft model might be asked, one of four. It was asked because
  // that was expected to pay ...
  void PreferModel();
  // ... prompt lookup did well without it ...
  void LeaveToLookup();
  // ... it was not expected to pay ...
  void PassOverModel();
  // ... and was tried all the same, to see whether that still holds: after some steps in which it
  // was passed over, ever more of them.
  bool IsTimeToTryModel() const { return passed_over_ >= pass_over_max_; }
  void TryModel();

  // There will be no other step.
  void End() { EndModelRun(); }

 private:
  void CutForbidden(Guesses& guesses);
  void Learn(const Guesses& guesses, std::span<const int32_t> tokens);
  void EndModelRun();

  const Strategy strategy_;
  const std::string intent_;
  const SamplingState* sampling_;
  Constraint* constraint_;
  Constraint::State after_model_;  // of the constraint, after by_model_
  std::optional<PromptLookup> lookup_;
  std::optional<Experience> own_;
  Experience* of_intent_ = nullptr;  // after the first BeginStep()
  Guesses by_lookup_;
  Guesses by_model_;
  std::vector<int32_t> proposed_;  // kept for its memory
  bool was_looked_up_ = false;     // prompt lookup has done well in this answer
  int model_steps_ = 0;            // preferred on end
  int passed_over_ = 0;            // likewise
  int pass_over_max_ = 2;
};

}  // namespace aio

#endif  // AIO_ENGINE_DRAFTING_H_
