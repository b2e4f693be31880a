// Proposes the next tokens of a sequence without running its model. A guess costs a row
// in the next step and can never change the answer (verifier.h).
#ifndef AIO_ENGINE_DRAFTER_H_
#define AIO_ENGINE_DRAFTER_H_

#include <cstdint>
#include <span>
#include <vector>

namespace aio {

// One per sequence; called from the thread that runs the steps.
class Drafter {
 public:
  virtual ~Drafter() = default;
  // Appends at most `count_max` guesses of what follows `tokens` (prompt and answer so
  // far, not empty) to `draft`. May append none.
  virtual void Draft(std::span<const int32_t> tokens, int count_max,
                     std::vector<int32_t>& draft) = 0;
};

}  // namespace aio

#endif  // AIO_ENGINE_DRAFTER_H_
