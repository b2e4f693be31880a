#include "sandbox/private_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/file_descriptor.h"
#include "sandbox/init/plan.h"

namespace aio {

namespace fs = std::filesystem;

PrivateFolder::~PrivateFolder() {
  if (path_.empty()) return;
  std::error_code error;
  // The program may have taken away its own right to look into its folders.
  fs::permissions(path_, fs::perms::owner_all, error);
  for (fs::recursive_directory_iterator it(path_, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_directory(error) && !it->is_symlink(error)) {
      fs::permissions(it->path(), fs::perms::owner_all, error);
    }
  }
  fs::remove_all(path_, error);  // does not follow links
}

Result<PrivateFolder> PrivateFolder::Create(std::string_view program) {
  std::error_code error;
  std::string name = (fs::temp_directory_path(error) / "aio-sandbox-XXXXXX").string();
  if (error || mkdtemp(name.data()) == nullptr)
    return SystemError("make a folder in TMPDIR", errno);
  PrivateFolder folder(std::move(name));
  const std::string path = folder.path() + kProgramPath;
  std::ofstream file(path, std::ios::binary);
  file << program;
  file.close();
  if (!file) return ResourceExhausted("cannot write " + path);
  chmod(path.c_str(), 0644);  // another user reads it, if this one is root
  return folder;
}

}  // namespace aio
