#include "app/runtime.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "app/system_memory.h"
#include "base/progress.h"
#include "formats/gguf.h"
#include "model/kv_cache.h"

namespace aio {

namespace {

// All that one model takes, before its weights are read.
Result<int64_t> FootprintBytes(const GgufFile& file, const EngineOptions& engine) {
  AIO_ASSIGN_OR_RETURN(const ModelSummary summary, Summarize(file));
  AIO_ASSIGN_OR_RETURN(const int64_t working,
                       EmbeddedBackend::WorkingBytes(summary.config, engine));
  return summary.weight_bytes + working;
}

using OpenFiles = std::vector<std::shared_ptr<const GgufFile>>;

Result<OpenFiles> OpenAndCheckMemory(const AppConfig& config) {
  OpenFiles files;
  int64_t needed = 0;
  for (const ModelSettings& settings : config.models) {
    AIO_ASSIGN_OR_RETURN(auto file, GgufFile::Open(settings.path));
    AIO_ASSIGN_OR_RETURN(const int64_t bytes, FootprintBytes(*file, config.engine));
    needed += bytes;
    files.push_back(std::move(file));
  }
  AIO_ASSIGN_OR_RETURN(const int64_t available, AvailableMemoryBytes());
  AIO_RETURN_IF_ERROR(CheckFits(needed, available, "the model pair with its KV cache"));
  return files;
}

}  // namespace

Result<EmbeddedModel> LoadModel(const ModelSettings& settings, int threads, const Clock& clock,
                                std::shared_ptr<const GgufFile> file) {
  EmbeddedModel embedded;
  embedded.name = settings.name;
  embedded.role = settings.role;
  embedded.bandwidth_weight = settings.bandwidth_weight;
  AIO_ASSIGN_OR_RETURN(embedded.tokenizer, Tokenizer::Load(*file));
  if (!settings.chat_template.empty()) {
    AIO_ASSIGN_OR_RETURN(embedded.chat_template, ChatTemplate::FromName(settings.chat_template));
  } else {
    Result<ChatTemplate> own = ChatTemplate::FromGguf(*file);
    // A base model without a template still completes raw text; one with a template that
    // we cannot render would answer nonsense, so that is an error.
    if (own.ok()) {
      embedded.chat_template = *own;
    } else if (own.status().code() != StatusCode::kNotFound) {
      return own.status();
    }
  }
  std::optional<ProgressBar> bar;
  LoadOptions options;
  options.num_threads = threads;
  options.progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("loading " + settings.name, total, clock);
    bar->Update(done);
  };
  AIO_ASSIGN_OR_RETURN(embedded.model, Model::Load(std::move(file), options));
  return embedded;
}

void RuntimeFlags::AddTo(CLI::App& command) {
  command
      .add_option("-c,--config", config_path,
                  "configuration file (default: the bundled pair's, config/pocket.toml)")
      ->envname("AIO_CONFIG");
  command.add_option("--small", small_path,
                     "GGUF file of the small model, in place of the configured");
  command.add_option("--large", large_path,
                     "GGUF file of the large model, in place of the configured");
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
  for (ModelSettings& model : config.models) {
    const std::string& replacement = model.role == "small" ? small_path : large_path;
    if (!replacement.empty()) model.path = replacement;
  }
  return config;
}

Result<std::unique_ptr<Runtime>> LoadRuntime(const AppConfig& config) {
  auto runtime = std::make_unique<Runtime>();
  AIO_ASSIGN_OR_RETURN(OpenFiles files, OpenAndCheckMemory(config));
  std::vector<EmbeddedModel> models;
  for (size_t i = 0; i < config.models.size(); ++i) {
    AIO_ASSIGN_OR_RETURN(EmbeddedModel model, LoadModel(config.models[i], config.engine.num_threads,
                                                        runtime->clock, std::move(files[i])));
    models.push_back(std::move(model));
  }
  auto engine = EmbeddedBackend::Create(std::move(models), config.engine, runtime->clock);
  if (!engine.ok()) return engine.status().WithContext(config.source);
  runtime->engine = *std::move(engine);

  RouterOptions options;
  options.small = {runtime->engine.get(), config.models[0].name};
  options.large = {runtime->engine.get(), config.models[1].name};
  options.labels = config.probe;
  options.policy = config.policy;
  options.virtual_names = config.virtual_names;
  Result<std::unique_ptr<Router>> router = Router::Create(std::move(options), runtime->clock);
  if (!router.ok()) return router.status().WithContext(config.source);
  runtime->router = *std::move(router);
  return runtime;
}

}  // namespace aio
