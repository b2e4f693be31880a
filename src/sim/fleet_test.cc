#include "sim/fleet.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "sim/sim_test_setup.h"

namespace aio {
namespace {

Status Read(std::string_view toml, SimulationSetup& setup) {
  return ReadFleet(toml, "fleet.toml", setup);
}

TEST(FleetTest, PoolsRolesAndFailuresAreRead) {
  SimulationSetup setup;
  const Status status = Read(R"(
version = 1
[small]
model = "qwen3-0.6b"
[large]
model = "qwen3-8b"
weights = "w8a8"
max_running = 128
[[pool]]
device = "h100-80gb"
devices = 3
holds = ["large"]
phase = "decode"
failure_hours = 500
repair_hours = 2
[[pool]]
device = "a100-80gb"
graph = false
[[failure]]
pool = 0
device = 2
at_seconds = 10
for_seconds = 2.5
)",
                             setup);
  ASSERT_TRUE(status.ok()) << status.ToString();
  ASSERT_EQ(setup.pools.size(), 2u);
  EXPECT_EQ(setup.pools[0].devices, 3);
  EXPECT_FALSE(setup.pools[0].holds[kSimSmall]);
  EXPECT_TRUE(setup.pools[0].holds[kSimLarge]);
  EXPECT_EQ(setup.pools[0].phase, PoolPhase::kDecode);
  EXPECT_TRUE(setup.pools[0].graph) << "as the device is by default";
  EXPECT_FALSE(setup.pools[1].graph);
  EXPECT_EQ(setup.roles[kSimLarge].weights, SimWeights::kW8A8);
  EXPECT_EQ(setup.roles[kSimLarge].scheduler.max_running, 128);
  EXPECT_EQ(setup.num_devices(), 4);
  ASSERT_EQ(setup.failures.size(), 1u);
  EXPECT_EQ(ToMs(setup.failures[0].lasts), 2500);
}

TEST(FleetTest, TheFileThatIsDocumentedServes) {
  std::ifstream file(AIO_SOURCE_DIR "/docs/simulation.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const size_t begin = page.find("```toml\n") + 8;
  ASSERT_LT(begin, page.size());
  SimulationSetup setup = TestSetup(1);
  const Status status = Read(page.substr(begin, page.find("```", begin) - begin), setup);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(setup.num_devices(), 14);
  SimWorkload workload{.source = "", .labels = {"code", "qa", "math"}, .requests = {}};
  for (int i = 0; i < 30; ++i) {
    workload.requests.push_back({.arrival = std::chrono::seconds(i),
                                 .prompt_tokens = 300,
                                 .answer_tokens = 20,
                                 .label_logits = {i % 2 ? 8.0f : 0.0f, 0, 4}});
  }
  const auto result = Simulate(setup, workload);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  for (const SimulatedAnswer& answer : result->answers) EXPECT_TRUE(answer.answered);
}

TEST(FleetTest, FaultsNameFileLineAndKey) {
  const std::pair<const char*, const char*> faults[] = {
      {"version = 1\n", "pool"},
      {"version = 1\n[[pool]]\ndevices = 2\n", "device"},
      {"version = 1\n[[pool]]\ndevice = \"gpu\"\n", "there is no device 'gpu'"},
      {"version = 1\n[[pool]]\ndevice = \"a100-80gb\"\nholds = [\"medium\"]\n", "medium"},
      {"version = 1\n[[pool]]\ndevice = \"a100-80gb\"\nphase = \"all\"\n", "phase"},
      {"version = 1\n[[pool]]\ndevice = \"a100-80gb\"\ncolour = 1\n", "colour"},
      {"version = 1\n[[pool]]\ndevice = \"a100-80gb\"\nfailure_hours = 1\n", "repair_hours"},
      {"version = 1\n[large]\nmodel = \"gpt\"\n[[pool]]\ndevice = \"a100-80gb\"\n", "gpt"},
      {"version = 1\n[[pool]]\ndevice = \"a100-80gb\"\n[[failure]]\npool = 1\ndevice = 0\n"
       "at_seconds = 1\nfor_seconds = 1\n",
       "pool"},
      {"version = 1\n[[pool]]\ndevice = \"a100-80gb\"\n[[failure]]\npool = 0\ndevice = 1\n"
       "at_seconds = 1\nfor_seconds = 1\n",
       "device"}};
  for (const auto& [toml, named] : faults) {
    SimulationSetup setup;
    const Status status = Read(toml, setup);
    EXPECT_FALSE(status.ok()) << toml;
    EXPECT_NE(status.message().find("fleet.toml"), std::string::npos) << status.message();
    EXPECT_NE(status.message().find(named), std::string::npos) << status.message();
  }
}

}  // namespace
}  // namespace aio
