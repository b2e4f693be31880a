// The configuration file: one versioned TOML file, strict (unknown keys are errors).
#ifndef AIO_APP_CONFIG_H_
#define AIO_APP_CONFIG_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/api_key.h"
#include "admission/admission_backend.h"
#include "backend/request.h"
#include "base/status.h"
#include "base/toml_table.h"
#include "decisions/decision_log.h"
#include "discovery/discovery.h"
#include "engine/embedded_backend.h"
#include "remote/remote_options.h"
#include "router/head_file.h"
#include "router/router.h"
#include "router/routing_policy.h"
#include "server/server.h"
#include "telemetry/tracing_settings.h"

namespace aio {

// A model that other servers hold.
struct RemoteModelSettings {
  RemoteOptions options;
  std::string ca_file;  // PEM; empty: the system's authorities
  // PEM; who this server is to the engine; empty: nobody.
  std::string client_certificate;
  std::string client_key;
  DiscoverySettings discovery;  // where the replicas are

  friend bool operator==(const RemoteModelSettings&, const RemoteModelSettings&) = default;
};

struct ModelSettings {
  std::string role;  // "small", "large": the table's name
  std::string name;  // what clients call it
  std::string path;  // of the GGUF file; empty: see `remote`
  std::optional<RemoteModelSettings> remote = {};
  std::string chat_template;    // a family's name, or empty: the file's own
  double bandwidth_weight = 1;  // see EmbeddedModel
  std::string w8a16_path;       // of the same model with 8-bit weights; empty: not resident
  std::string draft_model;      // the role of the model that drafts for it; empty: none does
  // Without a common vocabulary, that nobody drafts is no error: the paths are not those of the
  // file that said who does.
  bool draft_model_may_differ = false;

  // What clients call the variant at w8a16_path.
  std::string w8a16_name() const { return name + "-w8a16"; }
};

struct AppConfig {
  std::string source;                 // the file, for messages
  std::vector<ModelSettings> models;  // small, then large
  EngineOptions engine;
  AdmissionLimits admission{.running_max = 0};  // as written: see EffectiveLimits()
  ServerOptions server;
  std::string keys_file;     // of API keys; empty: none
  std::vector<ApiKey> keys;  // what stands in it
  // Of the database that other servers share these keys' limits in, with its password: not to be
  // shown. Empty: limits are this server's own.
  std::string limits_url;
  std::vector<std::string> virtual_names = RouterOptions().virtual_names;
  LabelQuery probe;
  size_t sessions_max = RouterOptions().sessions_max;
  bool large_stands_in = RouterOptions().large_stands_in;
  bool small_stands_in = RouterOptions().small_stands_in;
  ProbeDefences defences;
  std::optional<HeadFile> probe_head;  // what `probe` has its head of, if it has one
  std::string policy_file;
  RoutingPolicy policy;
  bool force_policy = false;        // RouterOptions::force_policy; only the command line says so
  DecisionLogOptions decision_log;  // of `aio serve`; no path: none is kept
  TracingSettings tracing;          // likewise; no endpoint: nothing is traced
};

// What is to be resident: those of the small and the large model that are not held elsewhere, then
// their variants as models of their
// own, without a role: a request's `model` may say a variant's name only.
std::vector<ModelSettings> ResidentModels(const AppConfig& config);

// Reads `path`; relative paths in it are taken from its own folder. Errors name the file,
// the key and the mend.
Result<AppConfig> LoadConfig(const std::string& path);
Result<AppConfig> ParseConfig(std::string_view toml, const std::string& source);

// The keys that ParseConfig() knows, in the order in which it reads them: those of every table,
// once ("models.small.path" and "models.large.path" are two).
std::vector<TomlKey> ConfigKeys();

// The configuration used when none is named: the first of config/pocket.toml (of a source tree),
// etc/aio/aio.toml and share/aio/config/pocket.toml (of an installed program) that there is in the
// folder of the program or one above it.
Result<std::string> FindDefaultConfig();

}  // namespace aio

#endif  // AIO_APP_CONFIG_H_
