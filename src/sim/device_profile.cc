#include "sim/device_profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/toml_string.h"
#include "base/toml_table.h"
#include "sim/embedded_devices.h"
#include "sim/step_time.h"

namespace aio {
namespace {

struct Range {
  double min;
  double max;
};

constexpr Range kShare = {0.01, 1};
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

constexpr int kRowsMax = 1 << 20;

void ReadGraphs(TomlTable& table, DeviceProfile& profile) {
  profile.has_graphs = true;
  ReadLaunchCosts(table, profile.graph);
  RequireSourced(table, "record_ms_per_layer", {0, 1e6}, profile.graphs.record_ms_per_layer);
  ReadSourced(table, "resident_max", {1, 1e6}, profile.graphs.resident_max);
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

// A step that was timed shorter than its weights take at the peak was not that step.
void CheckBytes(TomlTable& row, const MeasuredStep& step, const DeviceProfile& profile) {
  if (step.prompt || profile.read_gb_per_s.value <= 0) return;
  const double gb =
      static_cast<double>(CostsOf(*profile.FindModel(step.model)).WeightBytes(step.weights)) / 1e9;
  const double gb_read = profile.read_gb_per_s.value * step.ms / 1000;
  if (gb_read >= gb) return;
  row.Fail("ms", fmt::format("is {}: at {} GB/s {:.2f} GB could be read in that time, and the "
                             "weights of {} are {:.2f} GB",
                             step.ms, profile.read_gb_per_s.value, gb_read, step.model, gb));
}

void ReadShape(TomlTable& table, DeviceProfile& profile) {
  constexpr int kSizeMax = 1 << 20;
  constexpr int kCountMax = 1 << 12;
  table.Require("name");
  NamedShape named{.name = table.String("name").value_or(""), .shape = {}};
  const auto size = [&](const char* key, int max) {
    table.Require(key);
    return table.Int(key, 1, max).value_or(1);
  };
  ModelShape& shape = named.shape;
  shape.num_layers = size("num_layers", kCountMax);
  shape.hidden_size = size("hidden_size", kSizeMax);
  shape.num_heads = size("num_heads", kCountMax);
  shape.num_kv_heads = size("num_kv_heads", kCountMax);
  shape.head_size = size("head_size", kCountMax);
  shape.intermediate_size = size("intermediate_size", kSizeMax);
  shape.vocabulary_size = size("vocabulary_size", kSizeMax);
  profile.shapes.push_back(std::move(named));
}

void Write(std::string& toml, const NamedShape& named) {
  const ModelShape& shape = named.shape;
  toml += fmt::format(
      "\n[[shape]]\nname = {}\nnum_layers = {}\nhidden_size = {}\nnum_heads = {}\nnum_kv_heads = "
      "{}\nhead_size = {}\nintermediate_size = {}\nvocabulary_size = {}\n",
      TomlString(named.name), shape.num_layers, shape.hidden_size, shape.num_heads,
      shape.num_kv_heads, shape.head_size, shape.intermediate_size, shape.vocabulary_size);
}

void ReadMeasured(TomlTable& row, DeviceProfile& profile) {
  for (const char* key : {"model", "ms", "source"}) row.Require(key);
  MeasuredStep step;
  step.model = row.String("model").value_or("");
  const bool is_known = profile.FindModel(step.model) != nullptr;
  if (row.Has("model") && !is_known) {
    row.Fail("model", "is no model of `aio synthesize`, nor of a [[shape]]");
  }
  if (const auto name = row.String("weights")) {
    const std::optional<SimWeights> weights = SimWeightsFromName(*name);
    if (!weights) row.Fail("weights", "must be one of " + SimWeightsNames());
    step.weights = weights.value_or(step.weights);
  }
  step.graph = row.Bool("graph").value_or(false);
  if (step.graph && !profile.has_graphs) row.Fail("graph", "is true, and there is no [graph]");
  step.prompt = row.Bool("prompt").value_or(false);
  step.rows = row.Int("rows", 1, kRowsMax).value_or(1);
  step.context = row.Int("context", 0, kRowsMax).value_or(0);
  step.ms = row.Number("ms", 1e-6, 1e7).value_or(1);
  step.fitted_to = row.Bool("fitted_to").value_or(false);
  step.source = row.String("source").value_or("");
  if (is_known) CheckBytes(row, step, profile);
  profile.measured.push_back(std::move(step));
}

// What each number allows by itself, but not with the others.
void CheckTogether(TomlTable& root, const DeviceProfile& profile) {
  constexpr double kReadAllSecondsMax = 300;
  if (profile.read_gb_per_s.value > 0 &&
      profile.memory_gb.value / profile.read_gb_per_s.value > kReadAllSecondsMax) {
    root.Fail("read_gb_per_s",
              fmt::format("reads the {} GB of its memory in {:.0f} s; is it in GB/s?",
                          profile.memory_gb.value,
                          profile.memory_gb.value / profile.read_gb_per_s.value));
  }
  if (profile.i8_tops.value > 0 && profile.i8_tops.value < profile.f16_tflops.value) {
    root.Fail("i8_tops", fmt::format("is {}, less than f16_tflops, {}: products of 8 bits are no "
                                     "slower than those of 16",
                                     profile.i8_tops.value, profile.f16_tflops.value));
  }
}

// A number with its source, as in the file. `always`: also one that was left out, which is as 0.
void Write(std::string& toml, const char* key, const Sourced& number, bool always = true) {
  if (!always && number.source.empty()) return;
  toml += fmt::format("{} = {{ value = {}, source = {} }}\n", key, number.value,
                      TomlString(number.source));
}

void Write(std::string& toml, const LaunchCosts& costs) {
  Write(toml, "step_us", costs.step_us);
  Write(toml, "layer_us", costs.layer_us);
  Write(toml, "kernel_us", costs.kernel_us);
  Write(toml, "kv_copy_gb_per_s", costs.kv_copy_gb_per_s, false);
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
  RequireSourced(root, "f16_tflops", {1e-6, 1e6}, profile.f16_tflops);
  ReadSourced(root, "i8_tops", {0.001, 1e6}, profile.i8_tops);
  RequireSourced(root, "compute_share", kShare, profile.compute_share);
  ReadSourced(root, "overlap", {0, 1}, profile.overlap);
  ReadSourced(root, "layer_gap_us", kMicroseconds, profile.layer_gap_us);
  if (auto eager = root.Table("eager")) ReadLaunchCosts(*eager, profile.eager);
  if (auto graph = root.Table("graph")) ReadGraphs(*graph, profile);
  profile.plays_graphs = profile.has_graphs;
  if (const auto mode = root.String("default_mode")) {
    if (*mode != "eager" && (*mode != "graph" || !profile.has_graphs)) {
      root.Fail("default_mode", "must be \"eager\", or \"graph\" where there is [graph]");
    }
    profile.plays_graphs = *mode == "graph";
  }
  RequireSourced(root, "model_switch_us", kMicroseconds, profile.model_switch_us);
  ReadDequantization(root, profile);
  ReadSourced(root, "rows_per_read", {1, 1e6}, profile.rows_per_read);
  ReadSourced(root, "link_gb_per_s", {0.001, 1e6}, profile.link_gb_per_s);
  ReadSourced(root, "usd_per_hour", {0, 1e6}, profile.usd_per_hour);
  for (TomlTable& shape : root.Tables("shape")) ReadShape(shape, profile);
  for (TomlTable& row : root.Tables("measured")) ReadMeasured(row, profile);
  profile.fitted = root.Strings("fitted").value_or(std::vector<std::string>());
  CheckTogether(root, profile);
  AIO_RETURN_IF_ERROR(root.Finish());
  return profile;
}

const ModelShape* DeviceProfile::FindModel(std::string_view model) const {
  for (const NamedShape& named : shapes) {
    if (named.name == model) return &named.shape;
  }
  return FindShape(model);
}

const std::vector<DeviceProfile>& KnownDevices() {
  static const std::vector<DeviceProfile> devices = [] {
    std::vector<DeviceProfile> all;
    for (const auto& [path, text] : EmbeddedDevices()) {
      auto profile = ParseDeviceProfile(text, std::string(path));
      AIO_CHECK(profile.ok());  // device_profile_test.cc
      all.push_back(*std::move(profile));
    }
    return all;
  }();
  return devices;
}

Result<DeviceProfile> FindDeviceProfile(const std::string& name_or_path) {
  std::string names;
  for (const DeviceProfile& device : KnownDevices()) {
    if (device.name == name_or_path) return device;
    names += (names.empty() ? "" : ", ") + device.name;
  }
  const bool is_path = name_or_path.find_first_of("./") != std::string::npos;
  if (!is_path) {
    return NotFound(
        fmt::format("there is no device '{}': there are {}, or name a file", name_or_path, names));
  }
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(name_or_path));
  return ParseDeviceProfile(text, name_or_path);
}

std::string DeviceProfileToml(const DeviceProfile& profile) {
  std::string toml = fmt::format("version = 1\nname = {}\ntitle = {}\n", TomlString(profile.name),
                                 TomlString(profile.title));
  if (!profile.fitted.empty()) {
    std::string keys;
    for (const std::string& key : profile.fitted) {
      keys += (keys.empty() ? "" : ", ") + TomlString(key);
    }
    toml += fmt::format("fitted = [{}]\n", keys);
  }
  if (profile.has_graphs && !profile.plays_graphs) toml += "default_mode = \"eager\"\n";
  Write(toml, "memory_gb", profile.memory_gb);
  Write(toml, "read_gb_per_s", profile.read_gb_per_s);
  Write(toml, "read_share", profile.read_share);
  Write(toml, "f16_tflops", profile.f16_tflops);
  Write(toml, "i8_tops", profile.i8_tops, false);
  Write(toml, "compute_share", profile.compute_share);
  Write(toml, "overlap", profile.overlap, false);
  Write(toml, "layer_gap_us", profile.layer_gap_us, false);
  Write(toml, "rows_per_read", profile.rows_per_read, false);
  Write(toml, "model_switch_us", profile.model_switch_us);
  Write(toml, "link_gb_per_s", profile.link_gb_per_s, false);
  Write(toml, "usd_per_hour", profile.usd_per_hour, false);
  toml += fmt::format("dequantization = {{ kind = \"{}\", source = {} }}\n\n[eager]\n",
                      profile.dequantization == Dequantization::kFused ? "fused" : "storage-only",
                      TomlString(profile.dequantization_source));
  Write(toml, profile.eager);
  if (profile.has_graphs) {
    toml += "\n[graph]\n";
    Write(toml, profile.graph);
    Write(toml, "record_ms_per_layer", profile.graphs.record_ms_per_layer);
    Write(toml, "resident_max", profile.graphs.resident_max, false);
    toml += fmt::format("row_buckets = [{}]\n", fmt::join(profile.graphs.row_buckets, ", "));
  }
  for (const NamedShape& named : profile.shapes) Write(toml, named);
  for (const MeasuredStep& step : profile.measured) {
    toml += fmt::format("\n[[measured]]\nmodel = {}\nweights = \"{}\"\n", TomlString(step.model),
                        SimWeightsName(step.weights));
    if (step.graph) toml += "graph = true\n";
    if (step.prompt) toml += "prompt = true\n";
    toml += fmt::format("rows = {}\ncontext = {}\nms = {}\nfitted_to = {}\nsource = {}\n",
                        step.rows, step.context, step.ms, step.fitted_to, TomlString(step.source));
  }
  return toml;
}

}  // namespace aio
