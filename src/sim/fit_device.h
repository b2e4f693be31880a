// What published or measured steps say of a device, and how well its profile then tells them.
#ifndef AIO_SIM_FIT_DEVICE_H_
#define AIO_SIM_FIT_DEVICE_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "sim/device_profile.h"
#include "sim/step_time.h"

namespace aio {

// What a step that was timed computes.
StepWork WorkOf(const MeasuredStep& step);
// What the profile says of it, ms.
double PredictedMs(const MeasuredStep& step, const DeviceProfile& device);

struct StepResidual {
  const MeasuredStep* step = nullptr;  // of the profile
  double predicted_ms = 0;

  double error() const { return predicted_ms / step->ms - 1; }
};
std::vector<StepResidual> Residuals(const DeviceProfile& device);

// The keys that can be fitted: "read_share", "compute_share", "overlap", "layer_gap_us",
// "eager.step_us", "eager.layer_us", "graph.step_us", "graph.layer_us".
const std::vector<std::string>& FittableKeys();

// The values of `device.fitted` by which the squared relative errors of the steps with `fitted_to`
// are least (Levenberg and Marquardt, from several starts). kInvalidArgument if a key is none that
// can be fitted, or there are fewer steps than keys.
Result<DeviceProfile> FitToMeasured(DeviceProfile device);

}  // namespace aio

#endif  // AIO_SIM_FIT_DEVICE_H_
