#include "sim/device_profile.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/toml_table.h"

namespace aio {
namespace {

struct Range {
  double min;
  double max;
};

constexpr Range kShare = {0.001, 1};
constexpr Range kMicroseconds = {0, 1e7};

// key = { value = 64, source = "..." }
void ReadSourced(TomlTable& table, const char* key, Range range, Sourced& number) {
  std::optional<TomlTable> given = table.Table(key);
  if (!given) return;
  given->Require("value");
  given->Require("source");
  number.value = given->Number("value", range.min, range.max).value_or(number.value);
  number.source = given->String("source").value_or("");
  if (given->Has("source") && number.source.empty()) {
    given->Fail("source", "is empty; say where the number is from, or that it is an assumption");
  }
}

void RequireSourced(TomlTable& table, const char* key, Range range, Sourced& number) {
  table.Require(key);
  ReadSourced(table, key, range, number);
}

void ReadLaunchCosts(TomlTable& table, LaunchCosts& costs) {
  RequireSourced(table, "step_us", kMicroseconds, costs.step_us);
  RequireSourced(table, "layer_us", kMicroseconds, costs.layer_us);
  RequireSourced(table, "kernel_us", kMicroseconds, costs.kernel_us);
  ReadSourced(table, "kv_copy_gb_per_s", {0.001, 1e6}, costs.kv_copy_gb_per_s);
}

void ReadGraphs(TomlTable& table, DeviceProfile& profile) {
  constexpr int kRowsMax = 1 << 20;
  profile.has_graphs = true;
  ReadLaunchCosts(table, profile.graph);
  RequireSourced(table, "record_ms", {0, 1e7}, profile.graphs.record_ms);
  for (const double rows :
       table.Numbers("row_buckets", 1, kRowsMax).value_or(std::vector<double>())) {
    const int bucket = static_cast<int>(rows);
    const bool ascends =
        profile.graphs.row_buckets.empty() || profile.graphs.row_buckets.back() < bucket;
    if (bucket != rows || !ascends) {
      table.Fail("row_buckets", "must be whole numbers that ascend");
      return;
    }
    profile.graphs.row_buckets.push_back(bucket);
  }
  if (profile.graph.layer_us.value > profile.eager.layer_us.value) {
    table.Fail("layer_us",
               fmt::format("is {} in a graph and {} without one, in [eager]: playing a graph "
                           "back takes no longer than launching its kernels one by one",
                           profile.graph.layer_us.value, profile.eager.layer_us.value));
  }
}

void ReadDequantization(TomlTable& table, DeviceProfile& profile) {
  table.Require("dequantization");
  std::optional<TomlTable> given = table.Table("dequantization");
  if (!given) return;
  given->Require("kind");
  given->Require("source");
  profile.dequantization_source = given->String("source").value_or("");
  const std::optional<std::string> kind = given->String("kind");
  if (!kind) return;
  if (*kind == "storage-only") {
    profile.dequantization = Dequantization::kStorageOnly;
  } else if (*kind != "fused") {
    given->Fail("kind", "must be \"fused\" or \"storage-only\"");
  }
}

// What each number allows by itself, but not with the others.
void CheckTogether(TomlTable& root, const DeviceProfile& profile) {
  constexpr double kReadAllSecondsMax = 60;
  if (profile.read_gb_per_s.value > 0 &&
      profile.memory_gb.value / profile.read_gb_per_s.value > kReadAllSecondsMax) {
    root.Fail("read_gb_per_s",
              fmt::format("reads the {} GB of its memory in {:.0f} s; is it in GB/s?",
                          profile.memory_gb.value,
                          profile.memory_gb.value / profile.read_gb_per_s.value));
  }
}

}  // namespace

Result<DeviceProfile> ParseDeviceProfile(std::string_view toml, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(toml, source));
  DeviceProfile profile;
  for (const char* key : {"version", "name", "title", "eager"}) root.Require(key);
  root.Int("version", 1, 1);
  profile.name = root.String("name").value_or("");
  profile.title = root.String("title").value_or("");
  RequireSourced(root, "memory_gb", {0.001, 1e6}, profile.memory_gb);
  RequireSourced(root, "read_gb_per_s", {0.001, 1e6}, profile.read_gb_per_s);
  RequireSourced(root, "read_share", kShare, profile.read_share);
  RequireSourced(root, "f16_tflops", {0.001, 1e6}, profile.f16_tflops);
  RequireSourced(root, "compute_share", kShare, profile.compute_share);
  if (auto eager = root.Table("eager")) ReadLaunchCosts(*eager, profile.eager);
  if (auto graph = root.Table("graph")) ReadGraphs(*graph, profile);
  RequireSourced(root, "model_switch_us", kMicroseconds, profile.model_switch_us);
  ReadDequantization(root, profile);
  ReadSourced(root, "usd_per_hour", {0, 1e6}, profile.usd_per_hour);
  CheckTogether(root, profile);
  AIO_RETURN_IF_ERROR(root.Finish());
  return profile;
}

Result<DeviceProfile> ReadDeviceProfile(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  return ParseDeviceProfile(text, path);
}

}  // namespace aio
