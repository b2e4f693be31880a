#include "app/eval_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "app/commands.h"
#include "app/runtime.h"
#include "base/progress.h"
#include "eval/probe_queries.h"
#include "router/routing_policy.h"
#include "tasks/arm_table_text.h"
#include "tasks/configuration.h"
#include "tasks/grader.h"
#include "tasks/record_file.h"

namespace aio {

namespace {

// What answers: routers over one engine, by configuration.
struct EvalSetup {
  std::vector<std::unique_ptr<Router>> routers;
  std::vector<EvalConfiguration> configurations;
  std::vector<EvaluatedConfiguration> described;
};

AppConfig ForMeasuring(AppConfig config, const EvalSettings& settings) {
  // The next configuration must not find the prompt read; a probe and its answer still share it.
  config.engine.prefix_caching = false;
  // Turns of few-shot prompts are no conversation that stays where it is.
  config.sessions_max = 0;
  config.engine.max_running = std::max(config.engine.max_running, settings.options.in_flight_max);
  const int longest =
      *std::max_element(settings.extent.contexts.begin(), settings.extent.contexts.end());
  config.engine.kv_cache_tokens =
      std::max(config.engine.kv_cache_tokens, int64_t{longest} * settings.options.in_flight_max);
  return config;
}

// Also what the policy decides from: another probe says something else.
std::string PolicyIdentity(const RoutingPolicy& policy, const AppConfig& config) {
  return fmt::format("{} {} {} {}", policy.hash(), ProbeKey("", config.probe), config.defences.form,
                     config.defences.parts);
}

Status AddPolicy(const std::string& path, const AppConfig& config, Runtime& runtime,
                 EvalSetup& setup) {
  RouterOptions options = runtime.router_options;
  if (!path.empty()) {
    AIO_ASSIGN_OR_RETURN(options.policy, RoutingPolicy::FromFile(path));
  }
  if (options.virtual_names.empty()) options.virtual_names = RouterOptions().virtual_names;
  const RoutingPolicy& policy = options.policy;
  for (const EvaluatedConfiguration& other : setup.described) {
    if (other.name == policy.name()) {
      return InvalidArgument(
          fmt::format("{}: a configuration is called '{}' already; give the "
                      "policy another name",
                      path.empty() ? config.source : path, policy.name()));
    }
  }
  Result<std::unique_ptr<Router>> router = Router::Create(options, runtime.clock);
  if (!router.ok()) {
    return router.status().WithContext(path.empty() ? config.source : path);
  }
  EvalConfiguration configuration = RoutedConfiguration(options.virtual_names.front(), **router);
  configuration.name = policy.name();
  configuration.policy_hash = PolicyIdentity(policy, config);
  configuration.told_intent = policy.settings().kind == PolicyKind::kOracle;
  setup.described.push_back({policy.name(), path, policy.hash()});
  setup.configurations.push_back(std::move(configuration));
  setup.routers.push_back(*std::move(router));
  return Status::Ok();
}

Result<EvalSetup> SetUp(const EvalSettings& settings, const AppConfig& config, Runtime& runtime) {
  EvalSetup setup;
  std::set<std::string> names;
  for (const std::string& name : settings.configurations) {
    AIO_ASSIGN_OR_RETURN(const FixedArm arm, ParseFixedArm(name));
    AIO_ASSIGN_OR_RETURN(EvalConfiguration configuration,
                         StaticConfiguration(arm, *runtime.router));
    if (!names.insert(configuration.name).second) {
      return InvalidArgument(fmt::format("configuration '{}' is named twice", name));
    }
    setup.described.push_back({configuration.name, "", ""});
    setup.configurations.push_back(std::move(configuration));
  }
  for (const std::string& path : settings.policies) {
    AIO_RETURN_IF_ERROR(AddPolicy(path, config, runtime, setup));
  }
  return setup;
}

// By the small model's tokenizer, and the large one's where that is another.
CountTokens CounterOf(const Runtime& runtime) {
  std::vector<std::string> roles;
  std::set<uint64_t> seen;
  for (const ModelInfo& model : ResidentModels(*runtime.router)) {
    if (!model.weights.empty()) continue;
    const bool is_new = seen.insert(model.vocabulary_fingerprint).second;
    if (is_new || model.vocabulary_fingerprint == 0) roles.push_back(model.role);
  }
  return [roles, &router = *runtime.router](const Prompt& prompt) -> Result<int> {
    int most = 0;
    for (const std::string& role : roles) {
      Request request;
      request.model = role;
      request.prompt = prompt;
      AIO_ASSIGN_OR_RETURN(const int tokens, router.CountPromptTokens(request));
      most = std::max(most, tokens);
    }
    return most;
  };
}

Result<std::vector<EvalItem>> PlanItems(const std::vector<Task>& tasks,
                                        const EvalSettings& settings, const Runtime& runtime) {
  std::optional<ProgressBar> bar;
  const PlanProgress progress = [&](int64_t done, int64_t total) {
    if (!bar) bar.emplace("making prompts", total, runtime.clock);
    bar->Update(done);
  };
  EvalExtent extent = settings.extent;
  extent.prompts = settings.options.prompts;
  return PlanEvalItems(tasks, extent, CounterOf(runtime), progress);
}

Result<std::optional<Sandbox>> SandboxFor(const std::vector<Task>& tasks,
                                          const EvalSettings& settings, EvalReport& report) {
  const bool needed = std::any_of(tasks.begin(), tasks.end(),
                                  [](const Task& task) { return task.kind == AnswerKind::kCode; });
  if (!needed) return std::optional<Sandbox>();
  SandboxOptions options;
  options.may_lack = settings.may_lack;
  AIO_ASSIGN_OR_RETURN(Sandbox sandbox, Sandbox::Create(std::move(options)));
  for (const Protection protection : sandbox.missing()) {
    report.sandbox_lacks.emplace_back(ProtectionName(protection));
    PrintNote(fmt::format("aio: answers run without the protection of a {}",
                          report.sandbox_lacks.back()));
  }
  return std::optional<Sandbox>(std::move(sandbox));
}

Result<std::vector<RunRecord>> Ask(const std::vector<EvalItem>& items,
                                   const std::vector<EvalConfiguration>& configurations,
                                   const EvalSettings& settings, const Grader& grader,
                                   EvalReport& report) {
  const SystemClock clock;
  RecordFile records;
  if (!settings.records.empty()) {
    AIO_ASSIGN_OR_RETURN(records, RecordFile::Open(settings.records));
  }
  report.unreadable_records = records.unreadable_lines();
  if (report.unreadable_records > 0) {
    PrintNote(fmt::format("aio: {}: {} lines cannot be read and are left alone", settings.records,
                          report.unreadable_records));
  }
  std::optional<ProgressBar> bar;
  EvalTools tools{.grader = &grader, .records = &records, .clock = &clock, .progress = {}};
  tools.progress = [&](EvalProgress progress) {
    report.answers = progress.total;
    report.resumed = progress.resumed;
    // What was found took no time: time left is that of the others.
    if (progress.done == progress.resumed) return;
    if (!bar) bar.emplace("evaluating", progress.total - progress.resumed, clock);
    bar->Update(progress.done - progress.resumed);
  };
  const TimePoint start = clock.Now();
  Result<std::vector<RunRecord>> asked = Evaluate(items, configurations, settings.options, tools);
  report.seconds = ToMs(clock.Now() - start) / 1000;
  if (!asked.ok() && !settings.records.empty()) {
    return asked.status().WithContext(fmt::format(
        "what was answered is in {}, and the same command goes on from there", settings.records));
  }
  return asked;
}

std::string Comment(const EvalReport& report) {
  std::string text = "Measured by `aio eval`.";
  for (const ModelInfo& model : report.models) {
    text += fmt::format("\n{}: {}", model.name, model.fingerprint);
  }
  for (const EvalFigure& figure : report.figures) {
    if (figure.configuration != report.configurations.front().name) continue;
    text += fmt::format("\n{}{}: {} prompts", figure.task,
                        figure.context > 0 ? fmt::format(" at {} tokens", figure.context) : "",
                        figure.items);
  }
  return text;
}

void Describe(const std::vector<Task>& tasks, EvalReport& report) {
  report.tasks.reserve(tasks.size());
  for (const Task& task : tasks) {
    report.tasks.push_back({task.name, task.intent, task.context,
                            std::string(AnswerKindName(task.kind)),
                            static_cast<int64_t>(task.items.size()), task.sha256, task.paths});
  }
}

void MakeArmTable(const EvalSetup& setup, EvalReport& report) {
  std::map<std::string, ArmTask> tasks;
  for (const EvaluatedTask& task : report.tasks) {
    tasks.emplace(task.name, ArmTask{task.intent, task.context});
  }
  const Result<std::string> text =
      ArmTableText(report.figures, setup.configurations, tasks, Comment(report));
  if (text.ok()) {
    report.arm_table = *text;
  } else {
    report.arm_table_fault = text.status().message();
  }
}

}  // namespace

Result<EvalReport> RunEvaluation(const EvalSettings& settings, AppConfig config) {
  EvalReport report;
  AIO_ASSIGN_OR_RETURN(const std::vector<Task> tasks, LoadEvalTasks(settings));
  Describe(tasks, report);
  AIO_ASSIGN_OR_RETURN(const std::optional<Sandbox> sandbox, SandboxFor(tasks, settings, report));
  const Grader grader(sandbox ? RunIn(*sandbox, settings.limits) : RunPython());
  config = ForMeasuring(std::move(config), settings);
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Runtime> runtime, LoadRuntime(config));
  report.models = ResidentModels(*runtime->router);
  AIO_ASSIGN_OR_RETURN(EvalSetup setup, SetUp(settings, config, *runtime));
  report.configurations = setup.described;
  AIO_ASSIGN_OR_RETURN(const std::vector<EvalItem> items, PlanItems(tasks, settings, *runtime));
  AIO_ASSIGN_OR_RETURN(const std::vector<RunRecord> records,
                       Ask(items, setup.configurations, settings, grader, report));
  report.figures = SummariseRecords(records, settings.ks);
  MakeArmTable(setup, report);
  return report;
}

}  // namespace aio
