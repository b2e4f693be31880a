// What a device can do: the numbers that the time of a step follows from (step_time.h), each with
// where it is known from. A TOML file a device, in devices/.
#ifndef AIO_SIM_DEVICE_PROFILE_H_
#define AIO_SIM_DEVICE_PROFILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/synthesize.h"
#include "sim/weight_kinds.h"

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
  Sourced record_ms_per_layer;  // for a shape that is not recorded
  // Recorded shapes that the device keeps, of all its models; the one that was used longest ago
  // makes room. 0: all.
  Sourced resident_max;
};

// A step, or a prompt, of a known model that somebody timed.
struct MeasuredStep {
  std::string model;  // of KnownShapes(), or of DeviceProfile::shapes
  SimWeights weights = SimWeights::kF16;
  bool graph = false;
  bool prompt = false;  // `rows` tokens of one prompt; else of as many answers
  int rows = 1;
  int context = 0;  // tokens before, of each answer
  double ms = 0;
  bool fitted_to = false;  // the profile's fitted numbers follow from this; else it is a check
  std::string source;
};

// A model that is not published, or not known here.
struct NamedShape {
  std::string name;
  ModelShape shape;
};

struct DeviceProfile {
  std::string name;       // "ascend-910b"
  std::string title;      // "Ascend 910B (64 GB)"
  Sourced memory_gb;      // 1e9 bytes
  Sourced read_gb_per_s;  // peak of its memory
  Sourced read_share;     // of that peak, that a step's kernels reach; 0..1
  Sourced f16_tflops;     // dense, peak; 1e12 a second, a multiplication and an addition being two
  Sourced i8_tops;        // likewise of 8 bits; 0: it has no faster products of 8 bits
  Sourced compute_share;  // of these peaks, that a prefill reaches; 0..1
  // How much of the shorter of reading and computing is hidden behind the longer; 0..1. Cores that
  // do both themselves hide less than units of their own.
  Sourced overlap = {1, ""};
  // Each layer on the device besides its bytes and products: small kernels, one after the other.
  Sourced layer_gap_us;
  LaunchCosts eager;
  LaunchCosts graph;  // where there are graphs
  bool has_graphs = false;
  bool plays_graphs =
      false;  // unless a pool says otherwise: has_graphs, but for default_mode = "eager"
  StaticGraphs graphs;
  // Two models take turns by what their steps are charged (fair_share.h): as the embedded engine
  // has it, with so many rows a read; 0: by the time that they take, as processes share a device.
  Sourced rows_per_read;
  // From the end of one model's step until the other's can use its result.
  Sourced model_switch_us;
  Sourced link_gb_per_s;  // to other devices, for KV; 0: unknown
  Dequantization dequantization = Dequantization::kFused;
  std::string dequantization_source;
  Sourced usd_per_hour;  // 0: unknown

  std::vector<NamedShape> shapes;
  std::vector<MeasuredStep> measured;
  std::vector<std::string> fitted;  // keys whose values were fitted to `measured` (fit_device.h)

  // Of `shapes` or KnownShapes(); null: none has the name.
  const ModelShape* FindModel(std::string_view model) const;

  double ReadBytesPerMs() const { return read_gb_per_s.value * read_share.value * 1e6; }
  double FlopsPerMs(SimWeights weights) const {
    const bool i8 = weights == SimWeights::kW8A8 && i8_tops.value > 0;
    return (i8 ? i8_tops.value : f16_tflops.value) * compute_share.value * 1e9;
  }
};

// Faults name `source`, line and key: a number without its source, one that cannot be, a profile
// that contradicts itself (memory that takes longer than five minutes to be read, graphs that are
// slower to play back than to launch one by one, a measured step in which fewer bytes could have
// been read than it needs).
Result<DeviceProfile> ParseDeviceProfile(std::string_view toml, const std::string& source);

// A profile that is built in, by its name, or a file.
Result<DeviceProfile> FindDeviceProfile(const std::string& name_or_path);
// Those that are built in.
const std::vector<DeviceProfile>& KnownDevices();

// As a file that ParseDeviceProfile() reads.
std::string DeviceProfileToml(const DeviceProfile& profile);

}  // namespace aio

#endif  // AIO_SIM_DEVICE_PROFILE_H_
