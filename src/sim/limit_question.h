// "max rate with p99 TTFT < 1 s": what a search is asked, in words.
#ifndef AIO_SIM_LIMIT_QUESTION_H_
#define AIO_SIM_LIMIT_QUESTION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sim/sim_summary.h"

namespace aio {

// Of a summary: what must be less or more than a number.
struct LimitCondition {
  std::string metric;  // "p99 TTFT"
  bool at_most = true;
  bool inclusive = false;  // "<=", ">="
  double bound = 0;        // in the metric's own unit: ms, a share, ...

  // Not of what is not known, such as times where nothing was answered.
  bool Holds(const SimSummary& summary) const;
  std::optional<double> Value(const SimSummary& summary) const;
  std::string Text() const;  // "p99 TTFT < 1000 ms"
};

struct LimitQuestion {
  bool most = true;                        // "max", else "min"
  std::string what;                        // "rate" or "devices"
  std::vector<LimitCondition> conditions;  // all of them
};

// "max rate with p99 TTFT < 1 s and goodput > 95 %"; "min devices with p50 TPOT < 40 ms". Metrics:
// mean, p50, p90, p95, p99 or max of TTFT, TPOT, E2E, queue; goodput (the share of requests within
// the targets), failed (likewise), busy, bandwidth, accuracy. Units: s, ms, %. kInvalidArgument
// says what of it is not understood, and what would be, or that more load would make a condition
// hold.
Result<LimitQuestion> ParseLimitQuestion(std::string_view text);

}  // namespace aio

#endif  // AIO_SIM_LIMIT_QUESTION_H_
