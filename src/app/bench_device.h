// The measurement of `aio bench device`: what a step of the embedded engine takes on this machine,
// as a device profile.
#ifndef AIO_APP_BENCH_DEVICE_H_
#define AIO_APP_BENCH_DEVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "engine/embedded_backend.h"
#include "sim/device_profile.h"

namespace aio {

struct DeviceBenchOptions {
  std::string name = "this-machine";
  std::string title = {};  // empty: as the processor calls itself
  std::string date = {};   // for sources
  int threads = 1;
  int rounds = 3;  // each step is measured in each; the medians count
};

// Each of `models` answers 1, 2, 4, 8 and 16 requests at once through the whole engine, and reads
// prompts of several lengths; all in turn within each round, for the machine's bandwidth swings.
// Then the profile's numbers are fitted to the steps. `progress` may be empty. kCancelled when
// interrupted.
Result<DeviceProfile> BenchDevice(std::vector<EmbeddedModel> models,
                                  const DeviceBenchOptions& options, const Clock& clock,
                                  const std::function<void(int64_t done, int64_t total)>& progress);

}  // namespace aio

#endif  // AIO_APP_BENCH_DEVICE_H_
