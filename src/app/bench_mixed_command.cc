// `aio bench mixed`: mixed workloads under every configuration, routed ones beside fixed ones.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/bench_mixed.h"
#include "app/commands.h"
#include "app/grade_answers.h"
#include "app/mixed_configurations.h"
#include "app/mixed_figures.h"
#include "app/print_mixed.h"
#include "app/record_lines.h"
#include "app/runtime.h"
#include "app/workload_flags.h"
#include "base/progress.h"
#include "sandbox/sandbox.h"
#include "traffic/given_labels.h"

namespace aio {

namespace {

struct BenchMixedFlags {
  RuntimeFlags runtime;
  WorkloadFlags workload;
  ConfigurationChoice choice;
  int repeat = 3;
  bool prefix_caching = false;
  bool give_labels = false;
  bool no_grades = false;
  std::vector<std::string> may_lack;
  std::string records_path;
  bool json = false;

  // Where a model's own opinion of a text is worth nothing.
  bool labels_given() const { return give_labels || workload.synthetic.prompt_tokens > 0; }
};

class MixedCommand {
 public:
  explicit MixedCommand(const BenchMixedFlags& flags) : flags_(flags) {}

  Status Run() {
    AIO_RETURN_IF_ERROR(Load());
    AIO_ASSIGN_OR_RETURN(const std::vector<Workload> workloads, MakeWorkloads());
    std::vector<MixedReport> reports;
    reports.reserve(workloads.size());
    for (const Workload& workload : workloads) {
      AIO_ASSIGN_OR_RETURN(MixedReport report, Measure(workload));
      if (!flags_.json) {
        fmt::print("{}{}", reports.empty() ? "" : "\n", FormatMixed(report));
        std::fflush(stdout);
      }
      reports.push_back(std::move(report));
    }
    if (flags_.json) fmt::print("{}\n", MixedJson(reports));
    return records_ != nullptr ? records_->Finish() : Status::Ok();
  }

 private:
  Status Load() {
    if (!flags_.records_path.empty()) {
      AIO_ASSIGN_OR_RETURN(records_, RecordLines::Create(flags_.records_path));
    }
    AIO_ASSIGN_OR_RETURN(AppConfig config, flags_.runtime.Resolve());
    // Or a configuration would find what the one before it computed of the same prompt.
    config.engine.prefix_caching = flags_.prefix_caching;
    config.engine.max_running =
        std::max(config.engine.max_running, flags_.workload.loop_concurrency());
    AIO_ASSIGN_OR_RETURN(runtime_, LoadEmbeddedRuntime(config));
    given_ = std::make_unique<GivenLabels>(*runtime_->engine);
    Backend& backend = flags_.labels_given() ? static_cast<Backend&>(*given_) : *runtime_->engine;
    ConfigurationChoice choice = flags_.choice;
    choice.labels_given = flags_.labels_given();
    AIO_ASSIGN_OR_RETURN(configurations_, MakeConfigurations(*runtime_, backend, choice));
    return Status::Ok();
  }

  Result<std::vector<Workload>> MakeWorkloads() const {
    int context = 0;
    for (const ModelInfo& model : runtime_->engine->Models()) {
      if (context == 0 || model.context_length < context) context = model.context_length;
    }
    const SyntheticSource source{.backend = runtime_->router.get(), .model = "large"};
    return flags_.workload.Make(source, context);
  }

  Result<MixedReport> Measure(const Workload& workload) {
    std::optional<ProgressBar> bar;
    MixedOptions options{.repeat = flags_.repeat,
                         .concurrency = flags_.workload.loop_concurrency()};
    options.progress = [&](int64_t done, int64_t total) {
      if (!bar) bar.emplace("workload " + workload.name, total, runtime_->clock);
      bar->Update(done);
    };
    SystemWaiter waiter;
    AIO_ASSIGN_OR_RETURN(const std::vector<ConfigurationRuns> runs,
                         RunMixed(configurations_, workload, options, waiter, runtime_->clock));
    bar.reset();
    if (records_ != nullptr) Write(workload, runs);
    AIO_ASSIGN_OR_RETURN(const std::vector<MixedGrades> grades, Grade(workload, runs));
    MixedReport report{.workload = workload.name,
                       .note = workload.note,
                       .tasks = CountTasks(workload),
                       .arrivals = flags_.workload.ArrivalsText(),
                       .repeat = flags_.repeat,
                       .seed = flags_.workload.answers.seed,
                       .labels_given = flags_.labels_given(),
                       .rows = {}};
    report.rows = SummariseMixed(configurations_, runs, grades, flags_.workload.prices);
    return report;
  }

  // None where nobody wants them.
  Result<std::vector<MixedGrades>> Grade(const Workload& workload,
                                         const std::vector<ConfigurationRuns>& runs) const {
    if (flags_.no_grades || workload.items.empty()) return std::vector<MixedGrades>();
    std::vector<Protection> may_lack;
    for (const std::string& name : flags_.may_lack) {
      if (const auto protection = ProtectionFromName(name)) may_lack.push_back(*protection);
    }
    AIO_ASSIGN_OR_RETURN(const GradeAnswer grade, MakeGradeAnswer(workload.items, may_lack));
    return GradeMixed(runs, workload, grade);
  }

  void Write(const Workload& workload, const std::vector<ConfigurationRuns>& runs) {
    for (size_t c = 0; c < runs.size(); ++c) {
      for (size_t repeat = 0; repeat < runs[c].size(); ++repeat) {
        const std::vector<LoadRecord>& records = runs[c][repeat].records;
        for (size_t i = 0; i < records.size(); ++i) {
          RecordTags tags = {{"workload", workload.name},
                             {"configuration", configurations_[c].name},
                             {"repeat", std::to_string(repeat)},
                             {"task", workload.requests[i].task}};
          const int item = workload.requests[i].item;
          if (item >= 0) {
            tags.emplace_back("item", workload.items[static_cast<size_t>(item)].id);
          }
          records_->Add(records[i], tags);
        }
      }
    }
  }

  const BenchMixedFlags& flags_;
  std::unique_ptr<RecordLines> records_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<GivenLabels> given_;  // over the runtime's engine
  std::vector<MixedConfiguration> configurations_;
};

}  // namespace

void RegisterBenchMixed(CLI::App& bench, int& exit_status) {
  CLI::App* command = bench.add_subcommand(
      "mixed", "Mixed workloads: routed, fixed and ablated configurations side by side");
  auto flags = std::make_shared<BenchMixedFlags>();
  flags->workload.AddTo(*command);
  command->add_option("--only", flags->choice.names,
                      "this configuration (and \"large\"); may be repeated (default: all)");
  command->add_option("--with-policy", flags->choice.policy_paths, "a further policy file");
  command->add_option("--ablate", flags->choice.ablated,
                      "the policy whose parts are taken out one by one; may be repeated (default: "
                      "the configured)");
  command->add_option("-r,--repeat", flags->repeat, "passes over the workload")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_flag("--prefix-caching", flags->prefix_caching,
                    "leave the prefix cache on: a configuration then finds prompts of the others");
  command->add_flag("--give-labels", flags->give_labels,
                    "the probe costs what it costs and says what the prompt is about (made-up "
                    "prompts: always)");
  command->add_flag("--no-grades", flags->no_grades,
                    "do not judge answers (code is judged by running it in a sandbox)");
  command
      ->add_option(std::string(kMayLackFlag), flags->may_lack,
                   "run code without this protection where the kernel refuses it")
      ->check([](const std::string& name) {
        return ProtectionFromName(name) ? std::string()
                                        : "no protection is called so; see docs/sandbox.md";
      });
  command->add_option("--records", flags->records_path, "write a line of JSON a request here");
  command->add_flag("--json", flags->json, "figures as JSON");
  flags->runtime.AddTo(*command);
  command->footer(
      "All configurations answer the same requests and take turns. tokens/s of a request is its\n"
      "output over the time from its intended arrival to its end. Ratios are over the large model\n"
      "decoding plainly, with 95 % bootstrap intervals over repeats and requests "
      "(docs/traffic.md).\n"
      "Example:\n  aio bench mixed -s A -s B -n 40 --repeat 3\n"
      "  aio bench mixed --mix code=0.5,qa=0.5 --rate 2 --only auto --only paper");
  command->callback([flags, &exit_status] {
    const Status status = MixedCommand(*flags).Run();
    exit_status = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace aio
