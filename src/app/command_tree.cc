#include "app/command_tree.h"

#include <CLI/CLI.hpp>
#include <string_view>

namespace aio {
namespace {

// Of "{a,b}", or of what CheckedTransformer says: "value in {a->0,b->1} OR {0,1}".
std::vector<std::string> ReadChoices(std::string_view bounds) {
  std::vector<std::string> choices;
  const size_t open = bounds.find('{');
  const size_t close = bounds.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos) return choices;
  std::string_view list = bounds.substr(open + 1, close - open - 1);
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    choices.emplace_back(item.substr(0, item.find("->")));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
  }
  return choices;
}

CommandOption Describe(const CLI::Option& option) {
  CommandOption result;
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  if (option.get_positional()) result.positional = option.get_name(true, false);
  result.description = option.get_description();
  result.environment = option.get_envname();
  result.required = option.get_required();
  if (option.get_type_size() == 0) return result;  // a flag
  const std::string type = option.get_type_name();
  const size_t colon = type.find(':');
  result.value = type.substr(0, colon);
  if (colon != std::string::npos) {
    result.bounds = type.substr(colon + 1);
    result.choices = ReadChoices(result.bounds);
  }
  result.default_value = option.get_default_str();
  result.repeats = option.get_expected_max() > 1;
  return result;
}

}  // namespace

CommandDescription DescribeCommand(const CLI::App& command) {
  CommandDescription result;
  result.name = command.get_name();
  result.description = command.get_description();
  result.footer = command.get_footer();
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_group().empty()) result.options.push_back(Describe(*option));
  }
  for (const CLI::App* child : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (!child->get_group().empty()) result.subcommands.push_back(DescribeCommand(*child));
  }
  return result;
}

void ForEachCommand(const CommandDescription& command, const CommandVisitor& visit) {
  visit(command.name, command);
  for (const CommandDescription& child : command.subcommands) {
    ForEachCommand(child, [&](const std::string& words, const CommandDescription& below) {
      visit(command.name + " " + words, below);
    });
  }
}

}  // namespace aio
