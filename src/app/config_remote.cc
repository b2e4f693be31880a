#include "app/config_remote.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "app/config_access.h"
#include "base/named_variable.h"
#include "discovery/replica_tables.h"

namespace aio {
namespace {

constexpr int kMsMax = 3'600'000;
constexpr int kSecondsMax = 24 * 60 * 60;

void ReadMs(TomlTable& table, const char* key, int min, Duration& value) {
  if (const auto ms = table.Int(key, min, kMsMax)) value = std::chrono::milliseconds(*ms);
}

void ReadSeconds(TomlTable& table, const char* key, int min, Duration& value) {
  if (const auto seconds = table.Int(key, min, kSecondsMax)) value = std::chrono::seconds(*seconds);
}

void ReadEngine(TomlTable& model, RemoteOptions& options) {
  const std::optional<std::string> name = model.String("engine");
  if (!name) return;
  if (const auto profile = FindEngineProfile(*name)) {
    options.profile = *profile;
  } else {
    model.Fail("engine",
               fmt::format("'{}' is not known; there are {}", *name, EngineProfileNames()));
  }
}

void ReadAffinity(TomlTable& model, Affinity& affinity) {
  const std::optional<std::string> name = model.String("affinity");
  if (!name) return;
  if (*name == "none") {
    affinity = Affinity::kNone;
  } else if (*name == "session") {
    affinity = Affinity::kSession;
  } else if (*name == "prefix") {
    affinity = Affinity::kPrefix;
  } else {
    model.Fail("affinity", "must be \"none\", \"session\" or \"prefix\"");
  }
}

// The key itself never stands in the file: only the name of the variable that holds it.
void ReadApiKey(TomlTable& model, std::string& key) {
  const std::optional<std::string> variable = model.String("api_key_env");
  if (!variable) return;
  const Result<std::string> value = ReadNamedVariable(*variable);
  if (!value.ok()) {
    model.Fail("api_key_env", value.status().message());
    return;
  }
  key = *value;
  for (const char c : key) {
    if (c > ' ' && c < 0x7f) continue;
    model.Fail(
        "api_key_env",
        fmt::format("the key in the environment variable {} has a blank or another character "
                    "that no header may have",
                    *variable));
    return;
  }
}

void ReadDiscovery(TomlTable& table, const std::string& source, DiscoverySettings& settings) {
  table.Require("kind");
  table.Require("name");
  if (const auto kind = table.String("kind")) {
    const std::optional<DiscoveryKind> known = ReadDiscoveryKind(*kind);
    if (known && *known != DiscoveryKind::kStatic) {
      settings.kind = *known;
    } else {
      table.Fail("kind",
                 "must be \"dns\", \"srv\", \"file\" or \"kubernetes\"; a fixed list is "
                 "written as [[replicas]]");
    }
  }
  settings.name = table.String("name").value_or("");
  if (settings.kind == DiscoveryKind::kFile) settings.name = RelativeTo(source, settings.name);
  ReadSeconds(table, "interval_seconds", 1, settings.interval);
  settings.zone = table.String("zone").value_or("");
  settings.strategy = ReadReplicaStrategy(table).value_or("");
}

void ReadReplicas(TomlTable& model, const std::string& source, DiscoverySettings& settings) {
  settings.replicas = ReadReplicaTables(model, ReplicaSpec{});
  std::optional<TomlTable> table = model.Table("discovery");
  if (table) ReadDiscovery(*table, source, settings);
  if (table && !settings.replicas.empty()) {
    model.Fail("discovery", "says where the replicas are, and so does [[replicas]]; keep one");
  }
  if (!table && settings.replicas.empty()) {
    model.Fail("engine",
               "is that of a model held elsewhere, but nothing says where: add "
               "[[replicas]] with a url, or [discovery]");
  }
}

}  // namespace

bool IsRemote(const TomlTable& model) { return model.Has("engine"); }

RemoteOptions ReadRemoteDefaults(TomlTable& root) {
  RemoteOptions options;
  std::optional<TomlTable> table = root.Table("remote");
  if (!table) return options;
  ReplicaLimits& limits = options.replicas.limits;
  options.replicas.zone = table->String("zone").value_or("");
  ReadMs(*table, "connect_timeout_ms", 1, options.connect_timeout);
  ReadSeconds(*table, "first_token_timeout_seconds", 1, options.first_token_timeout);
  ReadMs(*table, "probe_timeout_ms", 1, options.probe_timeout);
  ReadSeconds(*table, "silence_timeout_seconds", 1, options.silence_timeout);
  options.retries_max = table->Int("retries_max", 0, 10).value_or(options.retries_max);
  ReadMs(*table, "hedge_after_ms", 0, options.hedge_after);
  ReadMs(*table, "health_interval_ms", 0, options.health_interval);
  ReadMs(*table, "health_timeout_ms", 1, options.health_timeout);
  limits.failures_max = table->Int("failures_max", 1, 1000).value_or(limits.failures_max);
  ReadSeconds(*table, "ejection_seconds", 1, limits.ejection);
  ReadSeconds(*table, "ejection_max_seconds", 1, limits.ejection_max);
  if (limits.ejection_max < limits.ejection) {
    table->Fail("ejection_max_seconds", "is less than ejection_seconds, the first one's time");
  }
  ReadSeconds(*table, "slow_start_seconds", 1, limits.slow_start);
  limits.slow_factor = table->Number("slow_factor", 1.5, 1000).value_or(limits.slow_factor);
  return options;
}

void ReadRemoteModel(TomlTable& model, const RemoteOptions& defaults, const std::string& source,
                     ModelSettings& settings) {
  RemoteModelSettings& remote = settings.remote.emplace();
  RemoteOptions& options = remote.options;
  options = defaults;
  options.name = settings.name;
  options.role = settings.role;
  ReadEngine(model, options);
  options.served_name = model.String("served_name").value_or(settings.name);
  options.context_length = model.Int("context_length", 0, 100'000'000).value_or(0);
  options.running_max = model.Int("running_max", 1, 1'000'000).value_or(options.running_max);
  options.health_port = model.Int("health_port", 0, 65535).value_or(0);
  // Stock engines refuse it; one that does not must have been started to schedule by it.
  const bool by_priority = model.Bool("priority").value_or(options.profile.name == "aio");
  options.profile.priority = options.profile.priority && by_priority;
  ReadAffinity(model, options.affinity);
  ReadApiKey(model, options.api_key);
  remote.ca_file = RelativeTo(source, model.String("ca_file").value_or(""));
  remote.client_certificate = RelativeTo(source, model.String("client_certificate").value_or(""));
  remote.client_key = RelativeTo(source, model.String("client_key").value_or(""));
  if (remote.client_certificate.empty() != remote.client_key.empty()) {
    const char* missing = remote.client_key.empty() ? "client_key" : "client_certificate";
    model.Fail(missing, "is missing: a certificate and its key are given together");
  }
  ReadReplicas(model, source, remote.discovery);
  for (const char* key : {"path", "w8a16_path", "draft_model", "chat_template"}) {
    if (!model.Has(key)) continue;
    model.Fail(key,
               "is for models that are loaded here; this one has an engine: remove one of them");
  }
}

}  // namespace aio
