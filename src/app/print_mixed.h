// The figures of `aio bench mixed` as tables for people and JSON for machines.
#ifndef AIO_APP_PRINT_MIXED_H_
#define AIO_APP_PRINT_MIXED_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "app/mixed_figures.h"
#include "app/mixed_workload.h"

namespace aio {

// What was run on one workload, and how.
struct MixedReport {
  std::string workload;
  std::string note;
  std::vector<std::pair<std::string, int64_t>> tasks;  // requests by task and context
  std::string arrivals;  // "one at a time", "8 at once", "Poisson, 2 requests/s"
  int repeat = 1;
  uint64_t seed = 1;
  bool labels_given = false;  // the probe's cost was real and its answer given
  std::vector<MixedRow> rows;
};

// "pocket-code" and "pocket-code @2000", in order of appearance, with how many there are.
std::vector<std::pair<std::string, int64_t>> CountTasks(const Workload& workload);

std::string FormatMixed(const MixedReport& report);
// An object, of two spaces' indent.
std::string MixedJson(const std::vector<MixedReport>& reports);

// Of one run without a comparison.
std::string FormatLoad(const LoadSummary& summary);

}  // namespace aio

#endif  // AIO_APP_PRINT_MIXED_H_
