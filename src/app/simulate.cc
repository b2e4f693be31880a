// `aio simulate`: what A-IO would do on that hardware, with that traffic, with those models.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/print_simulation.h"
#include "app/simulate_flags.h"
#include "app/system_cpu.h"
#include "app/write_text.h"
#include "base/clock.h"
#include "base/progress.h"
#include "pages/fill_page.h"
#include "pages/page_templates.h"
#include "sim/find_policy.h"
#include "sim/fit_device.h"
#include "sim/sim_report.h"

namespace aio {

namespace {

struct SimulateCommand {
  SimulateFlags flags;
  std::vector<std::string> sweep;
  std::string find;
  std::vector<std::string> compare;
  int repeat = 8;
  int threads = 0;
  std::string page_path;
  std::string records_path;
  std::string show_device;
  std::string fit_device;
  bool list_devices = false;
  bool json = false;

  int usable_threads() const { return threads > 0 ? threads : UsableCores(); }
};

constexpr int kTimelinePoints = 120;

// A run and, beside it, the same with the large model for all.
Status Run(const SimulateCommand& command, SimReport& report) {
  std::vector<Scenario> scenarios = {report.scenario};
  scenarios[0].timeline_points = kTimelinePoints;
  scenarios[0].keeps_answers = !command.records_path.empty();
  if (report.scenario.setup.policy.settings().kind != PolicyKind::kStaticLarge) {
    scenarios.push_back(scenarios[0]);
    scenarios[1].name = "static-large";
    scenarios[1].keeps_answers = false;
    AIO_ASSIGN_OR_RETURN(scenarios[1].setup.policy, FindPolicy("static-large"));
  }
  const SystemClock clock;
  std::optional<ProgressBar> bar;
  // Of the first one alone: a bar is one thread's.
  scenarios[0].setup.progress = [&](size_t arrived, size_t requests) {
    if (!bar) bar.emplace("simulating", static_cast<int64_t>(requests), clock);
    bar->Update(static_cast<int64_t>(arrived));
  };
  auto results = RunScenarios(scenarios, command.usable_threads(), {});
  AIO_ASSIGN_OR_RETURN(report.runs.emplace_back(), std::move(results[0]));
  if (!command.records_path.empty()) {
    AIO_RETURN_IF_ERROR(WriteText(command.records_path, AnswerLines(report.runs.front().answers)));
  }
  if (results.size() > 1) {
    AIO_ASSIGN_OR_RETURN(report.against, std::move(results[1]));
  }
  return Status::Ok();
}

Status Sweep(const SimulateCommand& command, SimReport& report) {
  for (const std::string& text : command.sweep) {
    AIO_ASSIGN_OR_RETURN(SweepAxis axis, ParseSweepAxis(text));
    for (const SweepAxis& other : report.sweep) {
      if (other.what != axis.what) continue;
      return InvalidArgument("--sweep: '" + axis.what + "' is there twice: give all values in one");
    }
    report.sweep.push_back(std::move(axis));
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<Scenario> scenarios,
                       SweepScenarios(report.scenario, report.sweep));
  const SystemClock clock;
  ProgressBar bar("sweeping", static_cast<int64_t>(scenarios.size()), clock);
  auto results = RunScenarios(scenarios, command.usable_threads(),
                              [&](size_t done) { bar.Update(static_cast<int64_t>(done)); });
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].ok()) return results[i].status().WithContext(scenarios[i].name);
    report.runs.push_back(*std::move(results[i]));
  }
  return Status::Ok();
}

Status Find(const SimulateCommand& command, SimReport& report) {
  AIO_ASSIGN_OR_RETURN(report.question, ParseLimitQuestion(command.find));
  const SystemClock clock;
  constexpr int kTriesExpected = 12;
  ProgressBar bar("searching", kTriesExpected, clock);
  int tries = 0;
  AIO_ASSIGN_OR_RETURN(report.answer, FindLimit(report.scenario, *report.question,
                                                command.usable_threads(), [&](const LimitTry&) {
                                                  bar.Update(std::min(++tries, kTriesExpected));
                                                }));
  return Status::Ok();
}

Status Compare(const SimulateCommand& command, SimReport& report) {
  const SystemClock clock;
  const auto total = static_cast<int64_t>(command.compare.size()) * command.repeat;
  ProgressBar bar("comparing", total, clock);
  Scenario scenario = report.scenario;
  scenario.timeline_points = kTimelinePoints;
  AIO_ASSIGN_OR_RETURN(
      report.comparison,
      ComparePolicies(scenario, command.compare, command.repeat, command.usable_threads(),
                      [&](size_t done, size_t) { bar.Update(static_cast<int64_t>(done)); }));
  report.runs = report.comparison->results;
  return Status::Ok();
}

Status Simulate(const SimulateCommand& command) {
  if (command.list_devices) {
    fmt::print("{}", command.json ? DevicesJson() + "\n" : FormatDevices());
    return Status::Ok();
  }
  if (!command.show_device.empty() || !command.fit_device.empty()) {
    const bool fits = command.show_device.empty();
    AIO_ASSIGN_OR_RETURN(DeviceProfile device,
                         FindDeviceProfile(fits ? command.fit_device : command.show_device));
    if (fits) {
      AIO_ASSIGN_OR_RETURN(device, FitToMeasured(std::move(device)));
    }
    fmt::print("{}", command.json ? DeviceJson(device) + "\n" : FormatDevice(device));
    return Status::Ok();
  }
  SimReport report;
  report.title = "A-IO simulation";
  AIO_ASSIGN_OR_RETURN(report.scenario, command.flags.ToScenario());
  AIO_RETURN_IF_ERROR(!command.sweep.empty()     ? Sweep(command, report)
                      : !command.find.empty()    ? Find(command, report)
                      : !command.compare.empty() ? Compare(command, report)
                                                 : Run(command, report));
  const std::string json = SimReportJson(report);
  if (!command.page_path.empty()) {
    AIO_RETURN_IF_ERROR(WriteText(command.page_path, FillPage(SimulationPageTemplate(), json)));
  }
  fmt::print("{}\n", command.json ? json : FormatSimulation(report));
  return Status::Ok();
}

}  // namespace

void RegisterSimulate(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "simulate", "What A-IO would do on other hardware, with other traffic, with other models");
  auto of = std::make_shared<SimulateCommand>();
  of->flags.AddTo(*command);
  auto* sweep = command->add_option("--sweep", of->sweep,
                                    fmt::format("run for each value: rate=1,2,4 or tau=0:1:0.1 or "
                                                "rate=1:64:*2; of {}; may be repeated",
                                                ScenarioChanges()));
  auto* find = command->add_option(
      "--find", of->find,
      "search: \"max rate with p99 TTFT < 1 s\", \"min devices with goodput > 95 %\"");
  auto* compare = command
                      ->add_option("--compare", of->compare,
                                   "two policies or more, on the same requests, with intervals")
                      ->expected(2, 100);
  sweep->excludes(find)->excludes(compare);
  find->excludes(compare);
  command->add_option("--repeat", of->repeat, "draws of the requests, for --compare")
      ->capture_default_str()
      ->check(CLI::Range(2, 10'000));
  command
      ->add_option("--threads", of->threads,
                   "runs at a time (default: one a usable core); the figures are the same")
      ->check(CLI::Range(1, 1024));
  command->add_option("-o,--out", of->page_path, "write a page with plots here, HTML")
      ->check(WritableFault);
  command
      ->add_option("--records", of->records_path, "of one run: write a line of JSON a request here")
      ->check(WritableFault)
      ->excludes(sweep)
      ->excludes(find)
      ->excludes(compare);
  command->add_flag("--list-devices", of->list_devices, "those that are built in");
  command->add_option("--show-device", of->show_device,
                      "its numbers, and how near they come to steps that were measured");
  command->add_option("--fit-device", of->fit_device,
                      "the same, its `fitted` numbers fitted anew to its measured steps");
  command->add_flag("--json", of->json, "figures as JSON");
  command->footer(
      "The router, the policies and the scheduler are those that serve; a step takes the time "
      "that\n"
      "the device's profile gives (docs/simulation.md says how, and how far to trust it).\n"
      "Example:\n  aio simulate --device ascend-910b --trace AzureLLMInferenceTrace_code.csv "
      "--out report.html\n"
      "  aio simulate --device h100-80gb --rate 20 --seconds 120 --sweep rate=5:80:*2\n"
      "  aio simulate --rate 10 --seconds 120 --find \"max rate with p99 TTFT < 1 s\"");
  command->callback([of, &exit_status] {
    const Status status = Simulate(*of);
    exit_status = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace aio
