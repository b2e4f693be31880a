#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "app/command_tree.h"
#include "app/commands.h"
#include "app/completions.h"
#include "app/man_page.h"

namespace aio {

void RegisterManual(CLI::App& program, const std::string& version, int& exit_status) {
  CLI::App* completions =
      program.add_subcommand("completions", "Print a script that completes commands in a shell");
  auto shell = std::make_shared<std::string>();
  completions->add_option("shell", *shell, "the shell that it is for")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completions->footer(
      "Example:\n  source <(aio completions bash)\n"
      "  aio completions fish > ~/.config/fish/completions/aio.fish");
  completions->callback([shell, &program, &exit_status] {
    const CommandDescription commands = DescribeCommand(program);
    if (*shell == "bash") fmt::print("{}", BashCompletions(commands));
    if (*shell == "zsh") fmt::print("{}", ZshCompletions(commands));
    if (*shell == "fish") fmt::print("{}", FishCompletions(commands));
    exit_status = kExitOk;
  });

  CLI::App* man = program.add_subcommand("man", "Print the manual page, as roff");
  man->footer("Example:\n  aio man | man -l -");
  man->callback([version, &program, &exit_status] {
    fmt::print("{}", ManPage(DescribeCommand(program), version));
    exit_status = kExitOk;
  });
}

}  // namespace aio
