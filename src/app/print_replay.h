// A replay's report for people and for machines.
#ifndef AIO_APP_PRINT_REPLAY_H_
#define AIO_APP_PRINT_REPLAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "api/json_text.h"
#include "decisions/replay.h"
#include "eval/outcome_table.h"
#include "eval/policy_outcomes.h"
#include "eval/quality_cost_curve.h"

namespace aio {

// What a log could not tell.
struct UnreadableRows {
  std::vector<std::string> lines;
  int64_t rows = 0;
};

std::string ReplayText(const std::string& log, const ReplayReport& report,
                       const UnreadableRows& unreadable);
OrderedJson ReplayJson(const std::string& log, const ReplayReport& report,
                       const UnreadableRows& unreadable);

// Of an outcome table.
struct OutcomeReport {
  OutcomeTable table;  // without its queries
  int64_t queries = 0;
  int64_t fitted = 0;    // queries that the curve's router was fitted to
  int64_t measured = 0;  // others, that it was measured on
  CurveArea area;
  std::vector<CurvePoint> curve;
  std::vector<PolicyOnOutcomes> policies;
};

std::string OutcomeText(const std::string& path, const OutcomeReport& report);
OrderedJson OutcomeJson(const std::string& path, const OutcomeReport& report);

// At `large_share`, on the line between the curve's points.
double QualityAt(const std::vector<CurvePoint>& curve, double large_share);

}  // namespace aio

#endif  // AIO_APP_PRINT_REPLAY_H_
