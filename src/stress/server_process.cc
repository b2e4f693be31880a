#include "stress/server_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <thread>
#include <utility>

namespace aio {
namespace {

[[noreturn]] void Execute(const std::vector<std::string>& command, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(output, STDOUT_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

// Of the address in `text`; 0 if there is none yet.
int PortIn(const std::string& text) {
  constexpr std::string_view kHost = "http://127.0.0.1:";
  const size_t at = text.find(kHost);
  if (at == text.npos || text.find('\n', at) == text.npos) return 0;
  int port = 0;
  std::from_chars(text.data() + at + kHost.size(), text.data() + text.size(), port);
  return port;
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::Start(
    const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError("cannot open a pipe", errno);
  std::unique_ptr<ServerProcess> process;
  {
    FileDescriptor reading(ends[0]);
    const FileDescriptor writing(ends[1]);  // its last copy is the server's: see WaitForAddress()
    const pid_t pid = ::fork();
    if (pid < 0) return SystemError("cannot start a process", errno);
    if (pid == 0) Execute(command, writing.get());
    process.reset(new ServerProcess(pid, std::move(reading)));
  }
  AIO_RETURN_IF_ERROR(process->WaitForAddress());
  return process;
}

ServerProcess::~ServerProcess() {
  if (TryWait()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &end_status_, 0);
}

Status ServerProcess::WaitForAddress() {
  std::string text;
  std::array<char, 4096> bytes{};
  while ((port_ = PortIn(text)) == 0) {
    const ssize_t got = ::read(output_.get(), bytes.data(), bytes.size());
    if (got <= 0) return Unavailable("the server ended before it named its address");
    text.append(bytes.data(), static_cast<size_t>(got));
  }
  return Status::Ok();
}

bool ServerProcess::TryWait() {
  if (!ended_) ended_ = ::waitpid(pid_, &end_status_, WNOHANG) == pid_;
  return ended_;
}

bool ServerProcess::IsRunning() { return !TryWait(); }

int64_t ServerProcess::ResidentBytes() const {
  std::ifstream file(fmt::format("/proc/{}/statm", pid_));
  int64_t total = 0;
  int64_t resident = 0;
  file >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

Duration ServerProcess::CpuTime() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec);
}

Status ServerProcess::Stop(Duration patience) {
  const SystemClock clock;
  const TimePoint end = clock.Now() + patience;
  if (!TryWait()) ::kill(pid_, SIGTERM);
  while (!TryWait()) {
    if (clock.Now() > end) return Internal("the server did not end when it was asked to");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (WIFEXITED(end_status_) && WEXITSTATUS(end_status_) == 0) return Status::Ok();
  if (WIFEXITED(end_status_)) {
    return Internal(fmt::format("the server ended with status {}", WEXITSTATUS(end_status_)));
  }
  return Internal(fmt::format("the server was ended by signal {}", WTERMSIG(end_status_)));
}

}  // namespace aio
