#include "sim/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/toml_table.h"
#include "sim/sim_time.h"

namespace aio {
namespace {

constexpr int kDevicesMax = 20'000;
constexpr double kHoursMin = 0.001;
constexpr double kHoursMax = 1e6;

void ReadRole(TomlTable& table, SimulatedRole& role) {
  if (const auto name = table.String("model")) {
    const ModelShape* shape = FindShape(*name);
    if (shape == nullptr) {
      table.Fail("model", "'" + *name + "' is none that is known: see `aio synthesize --help`");
    } else {
      role.name = *name;
      role.shape = *shape;
    }
  }
  if (const auto name = table.String("weights")) {
    const auto weights = SimWeightsFromName(*name);
    if (!weights) table.Fail("weights", "must be one of " + SimWeightsNames());
    role.weights = weights.value_or(role.weights);
  }
  SchedulerOptions& engine = role.scheduler;
  role.kv_tokens = table.Int("kv_tokens", 1024, 1 << 30).value_or(role.kv_tokens);
  engine.max_running = table.Int("max_running", 1, 4096).value_or(engine.max_running);
  engine.prefill_chunk_tokens =
      table.Int("prefill_chunk_tokens", 1, 1 << 20).value_or(engine.prefill_chunk_tokens);
}

void ReadHolds(TomlTable& table, SimulatedPool& pool) {
  const auto names = table.Strings("holds");
  if (!names) return;
  pool.holds = {false, false};
  for (const std::string& name : *names) {
    const auto role = std::find(kSimRoleNames.begin(), kSimRoleNames.end(), name);
    if (role == kSimRoleNames.end()) {
      table.Fail("holds", "'" + name + "' must be \"small\" or \"large\"");
      return;
    }
    pool.holds[static_cast<size_t>(role - kSimRoleNames.begin())] = true;
  }
}

void ReadPhase(TomlTable& table, SimulatedPool& pool) {
  const auto phase = table.String("phase");
  if (!phase || *phase == "both") return;
  if (*phase == "prefill") {
    pool.phase = PoolPhase::kPrefill;
  } else if (*phase == "decode") {
    pool.phase = PoolPhase::kDecode;
  } else {
    table.Fail("phase", "must be \"both\", \"prefill\" or \"decode\"");
  }
}

Status ReadPool(TomlTable& table, SimulationSetup& setup) {
  SimulatedPool pool;
  table.Require("device");
  if (const auto device = table.String("device")) {
    Result<DeviceProfile> profile = FindDeviceProfile(*device);
    // A file of its own is named by its own errors.
    if (!profile.ok() && profile.status().code() != StatusCode::kNotFound) return profile.status();
    if (!profile.ok()) table.Fail("device", profile.status().message());
    if (profile.ok()) pool.device = *std::move(profile);
  }
  pool.devices = table.Int("devices", 1, kDevicesMax).value_or(1);
  ReadHolds(table, pool);
  ReadPhase(table, pool);
  pool.graph = table.Bool("graph").value_or(pool.device.plays_graphs);
  pool.failure_hours = table.Number("failure_hours", kHoursMin, kHoursMax).value_or(0);
  pool.repair_hours = table.Number("repair_hours", kHoursMin, kHoursMax).value_or(0);
  if (pool.failure_hours > 0 && pool.repair_hours == 0) table.Require("repair_hours");
  setup.pools.push_back(std::move(pool));
  return Status::Ok();
}

void ReadFailure(TomlTable& table, SimulationSetup& setup) {
  for (const char* key : {"pool", "device", "at_seconds", "for_seconds"}) table.Require(key);
  constexpr double kSecondsMax = 1e8;
  PlannedFailure failure;
  failure.pool = table.Int("pool", 0, static_cast<int>(setup.pools.size()) - 1).value_or(0);
  const int devices = setup.pools[static_cast<size_t>(failure.pool)].devices;
  failure.device = table.Int("device", 0, devices - 1).value_or(0);
  failure.at = SimSeconds(table.Number("at_seconds", 0, kSecondsMax).value_or(0));
  failure.lasts = SimSeconds(table.Number("for_seconds", 0, kSecondsMax).value_or(0));
  setup.failures.push_back(failure);
}

}  // namespace

Status ReadFleet(std::string_view toml, const std::string& source, SimulationSetup& setup) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(toml, source));
  root.Require("version");
  root.Int("version", 1, 1);
  root.Require("pool");
  setup.pools.clear();
  setup.failures.clear();
  for (const int role : {kSimSmall, kSimLarge}) {
    if (auto table = root.Table(kSimRoleNames[role])) ReadRole(*table, setup.roles[role]);
  }
  for (TomlTable& pool : root.Tables("pool")) AIO_RETURN_IF_ERROR(ReadPool(pool, setup));
  if (!setup.pools.empty()) {
    for (TomlTable& failure : root.Tables("failure")) ReadFailure(failure, setup);
  }
  AIO_RETURN_IF_ERROR(root.Finish());
  if (setup.pools.empty()) return InvalidArgument(source + ": pool: there must be one at least");
  return Status::Ok();
}

Status ReadFleetFile(const std::string& path, SimulationSetup& setup) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  return ReadFleet(text, path, setup);
}

}  // namespace aio
