// How a simulated model's weights are stored, and what of that a step's time depends on.
#ifndef AIO_SIM_WEIGHT_KINDS_H_
#define AIO_SIM_WEIGHT_KINDS_H_

#include <optional>
#include <string>
#include <string_view>

namespace aio {

enum class SimWeights {
  kF16,
  kW8A16,  // 8 bits a weight, multiplied with activations of 16: DeviceProfile::dequantization
  kW8A8,   // and of 8: the device's rate of 8-bit products counts
  kQ8_0,   // blocks of GGUF, expanded in registers
  kQ4_0,
};

std::string_view SimWeightsName(SimWeights weights);  // "f16", "w8a16", ...
std::optional<SimWeights> SimWeightsFromName(std::string_view name);
std::string SimWeightsNames();  // "f16, w8a16, ...", for messages
double BytesPerWeight(SimWeights weights);

}  // namespace aio

#endif  // AIO_SIM_WEIGHT_KINDS_H_
