#include "app/reload.h"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <utility>

#include "app/config_access.h"
#include "app/runtime.h"
#include "app/serve_admission.h"

namespace aio {

void ConnectReloads(const ReloadCounts& counts, ServerOptions& options) {
  options.metric_sources.push_back([&counts] {
    const auto reloads = [](const char* result, int64_t value) {
      return MetricReading{.name = "aio_config_reloads_total",
                           .help = "Reloads of the configuration, by how they ended",
                           .is_counter = true,
                           .value = static_cast<double>(value),
                           .labels = {{"result", result}}};
    };
    return std::vector<MetricReading>{
        reloads("success", counts.succeeded), reloads("failure", counts.failed),
        MetricReading{.name = "aio_config_last_reload_successful",
                      .help = "0 while the configuration on disk was refused",
                      .is_counter = false,
                      .value = counts.last_succeeded ? 1.0 : 0.0}};
  });
}

namespace {

struct Differences {
  std::vector<std::string> names;

  template <typename T>
  void Compare(const T& before, const T& after, std::string name) {
    if (before != after) names.push_back(std::move(name));
  }
};

void CompareModels(const ModelSettings& before, const ModelSettings& after, Differences& out) {
  const std::string table = "models." + before.role + ".";
  out.Compare(before.name, after.name, table + "name");
  out.Compare(before.path, after.path, table + "path");
  out.Compare(before.remote, after.remote, table + "replicas");
  out.Compare(before.w8a16_path, after.w8a16_path, table + "w8a16_path");
  out.Compare(before.chat_template, after.chat_template, table + "chat_template");
  out.Compare(before.draft_model, after.draft_model, table + "draft_model");
  out.Compare(before.bandwidth_weight, after.bandwidth_weight, table + "bandwidth_weight");
}

void CompareEngines(const EngineOptions& before, const EngineOptions& after, Differences& out) {
  out.Compare(before.num_threads, after.num_threads, "engine.threads");
  out.Compare(before.pin_threads, after.pin_threads, "engine.pin_threads");
  out.Compare(before.max_running, after.max_running, "engine.max_running");
  out.Compare(before.max_waiting, after.max_waiting, "engine.max_waiting");
  out.Compare(before.max_draft_tokens, after.max_draft_tokens, "engine.max_draft_tokens");
  out.Compare(before.kv_cache_tokens, after.kv_cache_tokens, "engine.kv_cache_tokens");
  out.Compare(before.prefix_caching, after.prefix_caching, "engine.prefix_caching");
  out.Compare(before.kv_type, after.kv_type, "engine.kv_type");
  out.Compare(before.prefill_chunk_tokens, after.prefill_chunk_tokens,
              "engine.prefill_chunk_tokens");
  out.Compare(before.prefill_step_max, after.prefill_step_max, "engine.prefill_step_max_ms");
}

void CompareServers(const ServerOptions& before, const ServerOptions& after, Differences& out) {
  out.Compare(before.host, after.host, "server.host");
  out.Compare(before.port, after.port, "server.port");
  out.Compare(before.cors_origins, after.cors_origins, "server.cors.origins");
  out.Compare(before.request_timeout, after.request_timeout, "server.request_timeout_seconds");
  out.Compare(before.drain_notice, after.drain_notice, "server.drain_notice_seconds");
  const HttpServerOptions& was = before.http;
  const HttpServerOptions& is = after.http;
  out.Compare(was.io_threads, is.io_threads, "server.io_threads");
  out.Compare(was.connections_max, is.connections_max, "server.connections_max");
  out.Compare(was.body_bytes_max, is.body_bytes_max, "server.body_bytes_max");
  out.Compare(was.header_bytes_max, is.header_bytes_max, "server.header_bytes_max");
  out.Compare(was.header_timeout, is.header_timeout, "server.header_timeout_seconds");
  out.Compare(was.body_timeout, is.body_timeout, "server.body_timeout_seconds");
  out.Compare(was.idle_timeout, is.idle_timeout, "server.idle_timeout_seconds");
  out.Compare(was.write_timeout, is.write_timeout, "server.write_timeout_seconds");
  out.Compare(was.tls.has_value(), is.tls.has_value(), "server.tls");
}

std::vector<std::string> ModelFiles(const AppConfig& config) {
  std::vector<std::string> files;
  for (const ModelSettings& model : ResidentModels(config)) files.push_back(model.path);
  return files;
}

std::vector<std::string> SettingsFiles(const AppConfig& config) {
  std::vector<std::string> files = {config.source, config.policy_file};
  if (!config.keys_file.empty()) files.push_back(config.keys_file);
  if (const auto& tls = config.server.http.tls) {
    files.push_back(tls->certificate);
    files.push_back(tls->key);
  }
  return files;
}

// `router`, and with it what it routes over.
std::shared_ptr<Router> Owning(std::shared_ptr<void> models, std::unique_ptr<Router> router) {
  struct Both {
    std::shared_ptr<void> models;
    std::unique_ptr<Router> router;  // goes first
  };
  auto both = std::make_shared<Both>(Both{std::move(models), std::move(router)});
  return {both, both->router.get()};
}

}  // namespace

std::vector<std::string> ChangesOfModels(const AppConfig& before, const AppConfig& after) {
  Differences differences;
  for (size_t i = 0; i < before.models.size() && i < after.models.size(); ++i) {
    CompareModels(before.models[i], after.models[i], differences);
  }
  CompareEngines(before.engine, after.engine, differences);
  return differences.names;
}

std::vector<std::string> ChangesThatWait(const AppConfig& before, const AppConfig& after) {
  Differences differences;
  CompareServers(before.server, after.server, differences);
  differences.Compare(before.limits_url, after.limits_url, "server.limits_url_env");
  const DecisionLogOptions& was = before.decision_log;
  const DecisionLogOptions& is = after.decision_log;
  differences.Compare(was.path, is.path, "decision_log.path");
  differences.Compare(was.url, is.url, "decision_log.url_env");
  differences.Compare(was.text, is.text, "decision_log.text");
  differences.Compare(was.redact, is.redact, "decision_log.redact");
  differences.Compare(was.retention_days, is.retention_days, "decision_log.retention_days");
  differences.Compare(was.queue_max, is.queue_max, "decision_log.queue_max");
  differences.Compare(before.tracing, after.tracing, "tracing");
  return differences.names;
}

ConfigFiles::ConfigFiles(const AppConfig& config)
    : settings(SettingsFiles(config)), models(ModelFiles(config)) {}

Reloader::Reloader(std::function<Result<AppConfig>()> load, AppConfig running, ConfigFiles files,
                   ReloadTargets targets, ReloadCounts& counts,
                   std::shared_ptr<spdlog::logger> logger)
    : load_(std::move(load)),
      running_(std::move(running)),
      targets_(std::move(targets)),
      files_(std::move(files)),
      counts_(counts),
      logger_(std::move(logger)) {}

Status Reloader::Reload() {
  Result<AppConfig> config = load_();
  Status status = config.ok() ? Apply(*std::move(config)) : config.status();
  if (!status.ok()) {
    logger_->error("the changed configuration is refused, the one before stays in force: {}",
                   status.message());
  }
  // After the log: who is alerted by a count finds the reason there.
  counts_.last_succeeded = status.ok();
  ++(status.ok() ? counts_.succeeded : counts_.failed);
  return status;
}

Result<ServedModels> Reloader::NextModels(const AppConfig& config) const {
  std::shared_ptr<SessionTable> sessions;
  if (config.sessions_max == running_.sessions_max) sessions = targets_.router.get()->sessions();
  const std::vector<std::string> changes = ChangesOfModels(running_, config);
  if (!changes.empty() || files_.models.Differ()) {
    logger_->info("loading models: {} changed",
                  changes.empty() ? "their files" : fmt::to_string(fmt::join(changes, ", ")));
    return targets_.load_models(config, std::move(sessions));
  }
  ServedModels same = targets_.models;
  AIO_RETURN_IF_ERROR(ConfigureRouter(config, same.options));
  same.options.sessions = std::move(sessions);
  Result<std::unique_ptr<Router>> router = Router::Create(same.options, targets_.clock);
  if (!router.ok()) return router.status().WithContext(config.source);
  same.router = Owning(same.owner, *std::move(router));
  return same;
}

// What may fail comes first.
Status Reloader::Apply(AppConfig config) {
  ConfigFiles files(config);
  if (AsksForKeys(running_) && !AsksForKeys(config)) {
    return InvalidArgument(fmt::format(
        "{}: it asks for no key any more, which would serve everyone; if that is meant, restart",
        config.source));
  }
  AIO_ASSIGN_OR_RETURN(ServedModels next, NextModels(config));
  const std::optional<TlsFiles>& tls = config.server.http.tls;
  if (tls && running_.server.http.tls) AIO_RETURN_IF_ERROR(targets_.server.SetTls(*tls));

  if (targets_.on_policy != nullptr) targets_.on_policy(config.policy);
  targets_.router.Switch(next.router);
  targets_.models = std::move(next);
  files_ = std::move(files);
  targets_.admission.SetLimits(EffectiveLimits(config));
  targets_.access.Replace(AllKeys(config), AsksForKeys(config), targets_.clock.Now());
  logger_->info("configuration reloaded from {}: policy {}, {} keys", config.source,
                config.policy.name(), config.keys.size());
  WarnOfRestart(config);
  // What is compared with the next time, and watched: what waits goes on waiting.
  ServerOptions server = running_.server;
  if (tls && server.http.tls) server.http.tls = tls;
  config.server = std::move(server);
  config.limits_url = running_.limits_url;
  config.decision_log = running_.decision_log;
  config.tracing = running_.tracing;
  running_ = std::move(config);
  return Status::Ok();
}

void Reloader::WarnOfRestart(const AppConfig& config) const {
  const std::vector<std::string> changes = ChangesThatWait(running_, config);
  if (changes.empty()) return;
  logger_->warn("changed, but not taken over before a restart: {}", fmt::join(changes, ", "));
}

}  // namespace aio
