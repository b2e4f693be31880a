// Device profiles and fleet files are files of users.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "sim/device_profile.h"
#include "sim/fleet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto profile = aio::ParseDeviceProfile(text, "fuzz.toml");
  if (profile.ok()) {
    // What was read can be written, and reads the same.
    const std::string toml = aio::DeviceProfileToml(*profile);
    const auto again = aio::ParseDeviceProfile(toml, "again.toml");
    AIO_CHECK(again.ok() && aio::DeviceProfileToml(*again) == toml);
  }
  aio::SimulationSetup setup;
  static_cast<void>(aio::ReadFleet(text, "fuzz.toml", setup));
  return 0;
}
