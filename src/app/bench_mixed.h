// The runs of `aio bench mixed`: every configuration answers the same requests, in turn.
#ifndef AIO_APP_BENCH_MIXED_H_
#define AIO_APP_BENCH_MIXED_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "app/mixed_configurations.h"
#include "app/mixed_workload.h"
#include "base/clock.h"
#include "base/status.h"
#include "traffic/load_record.h"
#include "traffic/waiter.h"

namespace aio {

struct MixedOptions {
  int repeat = 3;
  int concurrency = 1;  // closed loop; 0: open loop, by the workload's arrivals
  // Told of requests answered so far, of all; may be empty.
  std::function<void(int64_t done, int64_t total)> progress = {};
};

// One pass of a configuration over the workload.
struct MixedRun {
  std::vector<LoadRecord> records;  // [requests]
  double seconds = 0;               // that its load ran
};
using ConfigurationRuns = std::vector<MixedRun>;  // [repeats]

// [configurations]. Within a repeat the configurations take turns: request by request where they
// are sent one at a time, in slices of some requests where several are (in an open loop, whole
// passes), and who comes first changes. Each configuration answers a request that does not count
// before. A request that fails is a record like others, but one that fails in that first round, or
// everywhere, is a fault: nothing could be measured.
Result<std::vector<ConfigurationRuns>> RunMixed(
    const std::vector<MixedConfiguration>& configurations, const Workload& workload,
    const MixedOptions& options, Waiter& waiter, const Clock& clock);

// Says whether an answer to an item is right; absent: it cannot be judged. A fault is one of
// judging, never of the answer.
using GradeAnswer =
    std::function<Result<std::optional<bool>>(const WorkloadItem& item, std::string_view text)>;

// What grading found. Plain data.
struct MixedGrades {
  // [requests]: share of right answers over the repeats, 0..1; absent: not judged.
  std::vector<std::optional<double>> right;
};
// [configurations]. The same answer to the same item is judged once. A request that failed was not
// answered rightly.
Result<std::vector<MixedGrades>> GradeMixed(const std::vector<ConfigurationRuns>& runs,
                                            const Workload& workload, const GradeAnswer& grade);

}  // namespace aio

#endif  // AIO_APP_BENCH_MIXED_H_
