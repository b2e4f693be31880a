#include "app/run_environment.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "app/system_cpu.h"
#include "base/clock.h"
#include "kernels/target.h"

namespace aio {

namespace {

// The value of the first line of `path` that begins with `key`.
std::string ProcValue(const std::string& path, const std::string& key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(':');
    if (line.rfind(key, 0) != 0 || colon == std::string::npos) continue;
    const size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

}  // namespace

std::string Today() {
  return fmt::format("{:%Y-%m-%d}",
                     fmt::gmtime(static_cast<std::time_t>(SystemClock().UnixSeconds())));
}

std::string ShellQuoted(const std::string& argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string quoted = "'";
  for (const char c : argument) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::vector<std::pair<std::string, std::string>> DescribeMachine() {
  std::vector<std::pair<std::string, std::string>> machine;
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty()) machine.emplace_back(name, std::move(value));
  };
  add("cpu", ProcValue("/proc/cpuinfo", "model name"));
  add("threads", fmt::format("{}", UsableCores()));
  add("instructions", std::string(ActiveTarget()));
  add("memory", ProcValue("/proc/meminfo", "MemTotal"));
  utsname system{};
  if (uname(&system) == 0) {
    add("system", fmt::format("{} {} {}", system.sysname, system.release, system.machine));
  }
  return machine;
}

std::string CommandLine() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string command;
  for (std::string argument; std::getline(in, argument, '\0');) {
    if (command.empty()) argument = std::filesystem::path(argument).filename().string();
    command += (command.empty() ? "" : " ") + ShellQuoted(argument);
  }
  return command;
}

}  // namespace aio
