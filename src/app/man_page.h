// The program's manual page.
#ifndef AIO_APP_MAN_PAGE_H_
#define AIO_APP_MAN_PAGE_H_

#include <string>
#include <string_view>

#include "app/command_tree.h"

namespace aio {

// aio(1) in roff's man macros: every command with its options and examples as the help texts have
// them, and what these do not say: signals, files, the environment.
std::string ManPage(const CommandDescription& program, std::string_view version);

}  // namespace aio

#endif  // AIO_APP_MAN_PAGE_H_
