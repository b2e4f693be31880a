#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/json_text.h"
#include "app/check_file_weights.h"
#include "app/commands.h"
#include "app/runtime.h"
#include "formats/gguf.h"

namespace aio {

namespace {

struct ValidateFlags {
  RuntimeFlags runtime;
  bool weights = false;
  bool json = false;
};

// `lines`: a model each, for people.
Status Validate(const ValidateFlags& flags, OrderedJson& facts, std::vector<std::string>& lines) {
  AIO_ASSIGN_OR_RETURN(const AppConfig config, flags.runtime.Resolve());
  facts["config"] = config.source;
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Runtime> runtime, LoadRuntime(config));
  const std::vector<ModelInfo> resident = ResidentModels(*runtime->router);
  for (const ModelInfo& model : resident) {
    facts["models"].push_back({{"role", model.role},
                               {"name", model.name},
                               {"architecture", model.architecture},
                               {"parameters", model.parameters},
                               {"bytes", model.bytes},
                               {"context_length", model.context_length},
                               {"weights", model.weights},
                               {"draft_model", model.draft_model}});
    lines.push_back(
        fmt::format("  {:<6} {}: {}\n", model.role, model.name, DescribeModel(model, resident)));
  }
  for (const RoutingRule& rule : config.policy.rules()) facts["rules"].push_back(rule.name);
  for (const auto& label : config.probe.labels) facts["labels"].push_back(label.name);
  facts["policy"] = config.policy.name();
  if (!flags.weights) return Status::Ok();
  for (const ModelSettings& model : ResidentModels(config)) {
    AIO_ASSIGN_OR_RETURN(const std::shared_ptr<const GgufFile> file, GgufFile::Open(model.path));
    AIO_RETURN_IF_ERROR(CheckFileWeights(*file, config.engine.num_threads));
  }
  facts["weights"] = "finite";
  return Status::Ok();
}

int RunValidate(const ValidateFlags& flags) {
  OrderedJson facts = {{"models", OrderedJson::array()}};
  std::vector<std::string> lines;
  const Status status = Validate(flags, facts, lines);
  facts["ok"] = status.ok();
  if (flags.json) {
    if (!status.ok()) facts["error"] = status.message();
    fmt::print("{}\n", ToText(facts, 2));
    return status.ok() ? kExitOk : kExitFailed;
  }
  if (!status.ok()) return Fail(status);
  fmt::print("{}: fine\n", facts["config"].get<std::string>());
  for (const std::string& line : lines) fmt::print("{}", line);
  if (flags.weights) fmt::print("  every weight is finite\n");
  fmt::print("  policy {}: {} rules; labels", facts["policy"].get<std::string>(),
             facts["rules"].size());
  for (const auto& label : facts["labels"]) fmt::print(" {}", label.get<std::string>());
  fmt::print("\n");
  return kExitOk;
}

}  // namespace

void RegisterValidate(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "validate", "Check a configuration: its keys, its models, its policy and its labels");
  auto flags = std::make_shared<ValidateFlags>();
  flags->runtime.AddTo(*command);
  command->add_flag("--weights", flags->weights,
                    "read every weight of the models too: none may be NaN or infinite");
  command->add_flag("--json", flags->json, "the findings as JSON");
  command->footer("Example:\n  aio validate --config config/pocket.toml");
  command->callback([flags, &exit_status] { exit_status = RunValidate(*flags); });
}

}  // namespace aio
