// Makes of a recorded trace one that a smaller machine can be given: a part of it, faster or
// slower, with shorter texts.
#ifndef AIO_TRAFFIC_RESHAPE_TRACE_H_
#define AIO_TRAFFIC_RESHAPE_TRACE_H_

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/status.h"
#include "traffic/trace.h"

namespace aio {

struct TraceWindow {
  Duration begin{};                      // since the trace's first request
  std::optional<Duration> length = {};   // absent: to the end
  std::optional<int64_t> requests = {};  // the window's first so many; absent: all; > 0
};

// What arrived in [begin, begin + length), with arrivals since the first of these.
// kInvalidArgument if that is nothing.
Status SelectWindow(Trace& trace, const TraceWindow& window);

// Arrivals come `scale` times as far apart: 0.5 doubles the rate. scale > 0.
void ScaleTime(Trace& trace, double scale);

struct LengthLimits {
  int context_length = 0;  // prompt and answer together get no longer; >= 2
  // Lengths are multiplied by this; absent: by what makes the longest request fit, at most 1, so
  // that the lengths keep their proportions.
  std::optional<double> scale = {};
};

struct FittedLengths {
  double scale = 1;       // that was applied
  int64_t shortened = 0;  // requests that did not fit in spite of it, and were cut to fit
};

// Every prompt and answer then has at least one token.
FittedLengths FitLengths(Trace& trace, const LengthLimits& limits);

}  // namespace aio

#endif  // AIO_TRAFFIC_RESHAPE_TRACE_H_
