#ifndef AIO_APP_BESIDE_PROGRAM_H_
#define AIO_APP_BESIDE_PROGRAM_H_

#include <optional>
#include <string>
#include <string_view>

namespace aio {

// The path of "models/suites" or "policy/oracle.toml" in the folder of the program or the nearest
// one above it that has it.
std::optional<std::string> FindBesideProgram(std::string_view relative_path);

}  // namespace aio

#endif  // AIO_APP_BESIDE_PROGRAM_H_
