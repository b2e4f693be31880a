// Many routing decisions, several at a time, for suites and measurements.
#ifndef AIO_EVAL_DECIDE_ALL_H_
#define AIO_EVAL_DECIDE_ALL_H_

#include <functional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"

namespace aio {

struct DecideAllOptions {
  int in_flight_max = 8;  // decisions asked for and not yet made, >= 1
  // Called from the calling thread with the number of decisions made; may be empty.
  std::function<void(size_t done)> progress;
};

// What `router` decides on each text as the one message of a user who asks for the model "auto", or
// why it refuses, in the order of `texts`. Waits for all of them.
std::vector<Result<Decision>> DecideAll(Backend& router, const std::vector<std::string>& texts,
                                        const DecideAllOptions& options);

}  // namespace aio

#endif  // AIO_EVAL_DECIDE_ALL_H_
