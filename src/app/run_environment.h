// What a measurement was made on, for those who read it later.
#ifndef AIO_APP_RUN_ENVIRONMENT_H_
#define AIO_APP_RUN_ENVIRONMENT_H_

#include <string>
#include <utility>
#include <vector>

namespace aio {

// Name and value: cpu, threads, memory, system. What the machine does not tell is left out.
std::vector<std::pair<std::string, std::string>> DescribeMachine();

// "2026-11-29", UTC.
std::string Today();

// The command line of this process, as a shell takes it; empty if the system does not tell.
std::string CommandLine();

// `argument` as a shell takes it.
std::string ShellQuoted(const std::string& argument);

}  // namespace aio

#endif  // AIO_APP_RUN_ENVIRONMENT_H_
