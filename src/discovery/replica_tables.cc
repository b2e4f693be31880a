#include "discovery/replica_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

namespace aio {
namespace {

// What a replica can have been started with. (That a client asks for "auto" is no such thing.)
constexpr std::array<std::string_view, 3> kStrategies = {"plain", "prompt_lookup", "draft_model"};

ReplicaSpec ReadReplica(TomlTable& table, const ReplicaSpec& defaults) {
  ReplicaSpec replica = defaults;
  table.Require("url");
  replica.url = table.String("url").value_or("");
  if (table.Has("url")) {
    const Status checked = CheckReplicaUrl(replica.url);
    if (!checked.ok()) table.Fail("url", checked.message());
  }
  replica.weight =
      table.Number("weight", kReplicaWeightMin, kReplicaWeightMax).value_or(defaults.weight);
  replica.zone = table.String("zone").value_or(defaults.zone);
  replica.strategy = ReadReplicaStrategy(table).value_or(defaults.strategy);
  replica.draining = table.Bool("draining").value_or(defaults.draining);
  return replica;
}

}  // namespace

std::optional<std::string> ReadReplicaStrategy(TomlTable& table) {
  std::optional<std::string> strategy = table.String("strategy");
  if (!strategy || strategy->empty()) return strategy;
  if (std::find(kStrategies.begin(), kStrategies.end(), *strategy) == kStrategies.end()) {
    table.Fail("strategy", fmt::format("'{}' is not known; there are {}", *strategy,
                                       fmt::join(kStrategies, ", ")));
  }
  return strategy;
}

std::vector<ReplicaSpec> ReadReplicaTables(TomlTable& table, const ReplicaSpec& defaults) {
  std::vector<ReplicaSpec> replicas;
  std::vector<TomlTable> tables = table.Tables("replicas");
  if (tables.size() > kReplicasMax) {
    table.Fail("replicas",
               fmt::format("has {} replicas; at most {} can be used", tables.size(), kReplicasMax));
    return replicas;
  }
  std::set<std::string> urls;
  for (TomlTable& one : tables) {
    replicas.push_back(ReadReplica(one, defaults));
    if (urls.insert(replicas.back().url).second) continue;
    one.Fail("url", fmt::format("'{}' stands here twice; leave one out", replicas.back().url));
  }
  return replicas;
}

Result<std::vector<ReplicaSpec>> ParseReplicaFile(std::string_view text, const std::string& source,
                                                  const ReplicaSpec& defaults) {
  AIO_ASSIGN_OR_RETURN(TomlTable table, TomlTable::Parse(text, source));
  table.Require("replicas");
  std::vector<ReplicaSpec> replicas = ReadReplicaTables(table, defaults);
  AIO_RETURN_IF_ERROR(table.Finish());
  return replicas;
}

}  // namespace aio
