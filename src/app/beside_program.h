#ifndef AIO_APP_BESIDE_PROGRAM_H_
#define AIO_APP_BESIDE_PROGRAM_H_

#include <optional>
#include <string>
#include <string_view>

namespace aio {

// The path of "models/suites" or "policy/oracle.toml" in the folder of the program or the nearest
// one above it that has it; if none has, likewise in share/aio, where an installed program has it.
std::optional<std::string> FindBesideProgram(std::string_view relative_path);

// The same from `folder`, and nowhere but under `relative_path`.
std::optional<std::string> FindInOrAbove(const std::string& folder, std::string_view relative_path);

// Of the program; empty if the system does not say.
std::string ProgramFolder();

}  // namespace aio

#endif  // AIO_APP_BESIDE_PROGRAM_H_
