// What a device can do: the numbers that the time of a step follows from (step_time.h), each with
// where it is known from. A TOML file a device, in devices/.
#ifndef AIO_SIM_DEVICE_PROFILE_H_
#define AIO_SIM_DEVICE_PROFILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

// A number and its source: a document and where in it, or how it was measured.
struct Sourced {
  double value = 0;
  std::string source = {};
};

// How weights of 8 bits are multiplied with activations of 16.
enum class Dequantization {
  kFused,        // inside the product: 8 bits are read
  kStorageOnly,  // expanded to 16 bits in memory before each product
};

// How an engine's host gets its work to the device.
struct LaunchCosts {
  Sourced step_us = {};   // a step, whatever is in it: scheduling, sampling, the first launch
  Sourced layer_us = {};  // each layer besides
  // Each kernel that a layer has beyond those of `layer_us`, such as one that expands weights.
  Sourced kernel_us = {};
  // Where keys and values are copied whole into new memory as they grow, what of them is read,
  // copied and read again in a second, which the host waits for. 0: they stay where they are.
  Sourced kv_copy_gb_per_s = {};
};

// Where steps are recorded once for a shape and played back.
struct StaticGraphs {
  // Numbers of rows that graphs are recorded for, ascending: a step is padded to the next one.
  // Empty: any.
  std::vector<int> row_buckets;
  Sourced record_ms;  // for a shape that was not recorded before
};

struct DeviceProfile {
  std::string name;       // "ascend-910b"
  std::string title;      // "Ascend 910B (64 GB)"
  Sourced memory_gb;      // 1e9 bytes
  Sourced read_gb_per_s;  // peak of its memory
  Sourced read_share;     // of that peak, that a step's kernels reach; 0..1
  Sourced f16_tflops;     // dense, peak; 1e12 a second, a multiplication and an addition being two
  Sourced compute_share;  // of that peak, that a prefill reaches; 0..1
  LaunchCosts eager;
  LaunchCosts graph;  // where there are graphs
  bool has_graphs = false;
  StaticGraphs graphs;
  // From the end of one model's step until the other's can use its result.
  Sourced model_switch_us;
  Dequantization dequantization = Dequantization::kFused;
  std::string dequantization_source;
  Sourced usd_per_hour;  // 0: unknown

  double ReadBytesPerMs() const { return read_gb_per_s.value * read_share.value * 1e6; }
  double FlopsPerMs() const { return f16_tflops.value * compute_share.value * 1e9; }
};

// Faults name `source`, line and key: a number without its source, one that cannot be, a profile
// that contradicts itself (memory that takes longer than a minute to be read, graphs that are
// slower to play back than to launch one by one).
Result<DeviceProfile> ParseDeviceProfile(std::string_view toml, const std::string& source);
Result<DeviceProfile> ReadDeviceProfile(const std::string& path);

}  // namespace aio

#endif  // AIO_SIM_DEVICE_PROFILE_H_
