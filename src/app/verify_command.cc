// `aio verify`: proof on the user's own models that no strategy, batch, number of threads or cache
// changes an answer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/json_text.h"
#include "app/commands.h"
#include "app/runtime.h"
#include "app/system_memory.h"
#include "app/verify.h"
#include "base/clock.h"
#include "base/progress.h"
#include "engine/embedded_backend.h"
#include "eval/labelled_queries.h"
#include "formats/gguf.h"

namespace aio {

namespace {

struct VerifyFlags {
  RuntimeFlags runtime;
  std::vector<std::string> paths;
  std::string prompts_path;
  uint64_t seed = 1;
  int requests = 200;
  int only = -1;
  bool json = false;
};

// The models to verify, and what of the configuration matters to that.
struct VerifySetup {
  std::vector<EmbeddedModel> models;
  VerifyOptions options;
};

// Models of equal vocabularies, the first the smallest: it drafts for those that name none.
void NameDraftModels(std::vector<EmbeddedModel>& models) {
  const EmbeddedModel& first = models.front();
  for (EmbeddedModel& model : models) {
    const bool can_be_drafted_for =
        model.name != first.name &&
        model.tokenizer->fingerprint() == first.tokenizer->fingerprint() &&
        model.model->summary().weight_bytes > first.model->summary().weight_bytes;
    if (model.draft_model.empty() && can_be_drafted_for) model.draft_model = first.name;
  }
}

std::vector<ModelSettings> SettingsOfFiles(const std::vector<std::string>& paths) {
  std::vector<ModelSettings> models;
  for (const std::string& path : paths) {
    ModelSettings settings;
    settings.name = std::filesystem::path(path).stem().string();
    settings.path = path;
    const auto is_named_so = [&](const ModelSettings& m) { return m.name == settings.name; };
    if (std::any_of(models.begin(), models.end(), is_named_so)) {
      settings.name += fmt::format(" ({})", models.size() + 1);
    }
    models.push_back(std::move(settings));
  }
  return models;
}

Result<std::vector<EmbeddedModel>> LoadModels(const std::vector<ModelSettings>& settings,
                                              const VerifyOptions& options, const Clock& clock) {
  std::vector<std::shared_ptr<const GgufFile>> files;
  int64_t needed = 0;
  for (const ModelSettings& model : settings) {
    AIO_ASSIGN_OR_RETURN(auto file, GgufFile::Open(model.path));
    AIO_ASSIGN_OR_RETURN(const ModelSummary summary, Summarize(*file));
    needed += summary.weight_bytes;
    for (const VerifySetting& engine : VerifySettings(options)) {
      AIO_ASSIGN_OR_RETURN(const int64_t bytes,
                           EmbeddedBackend::WorkingBytes(summary.config, engine.options));
      needed += bytes;
    }
    files.push_back(std::move(file));
  }
  AIO_ASSIGN_OR_RETURN(const int64_t available, AvailableMemoryBytes());
  AIO_RETURN_IF_ERROR(
      CheckFits(needed, available, "the models with the engines that are compared"));
  std::vector<EmbeddedModel> models;
  for (size_t i = 0; i < settings.size(); ++i) {
    AIO_ASSIGN_OR_RETURN(EmbeddedModel model,
                         LoadModel(settings[i], options.threads, clock, std::move(files[i])));
    models.push_back(std::move(model));
  }
  NameDraftModels(models);
  return models;
}

Result<VerifySetup> MakeSetup(const VerifyFlags& flags, const Clock& clock) {
  VerifySetup setup;
  VerifyOptions& options = setup.options;
  options.seed = flags.seed;
  options.requests = flags.requests;
  options.only = flags.only;
  if (!flags.prompts_path.empty()) {
    AIO_ASSIGN_OR_RETURN(auto queries, ReadLabelledQueries(flags.prompts_path));
    for (LabelledQuery& query : queries) options.prompts.push_back(std::move(query.messages));
  }
  AIO_ASSIGN_OR_RETURN(const AppConfig config, flags.runtime.Resolve());
  options.threads = std::max(2, config.engine.num_threads);
  options.kv_type = config.engine.kv_type;
  options.probe = config.probe;
  const std::vector<ModelSettings> settings =
      flags.paths.empty() ? config.models : SettingsOfFiles(flags.paths);
  AIO_ASSIGN_OR_RETURN(setup.models, LoadModels(settings, options, clock));
  return setup;
}

std::string CommandFor(const VerifyOptions& options, int request) {
  return fmt::format("aio verify --seed {} --requests {} --only {}", options.seed, options.requests,
                     request);
}

void PrintDivergence(const VerifyOptions& options, const VerifyDivergence& divergence) {
  PrintNow(fmt::format(
      "DIVERGENCE  {} ({}) of request {}\n  {}\n  {}: {} expected, {} came\n"
      "  once more, with the same models: {}\n",
      divergence.strategy, divergence.setting, divergence.request, divergence.description,
      divergence.difference.where, divergence.difference.expected, divergence.difference.actual,
      CommandFor(options, divergence.request)));
}

std::string OrDash(bool is_known, const std::string& text) { return is_known ? text : "-"; }

void PrintReport(const VerifyReport& report) {
  fmt::print("{:<16} {:<20} {:>11} {:>11} {:>10} {:>8} {:>10}\n", "model", "strategy",
             "comparisons", "divergences", "tokens/s", "x plain", "acceptance");
  for (const VerifyCounts& row : report.counts) {
    const bool is_timed = row.tokens_per_second() > 0;
    fmt::print("{:<16} {:<20} {:>11} {:>11} {:>10} {:>8} {:>10}\n", row.model, row.strategy,
               row.comparisons, row.divergences,
               OrDash(is_timed, fmt::format("{:.1f}", row.tokens_per_second())),
               OrDash(is_timed, fmt::format("{:.2f}", row.speed_over_plain())),
               OrDash(row.draft_tokens > 0, fmt::format("{:.2f}", row.acceptance())));
  }
  for (const VerifyCounts& row : report.counts) {
    if (row.not_applicable == 0) continue;
    fmt::print("{}: {} does not apply\n", row.model, row.strategy);
  }
  fmt::print(
      "{} comparisons, {} divergences; {} preemptions, {} prompt tokens from the prefix cache\n",
      report.comparisons(), report.num_divergences(), report.preemptions,
      report.prefix_tokens_found);
}

OrderedJson ToJson(const VerifyOptions& options, const VerifyReport& report) {
  OrderedJson rows = OrderedJson::array();
  for (const VerifyCounts& row : report.counts) {
    rows.push_back({{"model", row.model},
                    {"strategy", row.strategy},
                    {"comparisons", row.comparisons},
                    {"divergences", row.divergences},
                    {"not_applicable", row.not_applicable},
                    {"tokens_per_second", row.tokens_per_second()},
                    {"speed_over_plain", row.speed_over_plain()},
                    {"draft_tokens", row.draft_tokens},
                    {"draft_accepted_tokens", row.draft_accepted_tokens}});
  }
  OrderedJson divergences = OrderedJson::array();
  for (const VerifyDivergence& divergence : report.divergences) {
    divergences.push_back({{"request", divergence.request},
                           {"strategy", divergence.strategy},
                           {"setting", divergence.setting},
                           {"description", divergence.description},
                           {"where", divergence.difference.where},
                           {"expected", divergence.difference.expected},
                           {"actual", divergence.difference.actual},
                           {"command", CommandFor(options, divergence.request)}});
  }
  return {{"seed", options.seed},
          {"requests_per_model", options.requests},
          {"threads", options.threads},
          {"comparisons", report.comparisons()},
          {"divergences", report.num_divergences()},
          {"preemptions", report.preemptions},
          {"prefix_tokens_found", report.prefix_tokens_found},
          {"strategies", std::move(rows)},
          {"first_divergences", std::move(divergences)}};
}

Result<VerifyReport> RunComparison(const VerifySetup& setup, bool prints, const Clock& clock) {
  const BackendFactory start =
      [&](const VerifySetting& setting) -> Result<std::unique_ptr<Backend>> {
    AIO_ASSIGN_OR_RETURN(auto engine,
                         EmbeddedBackend::Create(setup.models, setting.options, clock));
    return std::unique_ptr<Backend>(std::move(engine));
  };
  std::optional<ProgressBar> bar;
  VerifyObserver observer;
  observer.on_progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("comparing", total, clock);
    bar->Update(done);
  };
  if (prints) {
    observer.on_divergence = [&](const VerifyDivergence& divergence) {
      PrintDivergence(setup.options, divergence);
    };
  }
  return VerifyModels(setup.models, setup.options, start, observer, clock);
}

int RunVerify(const VerifyFlags& flags) {
  const SystemClock clock;
  Result<VerifySetup> setup = MakeSetup(flags, clock);
  if (!setup.ok()) return Fail(setup.status());
  Result<VerifyReport> report = RunComparison(*setup, /*prints=*/!flags.json, clock);
  if (!report.ok()) return Fail(report.status());
  if (flags.json) {
    fmt::print("{}\n", ToText(ToJson(setup->options, *report), 2));
  } else {
    PrintReport(*report);
  }
  return report->num_divergences() == 0 ? kExitOk : kExitFailed;
}

}  // namespace

void RegisterVerify(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "verify", "Prove that no strategy changes an answer: random requests, compared bit for bit");
  auto flags = std::make_shared<VerifyFlags>();
  command
      ->add_option("-m,--model", flags->paths,
                   "GGUF files to verify, in place of the configured pair; the first drafts for "
                   "larger ones with its vocabulary")
      ->check(CLI::ExistingFile);
  command->add_option("-n,--requests", flags->requests, "random requests, a model")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--seed", flags->seed, "of the requests")->capture_default_str();
  command
      ->add_option("--only", flags->only,
                   "one request's number: only this one and those it shares batches with")
      ->check(CLI::NonNegativeNumber);
  command->add_option("-f,--prompts", flags->prompts_path,
                      "JSON lines with \"prompt\" or \"messages\", to draw from as well");
  command->add_flag("--json", flags->json, "the report as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "Each request is answered plainly, alone, by one thread and with nothing shared; then under\n"
      "each strategy alone and in batches, by one thread and by several, in small chunks, in a\n"
      "small KV cache, and after a probe. Tokens, text, finish reason and log-probabilities must\n"
      "be the same to the last bit; otherwise the exit status is 1. Speed is that of decoding\n"
      "alone, the strategies in turn.\n"
      "Examples:\n  aio verify\n"
      "  aio verify --requests 10000 --model mine-1b.gguf mine-7b.gguf --prompts mine.jsonl");
  command->callback([flags, &exit_status] { exit_status = RunVerify(*flags); });
}

}  // namespace aio
