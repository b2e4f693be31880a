// A calibration's report as a policy file, as JSON and as a page of plots.
#ifndef AIO_EVAL_CALIBRATION_OUTPUT_H_
#define AIO_EVAL_CALIBRATION_OUTPUT_H_

#include <string>
#include <string_view>

#include "base/status.h"
#include "eval/calibration.h"

namespace aio {

// What the report is of, beside queries and scores.
struct CalibrationSubject {
  std::string date;                // "2026-11-29"
  std::string probe = "template";  // or "head"
  std::string small_model;         // names ...
  std::string large_model;
  std::string small_fingerprint;  // ... and ModelInfo::fingerprint
  std::string large_fingerprint;
  // The policy's strategy for every rule; empty: that of the best arm of the table, or auto.
  std::string strategy = {};
  // Whether the mix is the user's own: then the policy guards against drift from it.
  bool mix_is_known = false;
};

// A policy file that RoutingPolicy::FromToml() reads, with the calibration and its evidence.
// kInvalidArgument if an arm table was given and no candidate keeps within the loss asked: the
// message says how many queries that would take.
Result<std::string> CalibratedPolicyToml(const CalibrationInput& input,
                                         const CalibrationReport& report,
                                         const CalibrationSubject& subject);

// What --json prints: one object, two spaces of indent.
std::string CalibrationJson(const CalibrationInput& input, const CalibrationReport& report,
                            const CalibrationSubject& subject);

// One HTML file that needs no network: figures and plots (Chart.js is in it).
std::string CalibrationPage(const CalibrationInput& input, const CalibrationReport& report,
                            const CalibrationSubject& subject);

// Why no policy was chosen, and how many queries the bound asked would take.
std::string DescribeRowsNeeded(const CalibrationReport& report);

}  // namespace aio

#endif  // AIO_EVAL_CALIBRATION_OUTPUT_H_
