#include "sandbox/python_home.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

#include "sandbox/child_process.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience(30);
constexpr int64_t kMaxAnswerBytes = 1 << 20;

// Prints the interpreter, then the folders it needs: of its library, and of the libraries that
// are loaded, which matters where those are in none of the usual places.
constexpr char kQuestion[] = R"py(
import os, sys
if sys.version_info < (3, 8):
    sys.exit("is python %d.%d; 3.8 or later is needed" % sys.version_info[:2])
print(os.path.realpath(sys.executable))
folders = {os.path.join(p, d) for p in (sys.base_prefix, sys.base_exec_prefix)
           for d in ("lib", "lib64")}
folders.add(os.path.dirname(os.__file__))
with open("/proc/self/maps") as maps:
    for line in maps:
        path = line.rstrip("\n").split(None, 5)[5:]
        if path and ".so" in path[0]:
            folders.add(os.path.dirname(path[0]))
for folder in folders:
    if os.path.isdir(folder):
        print(os.path.realpath(folder))
)py";

// Where the loader looks for libraries, and what python and its modules open.
constexpr std::array kSystemFolders = {"/lib",     "/lib32",     "/lib64",
                                       "/usr/lib", "/usr/lib32", "/usr/lib64"};
constexpr std::array kSystemFiles = {"/etc/ld.so.cache", "/dev/null", "/dev/urandom"};

// "" where PATH has none.
std::string LookUp(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing sets it
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string file = (folder.empty() ? "." : folder) + "/" + name;
    struct stat info = {};
    const bool is_file = stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode);
    if (is_file && access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

// What `path` prints when asked.
Result<std::string> Ask(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(FileDescriptor null, OpenNull());
  AIO_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  AIO_ASSIGN_OR_RETURN(Pipe errors, MakePipe());
  AIO_ASSIGN_OR_RETURN(
      const pid_t pid,
      StartChild({.path = path,
                  .arguments = {path, "-I", "-S", "-c", kQuestion},
                  .inherit_environment = true,
                  .descriptors = {null.get(), output.write.get(), errors.write.get()}}));
  output.write.Close();
  errors.write.Close();
  std::array streams = {Captured{.fd = std::move(output.read), .limit = kMaxAnswerBytes},
                        Captured{.fd = std::move(errors.read), .limit = kMaxAnswerBytes}};
  const CaptureEnd end = Capture(streams, std::chrono::steady_clock::now() + kPatience);
  if (end != CaptureEnd::kClosed) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (end != CaptureEnd::kClosed || status != 0) {
    std::string said = streams[1].text.substr(0, 400);
    while (!said.empty() && said.back() == '\n') said.pop_back();
    return InvalidArgument("does not run as python 3" + (said.empty() ? "" : ": " + said));
  }
  return std::move(streams[0].text);
}

bool IsInside(const std::string& path, const std::string& folder) {
  return path == folder ||
         (path.starts_with(folder) && (folder == "/" || path[folder.size()] == '/'));
}

// Without those inside another.
std::vector<std::string> Outermost(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());  // a folder before what is in it
  std::vector<std::string> kept;
  for (std::string& path : paths) {
    const bool inside = std::any_of(kept.begin(), kept.end(), [&path](const std::string& folder) {
      return IsInside(path, folder);
    });
    if (!inside) kept.push_back(std::move(path));
  }
  return kept;
}

void AddSystem(PythonHome& home) {
  std::error_code error;
  for (const char* folder : kSystemFolders) {
    if (fs::is_symlink(folder, error)) {
      home.links.emplace_back(folder, fs::read_symlink(folder, error).string());
    } else if (fs::is_directory(folder, error)) {
      home.read_only.emplace_back(folder);
    }
  }
  for (const char* file : kSystemFiles) {
    if (fs::exists(file, error)) home.read_only.emplace_back(file);
  }
}

}  // namespace

Result<PythonHome> FindPython(const std::string& python) {
  const std::string path = LookUp(python);
  if (path.empty()) {
    return NotFound("no " + python + " in PATH; running programs needs python 3 (Debian: python3)");
  }
  Result<std::string> answer = Ask(path);
  if (!answer.ok()) return answer.status().WithContext(path);
  PythonHome home;
  std::istringstream lines(*answer);
  std::getline(lines, home.executable);
  home.read_only.push_back(home.executable);
  for (std::string folder; std::getline(lines, folder);) {
    if (folder.starts_with('/') && folder != "/") home.read_only.push_back(folder);
  }
  if (!home.executable.starts_with('/')) {
    return InvalidArgument(path + ": does not say where python is, but \"" + home.executable +
                           "\"");
  }
  AddSystem(home);
  home.read_only = Outermost(std::move(home.read_only));
  return home;
}

}  // namespace aio
