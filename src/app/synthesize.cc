#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "base/clock.h"
#include "base/progress.h"
#include "model/synthesize.h"

namespace aio {

namespace {

struct SynthesizeFlags {
  std::string shape;
  std::string type = "f16";
  std::string out;
  uint64_t seed = 1;
  bool json = false;
};

std::vector<std::string> ShapeNames() {
  std::vector<std::string> names;
  for (const ModelShape& shape : KnownShapes()) names.emplace_back(shape.name);
  return names;
}

int RunSynthesize(const SynthesizeFlags& flags) {
  const ModelShape* shape = FindShape(flags.shape);
  const std::optional<WeightType> type = WeightTypeFromName(flags.type);
  const SystemClock clock;
  std::optional<ProgressBar> bar;
  const Status status =
      Synthesize(*shape, *type, flags.seed, flags.out, [&](int64_t done, int64_t total) {
        if (!bar) bar.emplace("writing " + flags.out, total, clock);
        bar->Update(done);
      });
  bar.reset();
  if (!status.ok()) return Fail(status);
  const auto bytes = std::filesystem::file_size(flags.out);
  if (flags.json) {
    const nlohmann::ordered_json summary = {{"shape", shape->name},
                                            {"type", WeightTypeName(*type)},
                                            {"seed", flags.seed},
                                            {"path", flags.out},
                                            {"bytes", bytes}};
    fmt::print("{}\n", summary.dump(2));
  } else {
    fmt::print("{}: {} shape, random {} weights, {:.2f} GB\n", flags.out, shape->name,
               WeightTypeName(*type), static_cast<double>(bytes) / 1e9);
  }
  return kExitOk;
}

}  // namespace

void RegisterSynthesize(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "synthesize", "Write a model of a published shape with random weights, to measure with");
  auto flags = std::make_shared<SynthesizeFlags>();
  command->add_option("shape", flags->shape, "which model's shape")
      ->required()
      ->check(CLI::IsMember(ShapeNames()));
  command->add_option("--type", flags->type, "type of the matrices: f32, f16, bf16, q8_0, ...")
      ->capture_default_str()
      ->check([](const std::string& name) {
        return WeightTypeFromName(name) ? std::string()
                                        : fmt::format("type \"{}\" is none of {}", name,
                                                      fmt::join(WeightTypeNames(), ", "));
      });
  command->add_option("-o,--out", flags->out, "GGUF file to write")->required();
  command->add_option("--seed", flags->seed, "of the weights")->capture_default_str();
  command->add_flag("--json", flags->json, "a summary as JSON");
  command->footer(
      "Example:\n  aio synthesize openpangu-1b --type f16 --out /tmp/openpangu-1b-f16.gguf");
  command->callback([flags, &exit_status] { exit_status = RunSynthesize(*flags); });
}

}  // namespace aio
