// "The most requests a second at which ...": a search by simulation.
#ifndef AIO_SIM_FIND_LIMIT_H_
#define AIO_SIM_FIND_LIMIT_H_

#include <functional>
#include <vector>

#include "base/status.h"
#include "sim/limit_question.h"
#include "sim/scenario.h"

namespace aio {

struct LimitTry {
  double value = 0;  // of what is changed
  bool holds = false;
  SimSummary summary;
};

struct LimitAnswer {
  double value = 0;             // 0: there is none between the least and the most that were tried
  bool is_open = false;         // all that were tried hold: there may be more, or fewer, that do
  std::vector<LimitTry> tries;  // in the order of their values
};

// By doubling and halving, to one percent (of devices: to one). It takes for granted that more load
// a device makes no condition come true again. `threads` values are tried at a time: the answer is
// the same for any number. `progress` is told of every try. kInvalidArgument if a condition is of
// what is not known: a price, an accuracy.
Result<LimitAnswer> FindLimit(const Scenario& scenario, const LimitQuestion& question, int threads,
                              const std::function<void(const LimitTry&)>& progress);

}  // namespace aio

#endif  // AIO_SIM_FIND_LIMIT_H_
