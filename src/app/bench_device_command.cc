// `aio bench device`: this machine as a device profile, for `aio simulate`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/bench_device.h"
#include "app/commands.h"
#include "app/load_named_models.h"
#include "app/print_simulation.h"
#include "app/run_environment.h"
#include "app/system_cpu.h"
#include "app/write_text.h"
#include "base/progress.h"
#include "sim/sim_report.h"

namespace aio {

namespace {

struct BenchDeviceFlags {
  std::vector<std::string> paths;
  DeviceBenchOptions options{.threads = 0};
  std::string out;
  bool json = false;
};

Status Run(const BenchDeviceFlags& flags) {
  const SystemClock clock;
  DeviceBenchOptions options = flags.options;
  if (options.threads == 0) options.threads = UsableCores();
  if (options.title.empty()) {
    for (const auto& [name, value] : DescribeMachine()) {
      if (name == "cpu") options.title = fmt::format("{}, {} threads", value, options.threads);
    }
  }
  options.date = Today();
  AIO_ASSIGN_OR_RETURN(std::vector<EmbeddedModel> models,
                       LoadNamedModels(flags.paths, options.threads, clock));
  std::optional<ProgressBar> bar;
  AIO_ASSIGN_OR_RETURN(
      const DeviceProfile profile,
      BenchDevice(std::move(models), options, clock, [&](int64_t done, int64_t total) {
        if (!bar) bar.emplace("measuring", total, clock);
        bar->Update(done);
      }));
  bar.reset();
  if (!flags.out.empty()) AIO_RETURN_IF_ERROR(WriteText(flags.out, DeviceProfileToml(profile)));
  fmt::print("{}", flags.json ? DeviceJson(profile) + "\n" : FormatDevice(profile));
  return Status::Ok();
}

}  // namespace

void RegisterBenchDevice(CLI::App& bench, int& exit_status) {
  CLI::App* command = bench.add_subcommand(
      "device", "This machine as a device profile, for `aio simulate`: steps of the engine");
  auto flags = std::make_shared<BenchDeviceFlags>();
  command
      ->add_option("models", flags->paths,
                   "GGUF files, of different sizes: the numbers of the profile are told apart by "
                   "what differs")
      ->required();
  command->add_option("--name", flags->options.name, "of the profile")->capture_default_str();
  command->add_option("--title", flags->options.title, "of the profile (default: the processor)");
  command->add_option("--threads", flags->options.threads, "default: one a usable core")
      ->check(CLI::Range(1, 1024));
  command->add_option("-r,--rounds", flags->options.rounds, "the medians of so many count")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_option("-o,--out", flags->out, "write the profile here, TOML")->check(WritableFault);
  command->add_flag("--json", flags->json, "figures as JSON");
  command->footer(
      "Each model answers 1 to 16 requests at once and reads prompts of 32 to 256 tokens.\n"
      "Example:\n  aio bench device small.gguf large.gguf -o this-machine.toml\n"
      "  aio simulate --device ./this-machine.toml --small small.gguf --large large.gguf --rate 1");
  command->callback([flags, &exit_status] {
    const Status status = Run(*flags);
    exit_status = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace aio
