// `aio attack`: how often prompts that try to fool the probe reach the small model.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/attack_report.h"
#include "app/commands.h"
#include "app/runtime.h"
#include "app/write_text.h"
#include "base/progress.h"
#include "eval/data_sets.h"
#include "eval/labelled_queries.h"
#include "eval/robustness.h"
#include "eval/robustness_suites.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

struct AttackFlags {
  RuntimeFlags runtime;
  std::string data;
  std::string file;
  std::string write;
  RobustnessSuiteOptions suites;
  bool json = false;
};

// A line a prompt, to look at, or for `aio route --file`: an attacked prompt has its base's intent
// in name only, so none is given.
Status WriteSuites(const RobustnessSuites& suites, const std::string& path) {
  std::string lines;
  const auto add = [&](const Json& line) { lines += line.dump() + '\n'; };
  for (const SuitePrompt& prompt : suites.attacked) {
    add({{"suite", "attacked"}, {"kind", prompt.kind}, {"prompt", prompt.text}});
  }
  for (const SuitePrompt& prompt : suites.multi_intent) {
    add({{"suite", "multi-intent"}, {"kind", prompt.kind}, {"prompt", prompt.text}});
  }
  for (const CleanPrompt& prompt : suites.clean) {
    add({{"suite", "clean"}, {"intent", prompt.intent}, {"prompt", prompt.text}});
  }
  return WriteText(path, lines);
}

// Those of the measuring sides of all data sets, and of a file.
Result<std::vector<LabelledQuery>> ReadBases(const AttackFlags& flags) {
  std::vector<LabelledQuery> queries;
  for (const std::string& name : DataSetsBelow(flags.data)) {
    const DataSetKind& kind = *FindDataSet(name);
    if (kind.side == DataSide::kTrain) continue;
    AIO_ASSIGN_OR_RETURN(DataSet set, ReadDataSet(kind, flags.data));
    for (LabelledQuery& query : set.queries) query.intent = kind.intent;
    std::move(set.queries.begin(), set.queries.end(), std::back_inserter(queries));
  }
  if (!flags.file.empty()) {
    AIO_ASSIGN_OR_RETURN(std::vector<LabelledQuery> more, ReadLabelledQueries(flags.file));
    std::move(more.begin(), more.end(), std::back_inserter(queries));
  }
  return queries;
}

Result<RobustnessSuites> MakeSuites(const AttackFlags& flags) {
  if (flags.file.empty() && flags.data.empty()) {
    return MakeRobustnessSuites(
        MadeQueries(flags.suites.bases, SuiteDraw(flags.suites.seed, flags.suites.half)),
        flags.suites);
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<LabelledQuery> queries, ReadBases(flags));
  Result<RobustnessSuites> suites = MakeRobustnessSuites(queries, flags.suites);
  if (suites.ok()) return suites;
  return suites.status().WithContext(flags.file.empty() ? flags.data : flags.file);
}

struct NamedDefences {
  std::string name;
  ProbeDefences defences;
};

// None, each alone, and all together.
std::vector<NamedDefences> EachAndAll(const ProbeDefences& configured) {
  ProbeDefences form, parts, second;
  form.form = true;
  parts.parts = true;
  second.second_template = configured.second_template;
  ProbeDefences all = second;
  all.form = all.parts = true;
  std::vector<NamedDefences> each = {{"none", {}}, {"form", form}, {"parts", parts}};
  if (configured.second_template) each.push_back({"template", second});
  each.push_back({"all", all});
  return each;
}

Result<std::vector<DefendedReport>> Measure(const RobustnessSuites& suites, const AppConfig& config,
                                            const Runtime& runtime) {
  const std::vector<NamedDefences> all = EachAndAll(config.defences);
  const auto prompts = static_cast<int64_t>(suites.size());
  ProgressBar bar("attacking", prompts * static_cast<int64_t>(all.size()), runtime.clock);
  std::vector<DefendedReport> reports;
  reports.reserve(all.size());
  for (const NamedDefences& each : all) {
    RouterOptions options = runtime.router_options;
    options.defences = each.defences;
    AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Router> router,
                         Router::Create(std::move(options), runtime.clock));
    const int64_t before = prompts * static_cast<int64_t>(reports.size());
    AIO_ASSIGN_OR_RETURN(RobustnessReport report,
                         MeasureRobustness(*router, suites, [&](size_t done) {
                           bar.Update(before + static_cast<int64_t>(done));
                         }));
    reports.push_back({each.name, std::move(report)});
  }
  return reports;
}

int RunAttack(const AttackFlags& flags) {
  const Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  const Result<RobustnessSuites> suites = MakeSuites(flags);
  if (!suites.ok()) return Fail(suites.status());
  if (!flags.write.empty()) {
    const Status written = WriteSuites(*suites, flags.write);
    return written.ok() ? kExitOk : Fail(written);
  }
  const Result<std::unique_ptr<Runtime>> runtime = LoadEmbeddedRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());
  const Result<std::vector<DefendedReport>> reports = Measure(*suites, *config, **runtime);
  if (!reports.ok()) return Fail(reports.status());
  if (flags.json) {
    fmt::print("{}\n", AttackReportJson(*reports));
  } else {
    fmt::print("{}", AttackReportText(*reports));
  }
  return kExitOk;
}

void AddSuiteOptions(CLI::App& command, RobustnessSuiteOptions& suites) {
  constexpr int kPromptsMax = 1'000'000;
  const auto add = [&](const char* name, int& count, const char* what) {
    command.add_option(name, count, what)->capture_default_str()->check(CLI::Range(1, kPromptsMax));
  };
  add("--prompts", suites.attacked, "attacked prompts, over all kinds");
  add("--bases", suites.bases, "questions and problems they are made from");
  add("--multi-intent", suites.multi_intent, "prompts with two intents");
  add("--clean", suites.clean, "unchanged prompts of each intent");
  command.add_option("--seed", suites.seed, "another one, other prompts")->capture_default_str();
  command.add_option("--target", suites.target, "the intent that the small model answers")
      ->capture_default_str();
  const std::map<std::string, Wordings> names = {
      {"all", Wordings::kAll}, {"tuning", Wordings::kTuning}, {"held-out", Wordings::kHeldOut}};
  command
      .add_option("--half", suites.half,
                  "of prompts and wordings: all, tuning (to make defences with) or held-out (to "
                  "measure them on)")
      ->transform(CLI::CheckedTransformer(names))
      ->default_str("all");
}

}  // namespace

void RegisterAttack(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "attack", "Measure how often prompts that try to fool the probe reach the small model");
  auto flags = std::make_shared<AttackFlags>();
  command->add_option("-f,--file", flags->file,
                      "JSON lines with \"prompt\" and \"intent\" to start from (default: made up, "
                      "for the bundled pair)");
  command->add_option("-d,--data", flags->data,
                      "folder of public data sets whose measuring sides to start from");
  command->add_option("-w,--write", flags->write, "write the prompts to this file and stop");
  AddSuiteOptions(*command, flags->suites);
  command->add_flag("--json", flags->json, "figures as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "Nothing is generated: each prompt is routed, and what counts is where it would go.\n"
      "docs/robustness.md says what the kinds and the defences are.\n"
      "Examples:\n  aio attack\n  aio attack --file queries.jsonl --half held-out --json");
  command->callback([flags, &exit_status] { exit_status = RunAttack(*flags); });
}

}  // namespace aio
