// The command line as plain data, read off the commands themselves: what shell completions and the
// manual page are made of, so that neither can fall behind.
#ifndef AIO_APP_COMMAND_TREE_H_
#define AIO_APP_COMMAND_TREE_H_

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace aio {

// An option, a flag or a positional argument.
struct CommandOption {
  std::vector<std::string> names = {};  // "-c", "--config"; empty: only a positional
  std::string positional = {};          // its name; empty: none
  std::string description = {};
  std::string value = {};                 // what kind it takes: "TEXT", "INT"; empty: a flag
  std::vector<std::string> choices = {};  // all that the value may be; empty: see `bounds`
  std::string bounds = {};                // "INT in [0 - 65535]"; empty: anything of its kind
  std::string default_value = {};         // empty: none, or the description says
  std::string environment = {};           // the variable that stands in for it; empty: none
  bool repeats = false;                   // takes any number of values
  bool required = false;

  bool TakesFile() const { return choices.empty() && (value == "TEXT" || value == "FILE"); }
};

struct CommandDescription {
  std::string name = {};         // "serve"
  std::string description = {};  // one or more lines
  std::string footer = {};       // examples and notes
  std::vector<CommandOption> options = {};
  std::vector<CommandDescription> subcommands = {};
};

// In the order of their registration; what is hidden from the help is left out.
CommandDescription DescribeCommand(const CLI::App& command);

// `visit` sees the command and all below it, parents first, with the words that call it: "aio",
// "aio bench mixed".
using CommandVisitor = std::function<void(const std::string& words, const CommandDescription&)>;
void ForEachCommand(const CommandDescription& command, const CommandVisitor& visit);

}  // namespace aio

#endif  // AIO_APP_COMMAND_TREE_H_
