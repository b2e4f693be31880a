// Scripts that make shells complete the program's command line.
#ifndef AIO_APP_COMPLETIONS_H_
#define AIO_APP_COMPLETIONS_H_

#include <string>

#include "app/command_tree.h"

namespace aio {

// To be sourced, or put where the shell looks for completions by the program's name. They complete
// subcommands, options, values of which there are only some, and files where a value is text.
std::string BashCompletions(const CommandDescription& program);
std::string ZshCompletions(const CommandDescription& program);
std::string FishCompletions(const CommandDescription& program);

// The first line of a description; all that there is room for.
std::string FirstLine(const std::string& text);

}  // namespace aio

#endif  // AIO_APP_COMPLETIONS_H_
