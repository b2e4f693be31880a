#include "sandbox/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

extern "C" char** environ;

namespace aio {
namespace {

constexpr int kFirstOwnFd = 16;  // above what children get as their first descriptors

// Moved up, so that making one of a child's descriptors never overwrites another's source.
Result<FileDescriptor> MovedUp(int fd, std::string_view what) {
  const FileDescriptor low(fd);
  if (!low.valid()) return SystemError(what, errno);
  FileDescriptor high(fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstOwnFd));
  if (!high.valid()) return SystemError(what, errno);
  return high;
}

constexpr char kMemoryFile[] = "make a file in memory";

int NewMemoryFile(const char* name) {
#ifdef MFD_EXEC
  constexpr unsigned kExecutable = MFD_EXEC;
#else
  constexpr unsigned kExecutable = 0x10;  // Linux 6.3; needed where the default is otherwise
#endif
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = memfd_create(name, kFlags | kExecutable);
  return fd >= 0 || errno != EINVAL ? fd : memfd_create(name, kFlags);
}

// Frees what posix_spawn() was told.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  int Prepare(const std::vector<int>& descriptors) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    int error =
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    for (size_t i = 0; i < descriptors.size() && error == 0; ++i) {
      error = posix_spawn_file_actions_adddup2(&actions_, descriptors[i], static_cast<int>(i));
    }
    return error;
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_ = {};
  posix_spawnattr_t attributes_ = {};
};

// Milliseconds for poll(), rounded up so that it does not wake just before.
int PollTimeout(TimePoint deadline) {
  if (deadline == kNoDeadline) return -1;
  const auto left = deadline - std::chrono::steady_clock::now();
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(ms, 0, 1'000'000'000));
}

// Reads once. True if that brought it over its limit.
bool ReadSome(Captured& stream) {
  std::array<char, 65536> buffer;
  const ssize_t n = read(stream.fd.get(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (n <= 0) {
    stream.fd.Close();
    return false;
  }
  const int64_t room = stream.limit - static_cast<int64_t>(stream.text.size());
  stream.text.append(buffer.data(), static_cast<size_t>(std::min<int64_t>(n, room)));
  const bool was_over = std::exchange(stream.over, stream.over || n > room);
  return stream.over && !was_over;
}

}  // namespace

Result<pid_t> StartChild(const ChildCommand& command) {
  SpawnSettings settings;
  int error = settings.Prepare(command.descriptors);
  if (error != 0) return SystemError("prepare a process", error);
  std::vector<char*> arguments;
  arguments.reserve(command.arguments.size() + 1);
  for (const std::string& argument : command.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  char* nothing[] = {nullptr};
  pid_t pid = 0;
  error = posix_spawn(&pid, command.path.c_str(), settings.actions(), settings.attributes(),
                      arguments.data(), command.inherit_environment ? environ : nothing);
  if (error != 0) return SystemError("start " + command.path, error);
  return pid;
}

Result<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("make a pipe", errno);
  auto read = MovedUp(ends[0], "make a pipe");
  auto write = MovedUp(ends[1], "make a pipe");
  if (!read.ok()) return read.status();
  if (!write.ok()) return write.status();
  return Pipe{std::move(*read), std::move(*write)};
}

Result<FileDescriptor> FileInMemory(const char* name, std::string_view bytes) {
  AIO_ASSIGN_OR_RETURN(const FileDescriptor file, MovedUp(NewMemoryFile(name), kMemoryFile));
  while (!bytes.empty()) {
    const ssize_t n = write(file.get(), bytes.data(), bytes.size());
    if (n <= 0) return SystemError(kMemoryFile, errno);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  if (fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) return SystemError(kMemoryFile, errno);
  // Opened again to read: what somebody could write cannot be executed.
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  return MovedUp(open(path.c_str(), O_RDONLY | O_CLOEXEC), kMemoryFile);
}

Result<FileDescriptor> OpenNull() {
  return MovedUp(open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null");
}

CaptureEnd Capture(std::span<Captured> streams, TimePoint deadline) {
  std::vector<pollfd> events(streams.size());
  for (;;) {
    bool open = false;
    for (size_t i = 0; i < streams.size(); ++i) {
      events[i] = {streams[i].fd.get(), POLLIN, 0};  // poll() leaves out those below 0
      open = open || streams[i].fd.valid();
    }
    if (!open) return CaptureEnd::kClosed;
    if (std::chrono::steady_clock::now() >= deadline) return CaptureEnd::kDeadline;
    if (poll(events.data(), events.size(), PollTimeout(deadline)) <= 0) continue;
    bool over = false;
    for (size_t i = 0; i < streams.size(); ++i) {
      if (events[i].revents != 0 && ReadSome(streams[i])) over = true;
    }
    if (over) return CaptureEnd::kOver;
  }
}

}  // namespace aio
