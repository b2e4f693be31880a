// `aio calibrate`: what the probe's scores are worth, and which policy to route by.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "app/calibrate_head.h"
#include "app/commands.h"
#include "app/fit_head_report.h"
#include "app/print_calibration.h"
#include "app/run_environment.h"
#include "app/runtime.h"
#include "app/write_text.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "eval/calibration.h"
#include "eval/calibration_output.h"
#include "eval/data_sets.h"

namespace aio {

namespace {

struct CalibrateFlags {
  RuntimeFlags runtime;
  std::string data;
  std::vector<std::string> sets;
  std::vector<std::string> files;
  std::string split = "side";
  int per_label = 0;
  bool strict = false;
  std::string arms;
  bool arms_as_measured = false;
  std::vector<std::string> mix;
  std::string kind = "rules";
  std::string bound = "clopper-pearson";
  std::string strategy;
  CalibrationOptions options;
  std::string cache;
  std::string head;
  std::string out;
  std::string html;
  bool json = false;
};

// What is asked to see what the probe says to nothing: Zhao et al. 2021, and a bare placeholder.
const std::vector<std::string>& ContentFreeInputs() {
  static const std::vector<std::string> inputs = {"N/A", "[MASK]", "...", "?", "-"};
  return inputs;
}

// --- queries ---------------------------------------------------------------------------

Result<std::vector<DataSet>> ReadData(const CalibrateFlags& flags) {
  std::vector<DataSet> sets;
  std::vector<std::string> names = flags.sets;
  if (names.empty() && !flags.data.empty()) {
    names = DataSetsBelow(flags.data);
    if (names.empty()) {
      return NotFound(fmt::format(
          "--data {}: holds no known data set; it should have folders such as humaneval, gsm8k, "
          "mmlu (see aio calibrate --help)",
          flags.data));
    }
  }
  for (const DataSetKind& kind : KnownDataSets()) {  // train sides first
    if (std::find(names.begin(), names.end(), kind.name) == names.end()) continue;
    AIO_ASSIGN_OR_RETURN(DataSet set, ReadDataSet(kind, flags.data));
    sets.push_back(std::move(set));
  }
  for (const std::string& path : flags.files) {
    AIO_ASSIGN_OR_RETURN(DataSet set, ReadQueryFile(path));
    sets.push_back(std::move(set));
  }
  return sets;
}

Result<QuerySet> ReadQueries(const CalibrateFlags& flags, const LabelQuery& probe) {
  AIO_ASSIGN_OR_RETURN(const std::vector<DataSet> sets, ReadData(flags));
  std::vector<std::string> labels;
  labels.reserve(probe.labels.size());
  for (const LabelQuery::Label& label : probe.labels) labels.push_back(label.name);
  QuerySetOptions options;
  options.split_by_side = flags.split == "side";
  options.per_label_max = flags.per_label;
  AIO_ASSIGN_OR_RETURN(QuerySet set, BuildQuerySet(sets, labels, options));
  if (flags.strict && !set.skipped.empty()) {
    const SkippedRow& row = set.skipped.front();
    return InvalidArgument(
        fmt::format("{}: line {}: {}: {} ({} such rows; without --strict they "
                    "are left out)",
                    row.file, row.line, RowFaultName(row.fault), row.detail, set.skipped.size()));
  }
  return set;
}

// "code=0.7" and so on, as shares of all; nothing: all labels alike.
Result<std::vector<double>> ParseMix(const std::vector<std::string>& parts,
                                     const std::vector<std::string>& labels) {
  if (parts.empty()) return std::vector<double>{};
  std::vector<double> mix(labels.size(), 0);
  double sum = 0;
  for (const std::string& part : parts) {
    const size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    const auto it = std::find(labels.begin(), labels.end(), name);
    double share = 0;
    if (equals == std::string::npos || it == labels.end() ||
        !CLI::detail::lexical_cast(part.substr(equals + 1), share) || !(share >= 0) ||
        share > 1e6) {
      return InvalidArgument(fmt::format("--mix {}: must be LABEL=SHARE, LABEL one of {}", part,
                                         fmt::join(labels, ", ")));
    }
    mix[static_cast<size_t>(it - labels.begin())] = share;
    sum += share;
  }
  if (!(sum > 0)) return InvalidArgument("--mix: the shares add up to nothing");
  for (double& share : mix) share /= sum;
  return mix;
}

// --- the probe -------------------------------------------------------------------------

// In the user's cache folder; empty: there is none.
std::string DefaultCachePath() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread sets any
    return value == nullptr ? "" : value;
  };
  std::filesystem::path folder = variable("XDG_CACHE_HOME");
  if (folder.empty() && !variable("HOME").empty()) {
    folder = std::filesystem::path(variable("HOME")) / ".cache";
  }
  if (folder.empty()) return "";
  std::error_code error;
  std::filesystem::create_directories(folder / "aio", error);
  return error ? "" : (folder / "aio" / "probe.jsonl").string();
}

// What cached scores are of, where the backend gives its model no fingerprint: this file as it is.
std::string FileIdentity(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  const auto changed = std::filesystem::last_write_time(path, error).time_since_epoch().count();
  return Sha256Hex(fmt::format("{} {} {}", path, bytes, changed));
}

Status RunProbe(const CalibrateFlags& flags, const AppConfig& config, Runtime& runtime,
                std::string fingerprint, CalibrationInput& input) {
  if (fingerprint.empty()) fingerprint = FileIdentity(config.models.front().path);
  const size_t labels = config.probe.labels.size();
  ProbeCache cache;
  const std::string path = flags.cache.empty() ? DefaultCachePath() : flags.cache;
  if (!path.empty()) {
    AIO_ASSIGN_OR_RETURN(cache,
                         ProbeCache::Open(path, ProbeKey(fingerprint, config.probe), labels));
  }
  std::vector<ProbeJob> jobs;
  jobs.reserve(input.set.queries.size());
  for (const CalibrationQuery& query : input.set.queries) {
    jobs.push_back({query.hash, query.messages});
  }
  for (const std::string& text : ContentFreeInputs()) {
    const std::vector<ChatMessage> messages = {{"user", text}};
    jobs.push_back({HashMessages(messages), messages});
  }
  ProgressBar bar("probing", static_cast<int64_t>(jobs.size()), runtime.clock);
  const ProbeRun run{.model = config.models.front().name,
                     .labels = config.probe,
                     .in_flight_max = 8,
                     .progress = [&](size_t done) { bar.Update(static_cast<int64_t>(done)); }};
  AIO_ASSIGN_OR_RETURN(input.probed, ProbeAll(*runtime.engine, run, jobs, cache));
  for (size_t i = input.set.queries.size(); i < input.probed.size(); ++i) {
    if (input.probed[i].ok()) input.content_free.push_back(input.probed[i].logits);
  }
  input.probed.resize(input.set.queries.size());
  return Status::Ok();
}

Status CheckResident(const AppConfig& config, ArmTable& table) {
  std::erase_if(table.arms, [&](const Arm& arm) {
    const ModelSettings& model = config.models[arm.role == kSmallRole ? 0 : 1];
    return !arm.weights.empty() && model.w8a16_path.empty();
  });
  for (const std::string_view role : {kSmallRole, kLargeRole}) {
    const bool has = std::any_of(table.arms.begin(), table.arms.end(),
                                 [&](const Arm& arm) { return arm.role == role; });
    if (has) continue;
    return InvalidArgument(fmt::format("{}: no arm of role '{}' has weights that {} makes resident",
                                       table.source, role, config.source));
  }
  return Status::Ok();
}

Status ReadArms(const CalibrateFlags& flags, const AppConfig& config, CalibrationInput& input) {
  if (flags.arms.empty()) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(input.arms, ReadArmTable(flags.arms));
  if (!flags.arms_as_measured) MakeStrategiesExact(*input.arms);
  return CheckResident(config, *input.arms);
}

// --- what comes out --------------------------------------------------------------------

Result<CalibrationSubject> Describe(const CalibrateFlags& flags, const AppConfig& config,
                                    const Runtime& runtime) {
  CalibrationSubject subject;
  subject.date = Today();
  if (config.probe.head != nullptr) subject.probe = "head";
  subject.small_model = config.models[0].name;
  subject.large_model = config.models[1].name;
  for (const ModelInfo& model : runtime.engine->Models()) {
    if (model.name == subject.small_model) subject.small_fingerprint = model.fingerprint;
    if (model.name == subject.large_model) subject.large_fingerprint = model.fingerprint;
  }
  subject.strategy = flags.strategy;
  subject.mix_is_known = !flags.mix.empty();
  return subject;
}

Status WriteResults(const CalibrateFlags& flags, const CalibrationInput& input,
                    const CalibrationReport& report, const CalibrationSubject& subject) {
  if (!flags.head.empty()) {
    PrintNote(fmt::format(
        "wrote {}: the probe that all of this is about, once [probe] head names it", flags.head));
  }
  if (!flags.html.empty()) {
    AIO_RETURN_IF_ERROR(WriteText(flags.html, CalibrationPage(input, report, subject)));
    PrintNote(fmt::format("wrote {}", flags.html));
  }
  const Result<std::string> policy = CalibratedPolicyToml(input, report, subject);
  if (!policy.ok()) return policy.status();
  // What was written must be read again.
  AIO_RETURN_IF_ERROR(RoutingPolicy::FromToml(*policy, "the policy written").status());
  if (flags.out.empty()) return Status::Ok();
  AIO_RETURN_IF_ERROR(WriteText(flags.out, *policy));
  PrintNote(fmt::format("wrote {}", flags.out));
  return Status::Ok();
}

Status Run(const CalibrateFlags& flags) {
  AIO_ASSIGN_OR_RETURN(AppConfig config, flags.runtime.Resolve());
  CalibrationInput input;
  AIO_ASSIGN_OR_RETURN(input.set, ReadQueries(flags, config.probe));
  CalibrationOptions options = flags.options;
  AIO_ASSIGN_OR_RETURN(options.mix, ParseMix(flags.mix, input.set.labels));
  options.kind =
      flags.kind == "utility" ? RoutingCandidate::Kind::kUtility : RoutingCandidate::Kind::kRules;
  options.bound =
      flags.bound == "bootstrap" ? BoundMethod::kBootstrap : BoundMethod::kClopperPearson;
  AIO_RETURN_IF_ERROR(ReadArms(flags, config, input));
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Runtime> runtime, LoadEmbeddedRuntime(config));
  std::optional<HeadReport> head;
  if (!flags.head.empty()) {
    AIO_ASSIGN_OR_RETURN(head, FitHeadTo(flags.head, *runtime, config.probe, input.set));
  }
  AIO_ASSIGN_OR_RETURN(const CalibrationSubject subject, Describe(flags, config, *runtime));
  AIO_RETURN_IF_ERROR(RunProbe(flags, config, *runtime, subject.small_fingerprint, input));
  AIO_ASSIGN_OR_RETURN(const CalibrationReport report, Calibrate(input, options));
  if (flags.json) {
    auto json = nlohmann::ordered_json::parse(CalibrationJson(input, report, subject));
    if (head) json["head"] = HeadReportJson(*head);
    fmt::print("{}\n", json.dump(2));
  } else {
    if (head) PrintReport(*head);
    PrintCalibration(input, report, subject);
  }
  return WriteResults(flags, input, report, subject);
}

int RunCalibrate(const CalibrateFlags& flags) {
  if (flags.data.empty() && flags.files.empty()) {
    Fail(InvalidArgument("calibrate: give labelled queries with --data DIR or --file FILE"));
    return kExitUsage;
  }
  if (flags.data.empty() && !flags.sets.empty()) {
    Fail(InvalidArgument("calibrate: --set names a data set below --data DIR, which is missing"));
    return kExitUsage;
  }
  const Status status = Run(flags);
  return status.ok() ? kExitOk : Fail(status);
}

void AddDataOptions(CLI::App& command, CalibrateFlags& flags) {
  std::vector<std::string> names;
  for (const DataSetKind& kind : KnownDataSets()) names.emplace_back(kind.name);
  command.add_option("-d,--data", flags.data, "folder with public data sets in their own formats");
  command.add_option("-s,--set", flags.sets, "data set below --data (default: all there are)")
      ->check(CLI::IsMember(names));
  command.add_option("-f,--file", flags.files,
                     "JSON lines with \"prompt\" or \"messages\", \"intent\", and optionally "
                     "\"task\"");
  command
      .add_option("--split", flags.split,
                  "side: fit on train sides and measure on test sides where a label has both; "
                  "hash: split every set by a hash of the text")
      ->capture_default_str()
      ->check(CLI::IsMember({"side", "hash"}));
  command
      .add_option("--per-label", flags.per_label,
                  "at most so many queries a label and split; 0: all")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 30));
  command.add_flag("--strict", flags.strict,
                   "fail on unlabelled, duplicate or contradictory rows instead of leaving them "
                   "out");
  command.add_option("--cache", flags.cache,
                     "JSON lines to keep the probe's scores in (default: "
                     "~/.cache/aio/probe.jsonl)");
}

void AddPolicyOptions(CLI::App& command, CalibrateFlags& flags) {
  command.add_option("--arms", flags.arms,
                     "accuracy and tokens/s of each model and strategy by task (TOML or JSON, "
                     "docs/calibration.md); without it only the probe is calibrated");
  command.add_flag("--arms-as-measured", flags.arms_as_measured,
                   "believe the table that a strategy changes accuracy (here it cannot)");
  command.add_option("--mix", flags.mix, "LABEL=SHARE of the requests (default: all alike)")
      ->delimiter(',');
  command
      .add_option("--loss", flags.options.loss_max,
                  "accuracy points that may be lost against an oracle router")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  command.add_option("--confidence", flags.options.confidence, "that no more is lost")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 0.999999));
  command.add_option("--bound", flags.bound, "how it is bounded")
      ->capture_default_str()
      ->check(CLI::IsMember({"clopper-pearson", "bootstrap"}));
  command.add_option("--kind", flags.kind, "of the policy to choose")
      ->capture_default_str()
      ->check(CLI::IsMember({"rules", "utility"}));
  command
      .add_option("--strategy", flags.strategy,
                  "of every rule written, such as auto (default: the table's best)")
      ->check([](const std::string& name) {
        return StrategyFromName(name) ? std::string()
                                      : fmt::format("there are {}", StrategyNames());
      });
}

}  // namespace

void RegisterCalibrate(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "calibrate",
      "Fit what the probe's scores are worth, and choose a policy with a bounded loss");
  auto flags = std::make_shared<CalibrateFlags>();
  AddDataOptions(*command, *flags);
  AddPolicyOptions(*command, *flags);
  command
      ->add_option("--head", flags->head,
                   "fit a probe head, which needs no template, write it to this file, compare it "
                   "with the template, and calibrate it")
      ->check(WritableFault);
  command->add_option("-o,--out", flags->out, "policy file to write")->check(WritableFault);
  command->add_option("--html", flags->html, "page of plots to write")->check(WritableFault);
  command->add_flag("--json", flags->json, "the report as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "Example:\n  aio calibrate --data DATA --arms arms.toml --loss 1 --out policy.toml \\\n"
      "    --html calibration.html\n"
      "  aio calibrate --data DATA --head head.toml --out policy.toml");
  command->callback([flags, &exit_status] { exit_status = RunCalibrate(*flags); });
}

}  // namespace aio
