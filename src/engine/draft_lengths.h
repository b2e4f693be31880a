// The rule of `auto`: check as many guesses as makes the most of a step's time. Expected tokens
// per second, not the share of guesses that come true, says how many that is.
#ifndef AIO_ENGINE_DRAFT_LENGTHS_H_
#define AIO_ENGINE_DRAFT_LENGTHS_H_

#include <span>
#include <vector>

#include "engine/step_costs.h"

namespace aio {

// What a step does whatever is guessed.
struct StepBase {
  double tokens = 0;  // expected to come out of it
  int rows = 0;       // computed by it
};

// Pure; keeps only memory. Not thread-safe.
class DraftLengths {
 public:
  // `chances[i]` are those of one sequence's guesses, each provided that the ones before came
  // true. Fills `lengths` ([chances]) with how many of each to check, `count_max` in all, such
  // that (expected tokens) / (time of the step) is greatest.
  void Choose(std::span<const std::span<const float>> chances, const StepBase& base,
              const StepCosts& costs, int count_max, std::vector<int>& lengths);

 private:
  struct Guess {
    double chance;  // that it and all before it come true
    int sequence;
  };
  std::vector<Guess> guesses_;
};

// What the best number of guesses of one sequence gives: expected tokens per millisecond.
double BestRate(std::span<const float> chances, const StepBase& base, const StepCosts& costs);

// The same for a draft model whose every guess comes true with `chance` and takes `draft_ms`,
// after `catch_up_ms`; up to `count_max` guesses.
double BestRateOfModel(float chance, int count_max, double draft_ms, double catch_up_ms,
                       const StepBase& base, const StepCosts& costs);

}  // namespace aio

#endif  // AIO_ENGINE_DRAFT_LENGTHS_H_
