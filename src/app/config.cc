#include "app/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/beside_program.h"
#include "app/config_access.h"
#include "app/config_remote.h"
#include "app/serve_admission.h"
#include "app/system_cpu.h"
#include "base/named_variable.h"
#include "base/toml_table.h"
#include "decisions/redactor.h"
#include "postgres/url.h"
#include "router/probe.h"

namespace aio {

namespace {

void ReadDraftModel(TomlTable& table, bool small_is_elsewhere, ModelSettings& settings) {
  settings.draft_model = table.String("draft_model").value_or("");
  if (!table.Has("draft_model")) return;
  if (settings.role == kSmallRole) {
    table.Fail("draft_model", "the small model is the one that drafts; remove the key");
  } else if (small_is_elsewhere) {
    table.Fail("draft_model", "the small model is held elsewhere and cannot draft; remove the key");
  } else if (settings.draft_model != kSmallRole) {
    table.Fail("draft_model", fmt::format("must be a role that can draft, \"{}\", is \"{}\"",
                                          kSmallRole, settings.draft_model));
  }
}

void ReadModels(TomlTable& root, const std::string& source, AppConfig& config) {
  const RemoteOptions remote_defaults = ReadRemoteDefaults(root);
  root.Require("models");
  std::optional<TomlTable> models = root.Table("models");
  if (!models) return;
  for (const char* role : {"small", "large"}) {
    models->Require(role);
    std::optional<TomlTable> table = models->Table(role);
    if (!table) continue;
    ModelSettings settings;
    settings.role = role;
    settings.name = table->String("name").value_or(role);
    if (IsRemote(*table)) {
      ReadRemoteModel(*table, remote_defaults, source, settings);
      config.models.push_back(std::move(settings));
      continue;
    }
    if (!table->Has("path") && (table->Has("replicas") || table->Has("discovery"))) {
      table->Fail("engine",
                  "is missing: say what the replicas are, one of " + EngineProfileNames());
    }
    table->Require("path");
    settings.path = RelativeTo(source, table->String("path").value_or(""));
    settings.chat_template = table->String("chat_template").value_or("");
    settings.bandwidth_weight =
        table->Number("bandwidth_weight", 0.001, 1000).value_or(settings.bandwidth_weight);
    settings.w8a16_path = RelativeTo(source, table->String("w8a16_path").value_or(""));
    if (table->Has("w8a16_path") && settings.w8a16_path.empty()) {
      table->Fail("w8a16_path", "is empty; name a GGUF file, or remove the key");
    }
    const bool small_is_elsewhere = !config.models.empty() && config.models[0].remote;
    ReadDraftModel(*table, small_is_elsewhere, settings);
    config.models.push_back(std::move(settings));
  }
}

void ReadEngine(TomlTable& root, EngineOptions& engine) {
  using Limits = EngineLimits;
  engine.num_threads = UsableCores();
  std::optional<TomlTable> table = root.Table("engine");
  if (!table) return;
  const int threads = table->Int("threads", 0, Limits::kThreadsMax).value_or(0);
  if (threads > 0) engine.num_threads = threads;
  engine.max_running =
      table->Int("max_running", 1, Limits::kRunningMax).value_or(engine.max_running);
  engine.max_waiting =
      table->Int("max_waiting", 1, Limits::kWaitingMax).value_or(engine.max_waiting);
  engine.prefill_chunk_tokens =
      table->Int("prefill_chunk_tokens", 1, Limits::kPrefillChunkTokensMax)
          .value_or(engine.prefill_chunk_tokens);
  engine.max_draft_tokens =
      table->Int("max_draft_tokens", Limits::kDraftTokensMin, Limits::kDraftTokensMax)
          .value_or(engine.max_draft_tokens);
  engine.kv_cache_tokens =
      table->Int("kv_cache_tokens", Limits::kKvCacheTokensMin, Limits::kKvCacheTokensMax)
          .value_or(static_cast<int>(engine.kv_cache_tokens));
  constexpr int kStepMsMax = Limits::kPrefillStepMax.count();
  if (const auto ms = table->Int("prefill_step_max_ms", 1, kStepMsMax)) {
    engine.prefill_step_max = std::chrono::milliseconds(*ms);
  }
  engine.prefix_caching = table->Bool("prefix_caching").value_or(engine.prefix_caching);
  engine.pin_threads = table->Bool("pin_threads").value_or(engine.pin_threads);
  if (const auto type = table->String("kv_type")) {
    if (const auto known = KvTypeFromName(*type)) {
      engine.kv_type = *known;
    } else {
      table->Fail("kv_type", "must be \"f16\", \"q8_0\" or \"f32\"");
    }
  }
}

// Where all work is waiting for other servers, threads that hand it to one another only cost time
// until one cannot do it all.
int DefaultIoThreads(const AppConfig& config) {
  constexpr int kManyCores = 8;
  const bool all_elsewhere =
      std::all_of(config.models.begin(), config.models.end(),
                  [](const ModelSettings& model) { return model.remote.has_value(); });
  return all_elsewhere && UsableCores() < kManyCores ? 1 : 2;
}

void ReadServer(TomlTable& root, AppConfig& config) {
  config.server.http.io_threads = DefaultIoThreads(config);
  std::optional<TomlTable> table = root.Table("server");
  if (!table) return;
  ReadAccess(*table, config);
  ServerOptions& server = config.server;
  server.host = table->String("host").value_or(server.host);
  if (server.host.empty()) table->Fail("host", "is empty; name an address, such as 127.0.0.1");
  server.port = table->Int("port", 0, 65535).value_or(server.port);
  HttpServerOptions& http = server.http;
  if (const int threads = table->Int("io_threads", 0, 64).value_or(0); threads > 0) {
    http.io_threads = threads;
  }
  http.connections_max = table->Int("connections_max", 1, 1 << 16).value_or(http.connections_max);
  http.body_bytes_max = static_cast<size_t>(table->Int("body_bytes_max", 1 << 10, 1 << 30)
                                                .value_or(static_cast<int>(http.body_bytes_max)));
  http.header_bytes_max =
      static_cast<size_t>(table->Int("header_bytes_max", 1 << 10, 1 << 20)
                              .value_or(static_cast<int>(http.header_bytes_max)));
  constexpr int kSecondsMax = 24 * 60 * 60;
  const auto read_timeout = [&](const char* key, Duration& timeout) {
    if (const auto seconds = table->Int(key, 1, kSecondsMax)) {
      timeout = std::chrono::seconds(*seconds);
    }
  };
  read_timeout("header_timeout_seconds", http.header_timeout);
  read_timeout("body_timeout_seconds", http.body_timeout);
  read_timeout("idle_timeout_seconds", http.idle_timeout);
  read_timeout("write_timeout_seconds", http.write_timeout);
  if (const auto seconds = table->Int("request_timeout_seconds", 0, kSecondsMax)) {
    server.request_timeout = std::chrono::seconds(*seconds);
  }
  if (const auto seconds = table->Int("drain_notice_seconds", 0, kSecondsMax)) {
    server.drain_notice = std::chrono::seconds(*seconds);
  }
  // The key itself never stands in the file: only the name of the variable that holds it.
  if (const auto variable = table->String("api_key_env")) {
    const Result<std::string> value = ReadNamedVariable(*variable);
    if (value.ok()) {
      server.api_key = *value;
    } else {
      table->Fail("api_key_env", value.status().message());
    }
  }
}

void ReadDecisionLog(TomlTable& root, const std::string& source, DecisionLogOptions& log) {
  std::optional<TomlTable> table = root.Table("decision_log");
  if (!table) return;
  const std::string path = table->String("path").value_or("");
  log.path = RelativeTo(source, path);
  log.url = ReadDatabaseUrl(*table, "url_env");
  if (table->Has("path") && path.empty()) {
    table->Fail("path", "is empty; name a file, or remove the table to keep no log");
  } else if (IsPostgresUrl(path)) {
    table->Fail("path",
                "is a URL, whose password should not stand here; keep it in an environment "
                "variable, and name that with url_env");
  } else if (table->Has("path") == table->Has("url_env")) {
    table->Fail("path", table->Has("path")
                            ? "stands beside url_env; a log is kept in one place, remove either"
                            : "is missing; name a file, or a database with url_env");
  }
  log.text = table->Bool("text").value_or(log.text);
  constexpr int kDaysMax = 100 * 365;
  log.retention_days = table->Int("retention_days", 0, kDaysMax).value_or(log.retention_days);
  log.queue_max = table->Int("queue_max", 1, kDecisionLogQueueMax).value_or(log.queue_max);
  log.redact = table->Strings("redact").value_or(log.redact);
  if (const auto redactor = Redactor::Create(log.redact); !redactor.ok()) {
    table->Fail("redact", redactor.status().message());
  }
}

// Returns the path of the head's file; empty: there is none.
std::string ReadProbe(TomlTable& root, const std::string& source, AppConfig& config) {
  root.Require("probe");
  std::optional<TomlTable> probe = root.Table("probe");
  if (!probe) return "";
  config.probe = ReadProbeConfig(*probe);
  config.defences = ReadProbeDefences(*probe, config.probe);
  const std::string head = probe->String("head").value_or("");
  if (probe->Has("head") && head.empty()) {
    probe->Fail("head", "is empty; name a head's file, or remove the key");
  }
  return RelativeTo(source, head);
}

Status LoadHead(const std::string& path, AppConfig& config) {
  if (path.empty()) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(config.probe_head, ReadHeadFile(path));
  Status attached = AttachHead(*config.probe_head, config.probe);
  if (attached.ok()) return attached;
  return std::move(attached).WithContext(fmt::format("{}: probe.head", config.source));
}

// Returns the path of the policy.
std::string ReadRouting(TomlTable& root, const std::string& source, AppConfig& config) {
  root.Require("routing");
  std::optional<TomlTable> table = root.Table("routing");
  if (!table) return "";
  config.virtual_names = table->Strings("virtual_names").value_or(config.virtual_names);
  config.sessions_max = static_cast<size_t>(
      table->Int("sessions_max", 0, 100'000'000).value_or(static_cast<int>(config.sessions_max)));
  config.large_stands_in = table->Bool("large_stands_in").value_or(config.large_stands_in);
  config.small_stands_in = table->Bool("small_stands_in").value_or(config.small_stands_in);
  table->Require("policy");
  return RelativeTo(source, table->String("policy").value_or(""));
}

// All that stands in the document itself; its faults come out of root.Finish(). `head_path`: see
// ReadProbe().
AppConfig ReadTables(TomlTable& root, const std::string& source, std::string& head_path) {
  AppConfig config;
  config.source = source;
  root.Require("version");
  root.Int("version", 1, 1);
  ReadModels(root, source, config);
  ReadEngine(root, config.engine);
  ReadAdmission(root, config.admission);
  ReadServer(root, config);
  ReadDecisionLog(root, source, config.decision_log);
  config.tracing = ReadTracing(root, ReadProcessVariable);
  head_path = ReadProbe(root, source, config);
  config.policy_file = ReadRouting(root, source, config);
  return config;
}

}  // namespace

Result<AppConfig> ParseConfig(std::string_view toml, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(TomlTable root, TomlTable::Parse(toml, source));
  std::string head_path;
  AppConfig config = ReadTables(root, source, head_path);
  AIO_RETURN_IF_ERROR(root.Finish());
  AIO_RETURN_IF_ERROR(LoadKeys(config));
  AIO_RETURN_IF_ERROR(CheckTls(config));
  AIO_RETURN_IF_ERROR(LoadHead(head_path, config));
  AIO_ASSIGN_OR_RETURN(config.policy, RoutingPolicy::FromFile(config.policy_file));
  return config;
}

std::vector<TomlKey> ConfigKeys() {
  // What has all tables, so that all keys are asked for; nothing else of it is right.
  constexpr std::string_view kAllTables = R"(
      remote = {}
      models = { small = {}, large = { engine = "", replicas = [{}], discovery = {} } }
      server = { tls = {}, cors = {} }
      probe = { labels = [{}], defences = { second_template = { labels = [{}] } } }
      engine = {}
      admission = {}
      decision_log = {}
      tracing = {}
      routing = {}
      )";
  std::vector<TomlKey> keys;
  Result<TomlTable> root = TomlTable::Parse(kAllTables, "");
  if (!root.ok()) return keys;
  root->Record(keys);
  std::string head_path;
  ReadTables(*root, "", head_path);
  return keys;
}

std::vector<ModelSettings> ResidentModels(const AppConfig& config) {
  std::vector<ModelSettings> models;
  for (const ModelSettings& own : config.models) {
    if (!own.remote) models.push_back(own);
  }
  for (const ModelSettings& own : config.models) {
    if (own.w8a16_path.empty()) continue;
    ModelSettings& variant = models.emplace_back(own);
    variant.role.clear();
    variant.name = own.w8a16_name();
    variant.path = own.w8a16_path;
  }
  return models;
}

Result<AppConfig> LoadConfig(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  return ParseConfig(text, path);
}

Result<std::string> FindDefaultConfig() {
  constexpr std::string_view kPocket = "config/pocket.toml";
  const std::string folder = ProgramFolder();
  if (auto path = FindInOrAbove(folder, kPocket)) return *std::move(path);
  if (auto path = FindInOrAbove(folder, "etc/aio/aio.toml")) return *std::move(path);
  if (auto path = FindBesideProgram(kPocket)) return *std::move(path);
  return NotFound(
      "no configuration: neither config/pocket.toml nor etc/aio/aio.toml is in the program's "
      "folder or above it; name one with --config");
}

}  // namespace aio
