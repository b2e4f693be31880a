#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/json_text.h"
#include "app/commands.h"
#include "app/settings.h"

namespace aio {
namespace {

struct SettingsFlags {
  bool markdown = false;
  bool json = false;
};

std::string PathOf(const Setting& setting) {
  return setting.table.empty() ? setting.name : setting.table + "." + setting.name;
}

void PrintJson(const std::vector<Setting>& settings) {
  OrderedJson json = OrderedJson::array();
  for (const Setting& setting : settings) {
    json.push_back({{"setting", PathOf(setting)},
                    {"type", setting.type},
                    {"default", setting.initial},
                    {"unit", setting.unit},
                    {"meaning", setting.meaning}});
  }
  fmt::print("{}\n", ToText(json, 2));
}

int RunSettings(const SettingsFlags& flags) {
  const Result<std::vector<Setting>> settings = AllSettings();
  if (!settings.ok()) return Fail(settings.status());
  if (flags.markdown) {
    fmt::print("{}", SettingsPage(*settings));
  } else if (flags.json) {
    PrintJson(*settings);
  } else {
    for (const Setting& setting : *settings) {
      fmt::print("{}: {}; default {}{}{}\n    {}\n", PathOf(setting), setting.type, setting.initial,
                 setting.unit.empty() ? "" : " ", setting.unit, setting.meaning);
    }
  }
  return FinishOutput(kExitOk);
}

}  // namespace

void RegisterSettings(CLI::App& program, int& exit_status) {
  CLI::App* command =
      program.add_subcommand("settings", "List what the configuration file may say");
  auto flags = std::make_shared<SettingsFlags>();
  CLI::Option* markdown = command->add_flag("--markdown", flags->markdown, "as a page");
  command->add_flag("--json", flags->json, "as JSON")->excludes(markdown);
  command->footer("Example:\n  aio settings | grep -A1 timeout");
  command->callback([flags, &exit_status] { exit_status = RunSettings(*flags); });
}

}  // namespace aio
