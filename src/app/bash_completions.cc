#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "app/completions.h"
#include "app/run_environment.h"

namespace aio {
namespace {

// One branch of the case over "COMMAND OPTION": how the option's value is completed.
std::string ValueBranch(const std::string& words, const CommandOption& option) {
  if (option.value.empty() || option.names.empty()) return "";
  std::vector<std::string> patterns;
  patterns.reserve(option.names.size());
  for (const std::string& name : option.names) {
    patterns.push_back(ShellQuoted(fmt::format("{} {}", words, name)));
  }
  std::string action = ":";
  if (!option.choices.empty()) action = fmt::format("values=({})", fmt::join(option.choices, " "));
  if (option.TakesFile()) action = "files=yes";
  return fmt::format("    {}) {} ;;\n", fmt::join(patterns, " | "), action);
}

// One branch of the case over the command: its options, and what else may stand there.
std::string CommandBranch(const std::string& words, const CommandDescription& command) {
  std::vector<std::string> options, others;
  bool files = false;
  for (const CommandOption& option : command.options) {
    options.insert(options.end(), option.names.begin(), option.names.end());
    if (option.positional.empty()) continue;
    others.insert(others.end(), option.choices.begin(), option.choices.end());
    files = files || option.TakesFile();
  }
  for (const CommandDescription& child : command.subcommands) others.push_back(child.name);
  return fmt::format("    {})\n      options=({})\n      others=({})\n      {} ;;\n",
                     ShellQuoted(words), fmt::join(options, " "), fmt::join(others, " "),
                     files ? "files=yes" : "");
}

constexpr std::string_view kScript =
    R"(# bash completion for {name}, made by `{name} completions bash`.

# Sets `command` to the words that name the command on the line.
_{name}_command() {{
  local i
  command={name}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command ${{COMP_WORDS[i]}}" in
{commands}
    esac
  done
}}

_{name}() {{
  local command cur prev files=
  local -a options=() others=() values=()
  COMPREPLY=()
  _{name}_command
  cur=${{COMP_WORDS[COMP_CWORD]}}
  prev=${{COMP_WORDS[COMP_CWORD - 1]}}
  # bash splits --option=value at the sign.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  case "$command $prev" in
{values}
    *) prev= ;;
  esac
  if [[ -z $prev ]]; then
    case $command in
{branches}
    esac
    [[ $cur == -* ]] && values=("${{options[@]}}") files= || values=("${{others[@]}}")
  fi
  mapfile -t COMPREPLY < <(compgen -W "${{values[*]}}" -- "$cur")
  if [[ -n $files && ${{#COMPREPLY[@]}} -eq 0 ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}}
complete -F _{name} {name}
)";

}  // namespace

std::string BashCompletions(const CommandDescription& program) {
  std::vector<std::string> commands;
  std::string values, branches;
  ForEachCommand(program, [&](const std::string& words, const CommandDescription& command) {
    if (words != program.name) commands.push_back(ShellQuoted(words));
    branches += CommandBranch(words, command);
    for (const CommandOption& option : command.options) values += ValueBranch(words, option);
  });
  const std::string known = commands.empty()
                                ? "      *) ;;"
                                : fmt::format("      {}) command+=\" ${{COMP_WORDS[i]}}\" ;;",
                                              fmt::join(commands, " | "));
  return fmt::format(kScript, fmt::arg("name", program.name), fmt::arg("commands", known),
                     fmt::arg("values", values), fmt::arg("branches", branches));
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace aio
