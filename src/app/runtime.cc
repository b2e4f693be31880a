#include "app/runtime.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "app/check_models.h"
#include "app/commands.h"
#include "app/system_memory.h"
#include "base/check.h"
#include "base/progress.h"
#include "formats/gguf.h"

namespace aio {

namespace {

// All that one model takes, before its weights are read.
Result<int64_t> FootprintBytes(const GgufFile& file, const EngineOptions& engine) {
  AIO_ASSIGN_OR_RETURN(const ModelSummary summary, Summarize(file));
  AIO_ASSIGN_OR_RETURN(const int64_t working,
                       EmbeddedBackend::WorkingBytes(summary.config, engine));
  return summary.weight_bytes + working;
}

using OpenFiles = std::vector<std::shared_ptr<const GgufFile>>;  // [models]

Result<OpenFiles> OpenAndCheckMemory(const std::vector<ModelSettings>& models,
                                     const EngineOptions& engine) {
  OpenFiles files;
  int64_t needed = 0;
  for (const ModelSettings& settings : models) {
    AIO_ASSIGN_OR_RETURN(auto file, GgufFile::Open(settings.path));
    AIO_ASSIGN_OR_RETURN(const int64_t bytes, FootprintBytes(*file, engine));
    needed += bytes;
    files.push_back(std::move(file));
  }
  AIO_ASSIGN_OR_RETURN(const int64_t available, AvailableMemoryBytes());
  const std::string_view what = models.size() > 2
                                    ? "the model pair and its w8a16 variants with their KV caches"
                                    : "the model pair with its KV cache";
  AIO_RETURN_IF_ERROR(CheckFits(needed, available, what));
  return files;
}

// All but the weights.
Result<EmbeddedModel> ReadModel(const ModelSettings& settings, const GgufFile& file) {
  EmbeddedModel embedded;
  embedded.name = settings.name;
  embedded.role = settings.role;
  embedded.bandwidth_weight = settings.bandwidth_weight;
  AIO_ASSIGN_OR_RETURN(embedded.tokenizer, Tokenizer::Load(file));
  if (!settings.chat_template.empty()) {
    AIO_ASSIGN_OR_RETURN(embedded.chat_template, ChatTemplate::FromName(settings.chat_template));
    return embedded;
  }
  Result<ChatTemplate> own = ChatTemplate::FromGguf(file);
  // A base model without a template still completes raw text; one with a template that
  // we cannot render would answer nonsense, so that is an error.
  if (own.ok()) {
    embedded.chat_template = *own;
  } else if (own.status().code() != StatusCode::kNotFound) {
    return own.status();
  }
  return embedded;
}

template <typename Named>
size_t IndexOf(const std::vector<Named>& models, std::string_view name) {
  const auto found = std::find_if(models.begin(), models.end(),
                                  [&](const Named& model) { return model.name == name; });
  AIO_CHECK(found != models.end());
  return static_cast<size_t>(found - models.begin());
}

// A variant speaks as its model does, whatever else its own file says.
Status JoinVariants(const AppConfig& config, const OpenFiles& files,
                    std::vector<EmbeddedModel>& models) {
  for (const ModelSettings& settings : config.models) {
    if (settings.remote || settings.w8a16_path.empty()) continue;
    const size_t own = IndexOf(models, settings.name);
    const size_t variant = IndexOf(models, settings.w8a16_name());
    AIO_RETURN_IF_ERROR(CheckIsW8A16Of(*files[own], *files[variant]));
    AIO_RETURN_IF_ERROR(CheckSameTokenizer(*models[own].tokenizer, *models[variant].tokenizer,
                                           files[variant]->path()));
    models[variant].tokenizer = models[own].tokenizer;
    models[variant].chat_template = models[own].chat_template;
  }
  return Status::Ok();
}

Status JoinDrafts(const AppConfig& config, std::vector<EmbeddedModel>& models) {
  for (const ModelSettings& settings : config.models) {
    if (settings.draft_model.empty()) continue;
    const EmbeddedModel& draft = models[0];  // the small one: ReadDraftModel()
    EmbeddedModel& target = models[IndexOf(models, settings.name)];
    const Status can_draft = CheckCanDraft(draft, target);
    if (!can_draft.ok() && settings.draft_model_may_differ) {
      PrintNote(fmt::format("aio: {}; none drafts", can_draft.message()));
      continue;
    }
    if (!can_draft.ok()) {
      return InvalidArgument(fmt::format("{}: models.{}.draft_model: {}", config.source,
                                         settings.role, can_draft.message()));
    }
    target.draft_model = draft.name;
    if (settings.w8a16_path.empty()) continue;
    models[IndexOf(models, settings.w8a16_name())].draft_model = draft.name;
  }
  return Status::Ok();
}

Result<std::vector<EmbeddedModel>> LoadModels(const AppConfig& config, const Clock& clock,
                                              const std::function<bool()>& cancelled) {
  const std::vector<ModelSettings> resident = ResidentModels(config);
  AIO_ASSIGN_OR_RETURN(OpenFiles files, OpenAndCheckMemory(resident, config.engine));
  std::vector<EmbeddedModel> models;
  for (size_t i = 0; i < resident.size(); ++i) {
    AIO_ASSIGN_OR_RETURN(EmbeddedModel model, ReadModel(resident[i], *files[i]));
    models.push_back(std::move(model));
  }
  AIO_RETURN_IF_ERROR(JoinVariants(config, files, models));
  AIO_RETURN_IF_ERROR(JoinDrafts(config, models));
  for (size_t i = 0; i < models.size(); ++i) {
    AIO_ASSIGN_OR_RETURN(models[i].model, LoadWeights(models[i].name, std::move(files[i]),
                                                      config.engine.num_threads, clock, cancelled));
  }
  return models;
}

// Whether replicas may have been started with a draft model. Those of a file say so themselves,
// and may be others tomorrow.
bool MayDraft(const DiscoverySettings& discovery) {
  const std::string_view drafts = StrategyName(StrategyKind::kDraftModel);
  return discovery.strategy == drafts || discovery.kind == DiscoveryKind::kFile ||
         std::any_of(discovery.replicas.begin(), discovery.replicas.end(),
                     [&](const ReplicaSpec& replica) { return replica.strategy == drafts; });
}

RoleTarget ToTarget(const ModelSettings& settings, const std::vector<EmbeddedModel>& models,
                    Backend& engine) {
  RoleTarget target{.backend = &engine, .model = settings.name};
  if (!settings.w8a16_path.empty()) {
    target.variants.emplace(kW8A16, settings.w8a16_name());
  }
  target.draft_model = models[IndexOf(models, settings.name)].draft_model;
  return target;
}

}  // namespace

Result<std::shared_ptr<const Model>> LoadWeights(const std::string& name,
                                                 std::shared_ptr<const GgufFile> file, int threads,
                                                 const Clock& clock,
                                                 std::function<bool()> cancelled) {
  std::optional<ProgressBar> bar;
  LoadOptions options;
  options.num_threads = threads;
  options.progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("loading " + name, total, clock);
    bar->Update(done);
  };
  options.cancelled = std::move(cancelled);
  return Model::Load(std::move(file), options);
}

Result<EmbeddedModel> LoadModel(const ModelSettings& settings, int threads, const Clock& clock,
                                std::shared_ptr<const GgufFile> file) {
  AIO_ASSIGN_OR_RETURN(EmbeddedModel embedded, ReadModel(settings, *file));
  AIO_ASSIGN_OR_RETURN(embedded.model, LoadWeights(embedded.name, std::move(file), threads, clock));
  return embedded;
}

void RuntimeFlags::AddTo(CLI::App& command) {
  command
      .add_option("-c,--config", config_path,
                  "configuration file (default: /etc/aio/aio.toml or the bundled pair's)")
      ->envname("AIO_CONFIG");
  command.add_option("--small", small_path,
                     "GGUF file of the small model, in place of the configured and its variant");
  command.add_option("--large", large_path,
                     "GGUF file of the large model, in place of the configured and its variant");
  command.add_option("--policy", policy_path, "policy file, in place of the configured");
  command.add_flag("--force-policy", force_policy,
                   "take a policy that was calibrated with other models");
  command.add_option("--threads", threads, "threads of the engine (default: one a usable core)")
      ->check(CLI::Range(1, EngineLimits::kThreadsMax));
}

Result<AppConfig> RuntimeFlags::Resolve() const {
  std::string path = config_path;
  if (path.empty()) {
    AIO_ASSIGN_OR_RETURN(path, FindDefaultConfig());
  }
  AIO_ASSIGN_OR_RETURN(AppConfig config, LoadConfig(path));
  if (threads > 0) config.engine.num_threads = threads;
  config.force_policy = force_policy;
  if (!policy_path.empty()) {
    config.policy_file = policy_path;
    AIO_ASSIGN_OR_RETURN(config.policy, RoutingPolicy::FromFile(policy_path));
  }
  for (ModelSettings& model : config.models) {
    const std::string& replacement = model.role == "small" ? small_path : large_path;
    if (!small_path.empty() || !large_path.empty()) model.draft_model_may_differ = true;
    if (replacement.empty()) continue;
    model.path = replacement;
    model.w8a16_path.clear();
    model.remote.reset();
  }
  return config;
}

namespace {

// Both roles' targets, in order: over one engine for those that are loaded here.
Result<std::vector<RoleTarget>> StartModels(const AppConfig& config, const RuntimeHooks& hooks,
                                            Runtime& runtime) {
  const auto in_front = [&](Backend& models) -> Backend& {
    if (!hooks.front_of_models) return models;
    return *runtime.fronts.emplace_back(hooks.front_of_models(models));
  };
  std::vector<EmbeddedModel> models;
  Backend* engine = nullptr;
  if (!ResidentModels(config).empty()) {
    AIO_ASSIGN_OR_RETURN(models, LoadModels(config, runtime.clock, hooks.cancelled));
    auto created = EmbeddedBackend::Create(models, config.engine, runtime.clock);
    if (!created.ok()) return created.status().WithContext(config.source);
    runtime.engine = *std::move(created);
    engine = &in_front(*runtime.engine);
  }
  std::vector<RoleTarget> targets;
  for (const ModelSettings& settings : config.models) {
    if (!settings.remote) {
      targets.push_back(ToTarget(settings, models, *engine));
      continue;
    }
    RemoteModelHooks its{.io = hooks.io};
    if (hooks.on_discovery) {
      its.on_fault = [told = hooks.on_discovery, name = settings.name](const Status& fault) {
        told(name, fault);
      };
    }
    if (hooks.on_replicas) {
      its.on_replicas = [told = hooks.on_replicas, name = settings.name](
                            const std::vector<std::string>& replicas) { told(name, replicas); };
    }
    if (hooks.on_replica) {
      its.on_replica = [told = hooks.on_replica, name = settings.name](
                           const std::string& replica, ReplicaState state, std::string_view why) {
        told(name, replica, state, why);
      };
    }
    auto connected = ConnectRemoteModel(settings, runtime.clock, std::move(its));
    if (!connected.ok()) return connected.status().WithContext(config.source);
    ServedElsewhere& model = runtime.elsewhere.emplace_back(*std::move(connected));
    RoleTarget target;
    target.backend = &in_front(*model.backend);
    target.model = settings.name;
    if (MayDraft(settings.remote->discovery)) target.draft_model = settings.name + "'s own";
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace

Result<std::unique_ptr<Runtime>> LoadEmbeddedRuntime(const AppConfig& config) {
  for (const ModelSettings& model : config.models) {
    if (!model.remote) continue;
    return InvalidArgument(
        fmt::format("{}: '{}' is held elsewhere, and this looks into the engine; name a "
                    "configuration whose models are both loaded here",
                    config.source, model.name));
  }
  return LoadRuntime(config);
}

Result<std::unique_ptr<Runtime>> LoadRuntime(const AppConfig& config, RuntimeHooks hooks) {
  auto runtime = std::make_unique<Runtime>();
  AIO_ASSIGN_OR_RETURN(std::vector<RoleTarget> targets, StartModels(config, hooks, *runtime));
  RouterOptions& options = runtime->router_options;
  options.small = std::move(targets[0]);
  options.large = std::move(targets[1]);
  AIO_RETURN_IF_ERROR(ConfigureRouter(config, options));
  options.sessions = std::move(hooks.sessions);
  options.observer = hooks.observer;
  options.on_drift = std::move(hooks.on_drift);
  Result<std::unique_ptr<Router>> router = Router::Create(options, runtime->clock);
  if (!router.ok()) return router.status().WithContext(config.source);
  runtime->router = *std::move(router);
  return runtime;
}

Status ConfigureRouter(const AppConfig& config, RouterOptions& options) {
  if (config.probe_head) {
    const std::vector<ModelInfo> models = options.small.backend->Models();
    Status fits = CheckHeadIsFor(*config.probe_head, models[IndexOf(models, options.small.model)]);
    if (!fits.ok()) {
      return std::move(fits).WithContext(fmt::format("{}: probe.head", config.source));
    }
  }
  options.labels = config.probe;
  options.defences = config.defences;
  options.policy = config.policy;
  options.force_policy = config.force_policy;
  options.sessions_max = config.sessions_max;
  options.large_stands_in = config.large_stands_in;
  options.small_stands_in = config.small_stands_in;
  options.virtual_names = config.virtual_names;
  return Status::Ok();
}

std::vector<ModelInfo> ResidentModels(const Router& router) {
  std::vector<ModelInfo> models;
  for (ModelInfo& model : router.Models()) {
    if (model.role != "router") models.push_back(std::move(model));
  }
  return models;
}

std::string DescribeModel(const ModelInfo& model, const std::vector<ModelInfo>& resident) {
  std::string text = model.bytes == 0
                         ? "held by other servers"
                         : fmt::format("{}, {} parameters, {} of weights", model.architecture,
                                       model.parameters, FormatBytes(model.bytes));
  if (model.context_length > 0) text += fmt::format(", context {}", model.context_length);
  if (!model.weights.empty()) text += fmt::format(", {} weights", model.weights);
  std::vector<std::string_view> targets;
  for (const ModelInfo& other : resident) {
    if (other.draft_model == model.name) targets.push_back(other.name);
  }
  if (!targets.empty()) text += fmt::format(", drafts for {}", fmt::join(targets, " and "));
  return text;
}

}  // namespace aio
