// How often guesses of what comes next come true.
#ifndef AIO_SIM_GUESS_CHANCES_H_
#define AIO_SIM_GUESS_CHANCES_H_

#include <cmath>
#include <cstdint>

#include "backend/request.h"
#include "sim/sim_random.h"

namespace aio {

// Each guess of a step comes true with one probability if those before it did (Leviathan, Kalman
// and Matias 2023, "Fast Inference from Transformers via Speculative Decoding", section 3.2). The
// same seed draws the same.
class GuessChances {
 public:
  GuessChances() = default;  // nothing is guessed
  // `kind` says who guesses; of kAuto, the fewer the dearer they are.
  GuessChances(StrategyKind kind, int per_step, double probability, uint64_t seed)
      : kind_(kind), per_step_(per_step), probability_(probability), random_(seed) {}

  StrategyKind kind() const { return kind_; }
  int per_step() const { return per_step_; }
  // Tokens that a step with `count` guesses gives on average.
  double Expected(int count) const {
    return probability_ >= 1 ? count + 1
                             : (1 - std::pow(probability_, count + 1)) / (1 - probability_);
  }
  // How many of `count` come true.
  int Draw(int count) {
    int kept = 0;
    while (kept < count && random_.Uniform() < probability_) ++kept;
    return kept;
  }

 private:
  StrategyKind kind_ = StrategyKind::kPlain;
  int per_step_ = 0;
  double probability_ = 0;
  SimRandom random_{0};
};

}  // namespace aio

#endif  // AIO_SIM_GUESS_CHANCES_H_
