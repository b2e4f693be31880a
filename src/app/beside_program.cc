#include "app/beside_program.h"

#include <filesystem>
#include <system_error>

namespace aio {

namespace fs = std::filesystem;

std::optional<std::string> FindInOrAbove(const std::string& folder,
                                         std::string_view relative_path) {
  std::error_code error;
  for (fs::path at = folder; !at.empty(); at = at.parent_path()) {
    const fs::path candidate = at / relative_path;
    if (fs::exists(candidate, error)) return candidate.string();
    if (at == at.root_path()) break;
  }
  return std::nullopt;
}

std::string ProgramFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().string();
}

std::optional<std::string> FindBesideProgram(std::string_view relative_path) {
  const std::string folder = ProgramFolder();
  if (auto found = FindInOrAbove(folder, relative_path)) return found;
  return FindInOrAbove(folder, (fs::path("share/aio") / relative_path).string());
}

}  // namespace aio
