// How often guesses of what comes next come true.
#ifndef AIO_SIM_GUESS_CHANCES_H_
#define AIO_SIM_GUESS_CHANCES_H_

#include <cstdint>

namespace aio {

// Each guess of a step comes true with one probability if those before it did (Leviathan, Kalman
// and Matias 2023, "Fast Inference from Transformers via Speculative Decoding", section 3.2). The
// same seed draws the same.
class GuessChances {
 public:
  GuessChances() = default;  // nothing is guessed
  GuessChances(int per_step, double probability, uint64_t seed)
      : per_step_(per_step), probability_(probability), state_(seed) {}

  int per_step() const { return per_step_; }
  // How many of `count` come true.
  int Draw(int count);

 private:
  double Uniform();

  int per_step_ = 0;
  double probability_ = 0;
  uint64_t state_ = 0;
};

}  // namespace aio

#endif  // AIO_SIM_GUESS_CHANCES_H_
