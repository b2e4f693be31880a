#include "app/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "app/config.h"
#include "telemetry/tracing_settings.h"

namespace aio {
namespace {

constexpr const char* kRequired = "required";

struct Description {
  std::string path;
  std::string initial;
  std::string unit;
  std::string meaning;
};

std::string Quoted(std::string_view text) { return fmt::format("\"{}\"", text); }
template <typename Unit>
std::string In(Duration duration) {
  return std::to_string(std::chrono::duration_cast<Unit>(duration).count());
}
constexpr auto kSeconds = In<std::chrono::seconds>;

std::vector<Description> OfModels() {
  return {{"version", kRequired, "", "of the format: 1"},
          {"models.ROLE.path", "required, unless there is an engine", "", "GGUF file"},
          {"models.ROLE.name", "the role", "", "what clients call the model"},
          {"models.ROLE.chat_template", "\"\"", "",
           "name of a built-in template to use in place of the file's own (chat-templates.md)"},
          {"models.ROLE.bandwidth_weight", fmt::format("{}", ModelSettings().bandwidth_weight), "",
           "share of memory bandwidth while several models are busy, against the others' weights"},
          {"models.ROLE.w8a16_path", "\"\"", "",
           "GGUF file of the same model with 8-bit weights, resident too: NAME-w8a16"},
          {"models.ROLE.draft_model", "\"\"", "",
           "of the large model: the role that guesses for it, \"small\" (strategies.md)"}};
}

std::vector<Description> OfModelsElsewhere() {
  const RemoteOptions remote;
  const std::string model = "models.ROLE.";
  const auto with_replica = [&](const std::string& key, std::string initial, std::string meaning) {
    return Description{model + "replicas[]." + key, std::move(initial), "", std::move(meaning)};
  };
  return {
      {model + "engine", "\"\"", "",
       "of servers that hold the model, in place of `path`: \"vllm\", \"vllm-ascend\", \"sglang\", "
       "\"mindie\", \"llama-server\", \"ollama\", \"openai\" or \"aio\" (engines.md)"},
      {model + "served_name", "the name", "", "what the engine calls the model"},
      {model + "context_length", "0", "tokens",
       "of a prompt and its answer, as the engine was started; 0: unknown, all prompts go there"},
      {model + "running_max", fmt::format("{}", remote.running_max), "requests",
       "that one replica gets at a time, for `admission.running_max`"},
      {model + "priority", "false", "",
       "requests tell their `priority`, which vLLM and SGLang refuse unless started for it; with "
       "\"aio\" true"},
      {model + "health_port", "0", "",
       "where replicas answer whether they are well; 0: their URL's"},
      {model + "affinity", "\"session\"", "",
       "which requests go to one replica: \"none\", those of a \"session\", those with one "
       "\"prefix\""},
      {model + "api_key_env", "\"\"", "", "environment variable that holds the engine's key"},
      {model + "ca_file", "\"\"", "",
       "PEM file of the authorities to trust in place of the system's"},
      {model + "client_certificate", "\"\"", "",
       "PEM file that says who this server is, for engines that ask (mutual TLS)"},
      {model + "client_key", "\"\"", "", "PEM file of its private key, without a passphrase"},
      with_replica("url", kRequired, "\"http://host:8000\": a server that holds the model"),
      with_replica("weight", "1", "its share beside the others'"),
      with_replica("zone", "\"\"", "where it is: those of `remote.zone` come first"),
      with_replica("strategy", "\"\"",
                   "how it was started to decode: \"plain\", \"prompt_lookup\", "
                   "\"draft_model\" (engines.md)"),
      with_replica("draining", "false", "finishes what it has and gets nothing new"),
      {model + "discovery.kind", kRequired, "",
       "how replicas are found: \"dns\", \"srv\", \"file\" or \"kubernetes\" (discovery.md)"},
      {model + "discovery.name", kRequired, "", "where: a URL, or a file"},
      {model + "discovery.interval_seconds", kSeconds(DiscoverySettings().interval), "s",
       "between looks"},
      {model + "discovery.zone", "\"\"", "", "of those of which nothing else says it"},
      {model + "discovery.strategy", "\"\"", "", "likewise"}};
}

std::vector<Description> OfRemote() {
  constexpr auto kMs = In<std::chrono::milliseconds>;
  const RemoteOptions remote;
  const ReplicaLimits limits;
  return {{"remote.zone", "\"\"", "", "of this server: replicas of the same zone come first"},
          {"remote.connect_timeout_ms", kMs(remote.connect_timeout), "ms", "to reach a replica"},
          {"remote.first_token_timeout_seconds", kSeconds(remote.first_token_timeout), "s",
           "from a request to its first token; beyond: another replica, or 503"},
          {"remote.probe_timeout_ms", kMs(remote.probe_timeout), "ms",
           "for a probe, all its tries together; beyond, the large model answers"},
          {"remote.silence_timeout_seconds", kSeconds(remote.silence_timeout), "s",
           "between two parts of an answer; beyond: it is broken off"},
          {"remote.retries_max", fmt::format("{}", remote.retries_max), "",
           "times that a request is tried again, of which nothing has come"},
          {"remote.hedge_after_ms", kMs(remote.hedge_after), "ms",
           "without a token, after which a second replica is asked too; 0: never"},
          {"remote.health_interval_ms", kMs(remote.health_interval), "ms",
           "between questions whether a replica is well; 0: none are asked"},
          {"remote.health_timeout_ms", kMs(remote.health_timeout), "ms", "for the answer to that"},
          {"remote.failures_max", fmt::format("{}", limits.failures_max), "requests",
           "that fail one after another, until a replica is left alone for a while"},
          {"remote.ejection_seconds", kSeconds(limits.ejection), "s",
           "that while, the first time; each further one is twice as long"},
          {"remote.ejection_max_seconds", kSeconds(limits.ejection_max), "s", "its longest"},
          {"remote.slow_start_seconds", kSeconds(limits.slow_start), "s",
           "in which a replica that is well again comes to its whole share"},
          {"remote.slow_factor", fmt::format("{}", limits.slow_factor), "",
           "times slower than the others, from which a replica is left alone for a while"}};
}

std::vector<Description> OfEngine() {
  const EngineOptions engine;
  return {
      {"engine.threads", "0", "threads", "that compute; 0: one for each usable core"},
      {"engine.max_running", fmt::format("{}", engine.max_running), "sequences",
       "that take part in one step of a model"},
      {"engine.max_waiting", fmt::format("{}", engine.max_waiting), "sequences",
       "accepted by a model and not begun; beyond: 429"},
      {"engine.prefill_chunk_tokens", fmt::format("{}", engine.prefill_chunk_tokens), "tokens",
       "of prompts that one step computes at most"},
      {"engine.max_draft_tokens", fmt::format("{}", engine.max_draft_tokens), "tokens",
       "guesses that one step checks at most, over all sequences; 0: none"},
      {"engine.kv_cache_tokens", fmt::format("{}", engine.kv_cache_tokens), "tokens",
       "that each model's KV cache holds, for all requests"},
      {"engine.prefill_step_max_ms", In<std::chrono::milliseconds>(engine.prefill_step_max), "ms",
       "longest step on prompts while somebody waits for another token"},
      {"engine.prefix_caching", fmt::format("{}", engine.prefix_caching), "",
       "keep KV for requests that begin with the same tokens"},
      {"engine.pin_threads", fmt::format("{}", engine.pin_threads), "", "each keeps to one core"},
      {"engine.kv_type", Quoted(KvTypeName(engine.kv_type)), "",
       "of the KV cache: \"f16\", \"q8_0\" or \"f32\""}};
}

std::vector<Description> OfAdmission() {
  const AdmissionLimits limits;
  return {{"admission.running_max", "0", "requests",
           "that the models have at a time; 0: as many as they run"},
          {"admission.waiting_max", fmt::format("{}", limits.waiting_max), "requests",
           "that wait besides; beyond: 429"},
          {"admission.waiting_per_key_max", fmt::format("{}", limits.waiting_per_client_max),
           "requests", "that wait, of one API key; 0: no limit of its own"}};
}

std::vector<Description> OfServer() {
  const ServerOptions server;
  const HttpServerOptions& http = server.http;
  return {
      {"server.keys_file", "\"\"", "", "API keys, made by `aio keys add` (access.md)"},
      {"server.limits_url_env", "\"\"", "",
       "environment variable that holds the postgresql:// URL of the database in which several "
       "servers keep the keys' limits together (access.md)"},
      {"server.tls.certificate", kRequired, "",
       "PEM file: the server's certificate, then those of its issuers"},
      {"server.tls.key", kRequired, "", "PEM file without a passphrase, mode 0600"},
      {"server.cors.origins", kRequired, "",
       "sites whose pages browsers may let ask, \"https://chat.example.org\"; \"*\": all"},
      {"server.host", Quoted(server.host), "", "address to listen on"},
      {"server.port", fmt::format("{}", server.port), "", "to listen on; 0: any free one"},
      {"server.io_threads", "0", "threads",
       "for requests and answers; 0: 2, but 1 for models elsewhere on fewer than 8 cores"},
      {"server.connections_max", fmt::format("{}", http.connections_max), "connections",
       "open at a time; further clients wait"},
      {"server.body_bytes_max", fmt::format("{}", http.body_bytes_max), "bytes",
       "of a request's body; beyond: 413"},
      {"server.header_bytes_max", fmt::format("{}", http.header_bytes_max), "bytes",
       "of a request line and its headers; beyond: 431"},
      {"server.header_timeout_seconds", kSeconds(http.header_timeout), "s",
       "from the first byte to the headers' end, and for a TLS handshake; beyond: 408"},
      {"server.body_timeout_seconds", kSeconds(http.body_timeout), "s",
       "from the headers' end to the body's; beyond: 408"},
      {"server.idle_timeout_seconds", kSeconds(http.idle_timeout), "s",
       "between requests of a connection; beyond: closed"},
      {"server.write_timeout_seconds", kSeconds(http.write_timeout), "s",
       "for which a client takes no byte; beyond: dropped"},
      {"server.request_timeout_seconds", kSeconds(server.request_timeout), "s",
       "from a request's arrival to its answer's end; beyond: 504; 0: no limit"},
      {"server.drain_notice_seconds", kSeconds(server.drain_notice), "s",
       "for which /ready answers 503 before the port closes"},
      {"server.api_key_env", "\"\"", "", "environment variable that holds the one key to ask for"}};
}

std::vector<Description> OfRecords() {
  const DecisionLogOptions log;
  const TracingSettings tracing;
  return {{"decision_log.path", "required, unless there is url_env", "",
           "SQLite file, made if it is not there (decision-log.md)"},
          {"decision_log.url_env", "\"\"", "",
           "in place of a file: environment variable that holds a postgresql:// URL"},
          {"decision_log.text", fmt::format("{}", log.text), "", "keep prompts too"},
          {"decision_log.retention_days", fmt::format("{}", log.retention_days), "days",
           "after which rows are deleted; 0: never"},
          {"decision_log.queue_max", fmt::format("{}", log.queue_max), "rows",
           "that wait while they cannot be written; beyond: dropped"},
          {"decision_log.redact", "[]", "",
           "regular expressions: what is taken out of prompts and comments"},
          {"tracing.endpoint", "\"\"", "",
           "URL of an OpenTelemetry collector, OTLP over HTTP (tracing.md)"},
          {"tracing.headers", "[]", "",
           "\"name: value\" for it; ${NAME} stands for an environment variable"},
          {"tracing.sample_ratio", fmt::format("{}", tracing.sample_ratio), "",
           "share of the requests traced whose client has not decided"},
          {"tracing.service_name", "\"aio\"", "", "`service.name` of the spans"},
          {"tracing.queue_max", fmt::format("{}", tracing.queue_max), "requests",
           "whose spans wait for the collector; beyond: dropped"}};
}

// Of a probe's template: the probe's own, or the second one.
std::vector<Description> OfTemplate(const std::string& table) {
  return {{table + ".prefix", "\"\"", "", "template text before the conversation"},
          {table + ".suffix", "required, unless there is a head", "",
           "template text after it, to which a label's word is the answer"},
          {table + ".labels[].name", kRequired, "", "an intent, as policies call it"},
          {table + ".labels[].word", "required, unless there is a head", "",
           "what the model would answer; its first token is scored"},
          {table + ".window_tokens", "0", "tokens",
           "of the conversation that are read, half of its begin and half of its end; 0: all"},
          {table + ".head_early_exit", "false", "",
           "layers after the head's are not computed for the probe"}};
}

std::vector<Description> OfRouting() {
  const ProbeDefences defences;
  const RouterOptions router;
  std::vector<Description> all = OfTemplate("probe");
  for (Description& second : OfTemplate("probe.defences.second_template")) {
    all.push_back(std::move(second));
  }
  all.push_back({"probe.head", "\"\"", "", "file of `aio fit-head` (probe-head.md)"});
  all.push_back({"probe.defences.form", fmt::format("{}", defences.form), "",
                 "doubt prompts whose form is not that of plain text (robustness.md)"});
  all.push_back({"probe.defences.parts", fmt::format("{}", defences.parts), "",
                 "doubt prompts whose parts have other intents than the whole"});
  std::string names;
  for (const std::string& name : router.virtual_names) {
    names += (names.empty() ? "" : ", ") + Quoted(name);
  }
  all.push_back({"routing.virtual_names", "[" + names + "]", "",
                 "what a request's `model` says to be routed"});
  all.push_back({"routing.sessions_max", fmt::format("{}", router.sessions_max), "conversations",
                 "whose model is remembered; 0: none"});
  all.push_back({"routing.large_stands_in", fmt::format("{}", router.large_stands_in), "",
                 "the large model answers what the small one was chosen for, while that is gone"});
  all.push_back({"routing.small_stands_in", fmt::format("{}", router.small_stands_in), "",
                 "likewise the other way round, at the price of worse answers"});
  all.push_back({"routing.policy", kRequired, "", "file of the policy (policies.md)"});
  return all;
}

std::map<std::string, Description> AllDescriptions() {
  std::map<std::string, Description> all;
  for (std::vector<Description>& part :
       std::vector{OfModels(), OfModelsElsewhere(), OfRemote(), OfEngine(), OfAdmission(),
                   OfServer(), OfRecords(), OfRouting()}) {
    for (Description& description : part) all.emplace(description.path, std::move(description));
  }
  return all;
}

// One path for all roles and all elements of an array.
std::string Generalized(std::string path) {
  for (const auto& [special, general] :
       {std::pair("models.small", "models.ROLE"), std::pair("models.large", "models.ROLE"),
        std::pair("[0]", "[]")}) {
    if (const size_t at = path.find(special); at != std::string::npos) {
      path.replace(at, std::string_view(special).size(), general);
    }
  }
  return path;
}

Setting MakeSetting(const Description& description, const std::string& type) {
  const size_t dot = description.path.rfind('.');
  const bool at_root = dot == std::string::npos;
  return {.table = at_root ? "" : description.path.substr(0, dot),
          .name = at_root ? description.path : description.path.substr(dot + 1),
          .type = type,
          .initial = description.initial,
          .unit = description.unit,
          .meaning = description.meaning};
}

void AppendTable(const std::vector<Setting>& settings, const std::string& table,
                 std::string& page) {
  page += table.empty() ? "\n## At the top\n" : fmt::format("\n## `[{}]`\n", table);
  page += "\n| setting | type | default | unit | meaning |\n|---|---|---|---|---|\n";
  for (const Setting& setting : settings) {
    if (setting.table != table) continue;
    const bool is_word = setting.initial.find_first_of("\"[0123456789") != 0 &&
                         setting.initial != "true" && setting.initial != "false";
    page += fmt::format("| `{}` | {} | {} | {} | {} |\n", setting.name, setting.type,
                        is_word ? setting.initial : "`" + setting.initial + "`", setting.unit,
                        setting.meaning);
  }
}

}  // namespace

Result<std::vector<Setting>> AllSettings() {
  std::map<std::string, Description> descriptions = AllDescriptions();
  std::vector<Setting> settings;
  std::set<std::string> seen;
  for (const TomlKey& key : ConfigKeys()) {
    const std::string path = Generalized(key.path);
    if (key.type == "table" || key.type == "array of tables" || !seen.insert(path).second) continue;
    const auto found = descriptions.find(path);
    if (found == descriptions.end()) {
      return Internal(fmt::format("settings.cc does not describe the setting {}", path));
    }
    settings.push_back(MakeSetting(found->second, key.type));
    descriptions.erase(found);
  }
  if (descriptions.empty()) return settings;
  return Internal(fmt::format("settings.cc describes {}, which the configuration does not know",
                              descriptions.begin()->first));
}

std::string SettingsPage(const std::vector<Setting>& settings) {
  std::string page =
      "<!-- Written by `aio settings --markdown`; descriptions stand in src/app/settings.cc. -->\n"
      "# Settings\n\n"
      "What the configuration file may say, by its tables. It is TOML, version 1; unknown keys "
      "are\n"
      "errors, relative paths are taken from the file's own folder, and `aio validate --config "
      "FILE`\n"
      "checks everything. `models.ROLE` is `models.small` and `models.large`. What is taken over "
      "by\n"
      "`SIGHUP` or `--watch`, and what needs a restart: [access.md](access.md).\n";
  std::vector<std::string> tables;
  for (const Setting& setting : settings) {
    if (std::find(tables.begin(), tables.end(), setting.table) != tables.end()) continue;
    tables.push_back(setting.table);
    AppendTable(settings, setting.table, page);
  }
  return page;
}

}  // namespace aio
