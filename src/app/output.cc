#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "app/commands.h"

namespace aio {

void PrintNow(std::string_view text) {
  fmt::print("{}", text);
  if (std::fflush(stdout) != 0) {
    throw std::system_error(errno, std::generic_category(), "standard output");
  }
}

void PrintNote(std::string_view line) { std::fputs(fmt::format("{}\n", line).c_str(), stderr); }

int Fail(const Status& status) {
  PrintNote(fmt::format("aio: {}", status.message()));
  return kExitFailed;
}

int FinishOutput(int exit_status) {
  if (exit_status != kExitOk) return exit_status;  // it has said why
  const bool failed_before = std::ferror(stdout) != 0;
  if (std::fflush(stdout) == 0 && !failed_before) return exit_status;
  return Fail(Internal("standard output could not be written whole; is its disk full?"));
}

}  // namespace aio
