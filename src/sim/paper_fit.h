// What the paper's published speeds say of its machine, in the terms of step_time.h, and what those
// terms then say of figures that they were not fitted to.
#ifndef AIO_SIM_PAPER_FIT_H_
#define AIO_SIM_PAPER_FIT_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "paper/paper_tables.h"
#include "sim/device_profile.h"
#include "sim/step_time.h"

namespace aio {

struct FittedSpeed {
  std::string what;      // "static-large, mmlu", "A, static-small"
  double published = 0;  // tokens/s
  double fitted = 0;
  bool was_fitted_to = false;  // else it is a prediction

  double error() const { return fitted / published - 1; }
};

// The static rows of Table 3 are ten speeds of two models; all tasks of one have the same step, so
// they give two means. What the device needs for a step (weights at the published bandwidth) is
// less than a quarter of them, and hidden behind the host: so they tell the host's time for a step
// and for a layer, by least squares of relative errors. How fast KV is copied follows from the
// static rows of the mixes with long prompts, likewise.
struct PaperFit {
  double step_us = 0;
  double layer_us = 0;
  double kv_copy_gb_per_s = 0;
  std::vector<FittedSpeed> speeds = {};
};

// The profile of the paper's machine.
inline constexpr std::string_view kPaperDevice = "ascend-910b-paper";

// With `device` for all else, which is in eager mode. kInvalidArgument if the tables lack what is
// fitted to.
Result<PaperFit> FitToPaper(const PaperTables& tables, const DeviceProfile& device);

// The sizes of a model that the paper names.
ModelCosts CostsOf(const PaperModel& model);

}  // namespace aio

#endif  // AIO_SIM_PAPER_FIT_H_
