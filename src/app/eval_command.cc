// `aio eval`: accuracy and speed of models, strategies and policies on tasks that are graded.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/eval_run.h"
#include "app/print_eval.h"
#include "app/runtime.h"
#include "app/write_text.h"
#include "tasks/configuration.h"
#include "tasks/load_task.h"

namespace aio {

namespace {

struct EvalFlags {
  RuntimeFlags runtime;
  EvalSettings settings;
  std::string style = "chat";
  std::string choice_by = "letter";
  std::vector<std::string> may_lack;
  std::string arms_out;
  std::string out;
  bool json = false;
};

// What the parser cannot know to be wrong by itself; the rest of the settings follows.
Status Complete(EvalFlags& flags) {
  EvalSettings& settings = flags.settings;
  if (settings.tasks.empty() && settings.suites.empty()) {
    return InvalidArgument("eval: name tasks with --task or a file of them with --suite");
  }
  if (settings.configurations.empty() && settings.policies.empty()) {
    settings.configurations = {"small", "large"};
    settings.policies = {""};
  }
  const int k_max = *std::max_element(settings.ks.begin(), settings.ks.end());
  if (k_max > settings.options.samples) {
    return InvalidArgument(
        fmt::format("eval: --pass-at {} takes at least as many --samples", k_max));
  }
  if (settings.options.samples > 1 && settings.options.temperature <= 0) {
    return InvalidArgument("eval: greedy samples are all the same; give a --temperature");
  }
  settings.options.prompts.style = PromptStyleFromName(flags.style).value_or(PromptStyle::kChat);
  settings.options.by_likelihood = flags.choice_by == "likelihood";
  settings.extent.seed = settings.options.seed;
  settings.options.prompts.seed = settings.options.seed;
  for (const std::string& name : flags.may_lack) {
    if (const auto protection = ProtectionFromName(name)) settings.may_lack.push_back(*protection);
  }
  return Status::Ok();
}

Status WriteArms(const EvalFlags& flags, const EvalReport& report) {
  if (flags.arms_out.empty()) return Status::Ok();
  if (report.arm_table.empty()) {
    return InvalidArgument(fmt::format("--arms-out: {}", report.arm_table_fault));
  }
  AIO_RETURN_IF_ERROR(WriteText(flags.arms_out, report.arm_table));
  PrintNote(fmt::format("wrote {}", flags.arms_out));
  return Status::Ok();
}

Status Run(const EvalFlags& flags) {
  AIO_ASSIGN_OR_RETURN(AppConfig config, flags.runtime.Resolve());
  AIO_ASSIGN_OR_RETURN(const EvalReport report, RunEvaluation(flags.settings, std::move(config)));
  if (flags.json) {
    fmt::print("{}\n", EvalJson(flags.settings, report));
  } else {
    fmt::print("{}\n{} answers, {} of them from earlier runs; {:.1f} s\n", EvalTables(report),
               report.answers, report.resumed, report.seconds);
  }
  if (!flags.out.empty()) {
    AIO_RETURN_IF_ERROR(WriteText(flags.out, EvalJson(flags.settings, report) + "\n"));
    PrintNote(fmt::format("wrote {}", flags.out));
  }
  return WriteArms(flags, report);
}

int RunEval(EvalFlags& flags) {
  if (const Status status = Complete(flags); !status.ok()) {
    Fail(status);
    return kExitUsage;
  }
  const Status status = Run(flags);
  return status.ok() ? kExitOk : Fail(status);
}

std::string CheckArm(const std::string& name) {
  const Result<FixedArm> arm = ParseFixedArm(name);
  return arm.ok() ? std::string() : arm.status().message();
}

std::string CheckProtection(const std::string& name) {
  return ProtectionFromName(name) ? std::string()
                                  : "no protection is called so; see docs/sandbox.md";
}

void AddTaskOptions(CLI::App& command, EvalFlags& flags) {
  EvalSettings& settings = flags.settings;
  command.add_option("-t,--task", settings.tasks,
                     fmt::format("{}, or one of a --suite (default: all of the suites)",
                                 fmt::join(KnownTasks(), ", ")));
  command.add_option("-d,--data", settings.data,
                     "folder with public data sets in their own formats");
  command.add_option("--suite", settings.suites, "JSON lines of tasks of one's own")
      ->check(CLI::ExistingFile);
  command.add_option("--limit", settings.extent.limit, "so many items a task, drawn by the seed")
      ->check(CLI::Range(1, 1 << 30));
  command
      .add_option("--context", settings.extent.contexts,
                  "tokens of prompt and answer: the item among others of its task; 0: alone")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 24));
  command.add_option("--depth", settings.extent.depths, "of the item in a long context")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
}

void AddPromptOptions(CLI::App& command, EvalFlags& flags) {
  EvalOptions& options = flags.settings.options;
  command
      .add_option("--prompts", flags.style,
                  "chat; bare: a chat with the question alone; completion: for base models")
      ->capture_default_str()
      ->check(CLI::IsMember({"chat", "bare", "completion"}));
  command.add_option("--shots", options.prompts.shots, "examples before the question")
      ->capture_default_str()
      ->check(CLI::Range(0, 64));
  command
      .add_option("--choice-by", flags.choice_by,
                  "letter: of the answer; likelihood: of the letters as its first token")
      ->capture_default_str()
      ->check(CLI::IsMember({"letter", "likelihood"}));
  command
      .add_option("-n,--max-tokens", flags.settings.extent.max_tokens,
                  "of an answer (default: 512; of choices 32)")
      ->check(CLI::Range(1, 1 << 20));
  command.add_option("--samples", options.samples, "answers to each prompt")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command.add_option("--temperature", options.temperature, "0 is greedy")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 2.0));
  command
      .add_option("--pass-at", flags.settings.ks, "k of pass@k: of so many samples one is right")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command.add_option("--seed", options.seed, "of samples, draws and orders")->capture_default_str();
}

void AddRunOptions(CLI::App& command, EvalFlags& flags) {
  EvalSettings& settings = flags.settings;
  command
      .add_option("-a,--configuration,--config-name", settings.configurations,
                  "small or large, perhaps -w8a16, perhaps + and a strategy: "
                  "large-w8a16+prompt_lookup (default: small, large and the configured policy)")
      ->check(CheckArm);
  command
      .add_option("--policy", settings.policies,
                  "policy files, each a configuration: rules, random, oracle, ...")
      ->check(CLI::ExistingFile);
  command
      .add_option("--in-flight", settings.options.in_flight_max,
                  "answers at once; with more than 1 an answer's speed is not its own")
      ->capture_default_str()
      ->check(CLI::Range(1, EngineLimits::kRunningMax));
  command.add_option("-r,--records", settings.records,
                     "JSON lines, a row for each answer; what is there is not done again");
  command
      .add_option("--arms-out", flags.arms_out,
                  "table of the measured arms to write, as `aio calibrate --arms` reads it")
      ->check(WritableFault);
  command.add_option("-o,--out", flags.out, "JSON of the figures to write")->check(WritableFault);
  command.add_flag("--json", flags.json, "figures as JSON");
  command
      .add_option(std::string(kMayLackFlag), flags.may_lack,
                  "protection that may be missing where the kernel refuses it")
      ->check(CheckProtection);
}

}  // namespace

void RegisterEval(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "eval", "Accuracy and speed of models, strategies and policies on graded tasks");
  auto flags = std::make_shared<EvalFlags>();
  AddTaskOptions(*command, *flags);
  AddPromptOptions(*command, *flags);
  flags->runtime.AddTo(*command);
  // Here there may be several.
  command->remove_option(command->get_option("--policy"));
  AddRunOptions(*command, *flags);
  command->footer(
      "right % with its 95 % interval; tokens/s: tokens over seconds of all answers, prompts and\n"
      "probes included; mean/s: mean of the answers' own; decode/s: after each first token.\n"
      "Code is run by python3 in a sandbox. docs/evaluation-tasks.md says how each task is asked\n"
      "and graded.\n"
      "Example:\n  aio eval --task humaneval gsm8k --data DATA -a small large large+prompt_lookup "
      "\\\n    --policy policy/paper.toml policy/oracle.toml --records records.jsonl");
  command->callback([flags, &exit_status] { exit_status = RunEval(*flags); });
}

}  // namespace aio
