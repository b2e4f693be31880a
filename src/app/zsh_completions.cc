#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "app/completions.h"
#include "app/run_environment.h"

namespace aio {
namespace {

// Fit to stand in a specification of _arguments or _describe, where these end parts.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : FirstLine(text)) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string FunctionName(const std::string& words) {
  std::string name = "_";
  for (const char c : words) name += c == ' ' ? '_' : c;
  return name;
}

// ":message:action" of a value.
std::string ValueSpec(const std::string& message, const CommandOption& option) {
  std::string action = " ";  // shows the message
  if (option.TakesFile()) action = "_files";
  if (!option.choices.empty()) action = fmt::format("({})", fmt::join(option.choices, " "));
  return fmt::format(":{}:{}", Escaped(message), action);
}

// One argument of _arguments for each of the option's names.
std::vector<std::string> OptionSpecs(const CommandOption& option) {
  std::vector<std::string> specs;
  const std::string before =
      option.repeats ? "*" : fmt::format("({})", fmt::join(option.names, " "));
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    std::string spec = before + name;
    if (!option.value.empty()) spec += is_long ? "=" : "+";
    spec += "[" + Escaped(option.description) + "]";
    if (!option.value.empty()) spec += ValueSpec(option.value, option);
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::vector<std::string> Specs(const CommandDescription& command) {
  std::vector<std::string> specs;
  int position = 0;
  for (const CommandOption& option : command.options) {
    for (std::string& spec : OptionSpecs(option)) specs.push_back(std::move(spec));
    if (option.positional.empty()) continue;
    const std::string where = option.repeats ? "*" : std::to_string(++position);
    specs.push_back(where + ValueSpec(option.positional, option));
  }
  return specs;
}

std::string ArgumentLines(const std::vector<std::string>& specs) {
  std::string lines;
  for (const std::string& spec : specs) lines.append(" \\\n    ").append(ShellQuoted(spec));
  return lines;
}

std::string LeafFunction(const std::string& words, const CommandDescription& command) {
  return fmt::format("{}() {{\n  _arguments -s -S{}\n}}\n\n", FunctionName(words),
                     ArgumentLines(Specs(command)));
}

std::string GroupFunction(const std::string& words, const CommandDescription& command) {
  std::vector<std::string> specs = Specs(command);
  specs.emplace_back("1: :->command");
  specs.emplace_back("*:: :->arguments");
  std::string described, branches;
  for (const CommandDescription& child : command.subcommands) {
    described += fmt::format("    {}\n", ShellQuoted(fmt::format("{}:{}", Escaped(child.name),
                                                                 Escaped(child.description))));
    branches +=
        fmt::format("        {}) {} ;;\n", child.name, FunctionName(words + " " + child.name));
  }
  return fmt::format(R"({}() {{
  local curcontext=$curcontext state state_descr line
  local -A opt_args
  local -a commands=(
{}  )
  _arguments -C{}
  case $state in
    command) _describe -t commands '{} command' commands ;;
    arguments)
      case $words[1] in
{}      esac ;;
  esac
}}

)",
                     FunctionName(words), described, ArgumentLines(specs), words, branches);
}

}  // namespace

std::string ZshCompletions(const CommandDescription& program) {
  std::string script = fmt::format(
      "#compdef {0}\n# zsh completion for {0}, made by `{0} completions zsh`.\n\n", program.name);
  ForEachCommand(program, [&](const std::string& words, const CommandDescription& command) {
    script +=
        command.subcommands.empty() ? LeafFunction(words, command) : GroupFunction(words, command);
  });
  // Found by its name in $fpath, the file is the function's body; otherwise it is sourced.
  return script + fmt::format(
                      "if [[ $funcstack[1] == _{0} ]]; then\n  _{0} \"$@\"\nelse\n"
                      "  compdef _{0} {0}\nfi\n",
                      program.name);
}

}  // namespace aio
