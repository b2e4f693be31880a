#ifndef AIO_SIM_EMBEDDED_DEVICES_H_
#define AIO_SIM_EMBEDDED_DEVICES_H_

#include <string_view>
#include <vector>

namespace aio {

struct EmbeddedDevice {
  std::string_view path;  // "devices/ascend-910b.toml"
  std::string_view toml;
};

// The files of devices/ as they were when the program was built, by name.
const std::vector<EmbeddedDevice>& EmbeddedDevices();

}  // namespace aio

#endif  // AIO_SIM_EMBEDDED_DEVICES_H_
