// What simulations say, as one JSON document: for machines, and for the page.
#ifndef AIO_SIM_SIM_REPORT_H_
#define AIO_SIM_SIM_REPORT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/compare_policies.h"
#include "sim/find_limit.h"
#include "sim/scenario.h"
#include "sim/sweep.h"

namespace aio {

// How near simulations came to real runs, for whoever reads a report: docs/simulation.md.
inline constexpr std::string_view kSimValidation =
    "Held against the embedded engine on two shared cores (six loads, 2026-12-01): throughput "
    "within "
    "4 %, the median time to first token within 10 % in four of six, 22 % in the worst.";

struct SimReport {
  std::string title;
  Scenario scenario;                      // that was asked about
  std::vector<ScenarioResult> runs;       // in the order asked for
  std::optional<ScenarioResult> against;  // the same with the large model for all
  // Of one question:
  std::vector<SweepAxis> sweep = {};
  std::optional<LimitQuestion> question = {};
  std::optional<LimitAnswer> answer = {};
  std::optional<PolicyComparisons> comparison = {};
};

// The same bytes for the same report.
std::string SimReportJson(const SimReport& report);

// A line of JSON for each request of a run: times since its begin, in ms.
std::string AnswerLines(const std::vector<SimulatedAnswer>& answers);

// A device: its numbers with their sources, as in its file, and steps measured on it beside what it
// says of them.
std::string DeviceJson(const DeviceProfile& device);
// Those that are built in: names, titles, and how far they can be trusted.
std::string DevicesJson();

// How far steps of a device are from those that were measured on it, of the kind that `graph` says.
struct ProfileTrust {
  int steps = 0;            // measured, none: nobody published any
  int fitted_to = 0;        // of these
  double median_error = 0;  // absolute, relative
  double worst_error = 0;   // with its sign
};
ProfileTrust TrustOf(const DeviceProfile& device, bool graph);

}  // namespace aio

#endif  // AIO_SIM_SIM_REPORT_H_
