// The same question over a grid of values.
#ifndef AIO_SIM_SWEEP_H_
#define AIO_SIM_SWEEP_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sim/scenario.h"

namespace aio {

struct SweepAxis {
  std::string what;                 // of ScenarioChanges()
  std::vector<std::string> values;  // not empty
};

// "rate=1,2,4", "tau=0:1.1:0.1" (from, to, by), "rate=1:64:*2" (by a factor),
// "policy=a.toml,paper".
Result<SweepAxis> ParseSweepAxis(std::string_view text);

// One scenario for every combination, the last axis changing fastest; each is named by its values.
Result<std::vector<Scenario>> SweepScenarios(const Scenario& scenario,
                                             const std::vector<SweepAxis>& axes);

}  // namespace aio

#endif  // AIO_SIM_SWEEP_H_
