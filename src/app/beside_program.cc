#include "app/beside_program.h"

#include <filesystem>
#include <system_error>

namespace aio {

std::optional<std::string> FindBesideProgram(std::string_view relative_path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = program.parent_path(); !error && !folder.empty();
       folder = folder.parent_path()) {
    const fs::path candidate = folder / relative_path;
    if (fs::exists(candidate, error)) return candidate.string();
    if (folder == folder.root_path()) break;
  }
  return std::nullopt;
}

}  // namespace aio
