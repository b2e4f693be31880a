#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "app/completions.h"

namespace aio {
namespace {

// As one word of fish, in which only \ and ' are special between single quotes.
std::string FishQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string Condition(const std::string& program, const std::string& words) {
  return FishQuoted(fmt::format("test (__{}_command) = \"{}\"", program, words));
}

std::string OptionLine(const std::string& start, const CommandOption& option) {
  std::string line = start;
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.value.empty()) {
    line += option.TakesFile() ? " -r -F" : " -x";
    if (!option.choices.empty()) {
      line += " -a " + FishQuoted(fmt::format("{}", fmt::join(option.choices, " ")));
    }
  }
  return line + " -d " + FishQuoted(FirstLine(option.description)) + "\n";
}

std::string PositionalLine(const std::string& start, const CommandOption& option) {
  if (option.TakesFile()) return start + " -F\n";
  if (option.choices.empty()) return "";
  return fmt::format("{} -a {}\n", start,
                     FishQuoted(fmt::format("{}", fmt::join(option.choices, " "))));
}

std::string CommandLines(const std::string& program, const std::string& words,
                         const CommandDescription& command) {
  const std::string start = fmt::format("complete -c {} -n {}", program, Condition(program, words));
  std::string lines;
  for (const CommandDescription& child : command.subcommands) {
    lines += fmt::format("{} -a {} -d {}\n", start, FishQuoted(child.name),
                         FishQuoted(FirstLine(child.description)));
  }
  for (const CommandOption& option : command.options) {
    if (!option.names.empty()) lines += OptionLine(start, option);
    if (!option.positional.empty()) lines += PositionalLine(start, option);
  }
  return lines;
}

constexpr std::string_view kHead =
    R"(# fish completion for {name}, made by `{name} completions fish`.

# The words that name the command on the line.
function __{name}_command
    set -l command {name}
    for word in (commandline -opc)[2..]
        switch "$command $word"
            case {commands}
                set command "$command $word"
        end
    end
    echo $command
end

complete -c {name} -f
)";

}  // namespace

std::string FishCompletions(const CommandDescription& program) {
  std::vector<std::string> commands;
  std::string lines;
  ForEachCommand(program, [&](const std::string& words, const CommandDescription& command) {
    if (words != program.name) commands.push_back(FishQuoted(words));
    lines += CommandLines(program.name, words, command);
  });
  if (commands.empty()) commands.emplace_back("''");
  return fmt::format(kHead, fmt::arg("name", program.name),
                     fmt::arg("commands", fmt::join(commands, " "))) +
         lines;
}

}  // namespace aio
