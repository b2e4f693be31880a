#include "sim/device_profile.h"

#include <gtest/gtest.h>

#include "sim/embedded_devices.h"
#include "sim/fit_device.h"

namespace aio {
namespace {

constexpr std::string_view kDevice = R"(
version = 1
name = "d"
title = "A device"
memory_gb = { value = 64, source = "s" }
read_gb_per_s = { value = 1000, source = "s" }
read_share = { value = 0.8, source = "s" }
f16_tflops = { value = 300, source = "s" }
compute_share = { value = 0.5, source = "s" }
model_switch_us = { value = 20, source = "s" }
dequantization = { kind = "fused", source = "s" }
[eager]
step_us = { value = 100, source = "s" }
layer_us = { value = 20, source = "s" }
kernel_us = { value = 5, source = "s" }
)";

// kDevice with a line in place of the one that begins like it.
std::string With(std::string_view line) {
  std::string text(kDevice);
  const std::string_view key = line.substr(0, line.find(' '));
  const size_t begin = text.find("\n" + std::string(key) + " ") + 1;
  text.replace(begin, text.find('\n', begin) - begin, line);
  return text;
}

std::string FaultOf(const std::string& text) {
  const auto profile = ParseDeviceProfile(text, "d.toml");
  return profile.ok() ? "" : profile.status().message();
}

TEST(DeviceProfileTest, EveryDeviceThatIsBuiltInCanBeRead) {
  ASSERT_GE(EmbeddedDevices().size(), 7u);
  for (const EmbeddedDevice& device : EmbeddedDevices()) {
    const auto profile = ParseDeviceProfile(device.toml, std::string(device.path));
    ASSERT_TRUE(profile.ok()) << profile.status().ToString();
    EXPECT_EQ(device.path, "devices/" + profile->name + ".toml");
  }
}

// A number says that it was fitted: so the same fit must give it again.
TEST(DeviceProfileTest, WhatIsSaidToBeFittedIs) {
  for (const DeviceProfile& device : KnownDevices()) {
    const auto fitted = FitToMeasured(device);
    ASSERT_TRUE(fitted.ok()) << fitted.status().ToString();
    const auto share = [](double now, double then) { return now / then - 1; };
    for (size_t i = 0; i < device.measured.size(); ++i) {
      if (!device.measured[i].fitted_to) continue;
      const double then = PredictedMs(device.measured[i], device);
      EXPECT_NEAR(share(PredictedMs(device.measured[i], *fitted), then), 0, 0.01)
          << device.name << ", measured step " << i;
    }
  }
}

TEST(DeviceProfileTest, IsWrittenAsItIsRead) {
  for (const DeviceProfile& device : KnownDevices()) {
    const std::string toml = DeviceProfileToml(device);
    const auto again = ParseDeviceProfile(toml, "again");
    ASSERT_TRUE(again.ok()) << again.status().ToString();
    EXPECT_EQ(DeviceProfileToml(*again), toml);
  }
}

TEST(DeviceProfileTest, FaultsAreNamed) {
  EXPECT_EQ(FaultOf(std::string(kDevice)), "");
  EXPECT_NE(FaultOf(With("memory_gb = 64")).find("memory_gb"), std::string::npos);
  EXPECT_NE(FaultOf(With("memory_gb = { value = 64 }")).find("memory_gb.source"),
            std::string::npos);
  EXPECT_NE(FaultOf(With(R"(memory_gb = { value = 64, source = "" })")).find("is empty"),
            std::string::npos);
  EXPECT_NE(FaultOf(With(R"(read_share = { value = 1.2, source = "s" })")).find("read_share"),
            std::string::npos);
  EXPECT_NE(FaultOf(std::string(kDevice) + "speed = 3\n").find("speed"), std::string::npos);
}

TEST(DeviceProfileTest, WhatContradictsItselfIsRefused) {
  EXPECT_NE(FaultOf(With(R"(read_gb_per_s = { value = 0.1, source = "s" })"))
                .find("reads the 64 GB of its memory in 640 s"),
            std::string::npos);
  const std::string slow_graphs = std::string(kDevice) + R"(
[graph]
step_us = { value = 100, source = "s" }
layer_us = { value = 30, source = "s" }
kernel_us = { value = 5, source = "s" }
record_ms_per_layer = { value = 5, source = "s" }
)";
  EXPECT_NE(FaultOf(slow_graphs).find("playing a graph back takes no longer"), std::string::npos);
  // 14.8 GB at 1000 GB/s.
  const std::string too_fast = std::string(kDevice) + R"(
[[measured]]
model = "openpangu-7b"
ms = 10
source = "s"
)";
  EXPECT_NE(FaultOf(too_fast).find("10.00 GB could be read in that time, and the weights of "
                                   "openpangu-7b are 14.8"),
            std::string::npos)
      << FaultOf(too_fast);
}

TEST(DeviceProfileTest, ADeviceThatIsNotThereIsNamedWithThoseThatAre) {
  const Status status = FindDeviceProfile("ascend-999").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.message().find("h100-80gb"), std::string::npos);
}

}  // namespace
}  // namespace aio
