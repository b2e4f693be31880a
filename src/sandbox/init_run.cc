#include "sandbox/init_run.h"

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

namespace aio {
namespace {

using std::chrono::steady_clock;

// How long the kernel may take to end what was killed before its keeper is killed too.
constexpr std::chrono::seconds kGrace(10);

// Runs the file as a script, but with exit() and quit(), which python's site module defines:
// without that module, python starts in less than half the time.
constexpr char kStart[] =
    "import builtins, sys; builtins.exit = builtins.quit = sys.exit; __file__ = sys.argv[1]; "
    "del sys.argv[0], builtins, sys; "
    "exec(compile(open(__file__, 'rb').read(), __file__, 'exec'))";

// A fixed seed, so that sets of strings print alike in every run.
constexpr std::array kVariables = {
    "PATH=/usr/bin:/bin", "HOME=",           "TMPDIR=", "LANG=C.UTF-8",
    "PYTHONHASHSEED=0",   "PYTHONSAFEPATH=1"};

void AppendString(std::string_view text, std::string& out) {
  out += text;
  out += '\0';
}

struct Descriptors {
  FileDescriptor null;
  FileDescriptor plan;
  Pipe output;
  Pipe errors;
  Pipe report;
  Pipe control;
};

Result<Descriptors> OpenAll(const RunPlan& plan) {
  Descriptors all;
  AIO_ASSIGN_OR_RETURN(all.null, OpenNull());
  AIO_ASSIGN_OR_RETURN(all.plan, FileInMemory("aio-plan", EncodePlan(plan)));
  AIO_ASSIGN_OR_RETURN(all.output, MakePipe());
  AIO_ASSIGN_OR_RETURN(all.errors, MakePipe());
  AIO_ASSIGN_OR_RETURN(all.report, MakePipe());
  AIO_ASSIGN_OR_RETURN(all.control, MakePipe());
  return all;
}

Result<pid_t> Start(const FileDescriptor& init, const Descriptors& all) {
  static_assert(kPlanFd == 3 && kReportFd == 4 && kControlFd == 5);
  return StartChild(
      {.path = "/proc/self/fd/" + std::to_string(init.get()),
       .arguments = {"aio-sandbox"},
       .inherit_environment = false,
       .descriptors = {all.null.get(), all.output.write.get(), all.errors.write.get(),
                       all.plan.get(), all.report.write.get(), all.control.read.get()}});
}

// After a limit or in an emergency: tells the keeper to kill all, and reads until all are gone.
Status Stop(pid_t keeper, FileDescriptor& control, std::span<Captured> streams) {
  control.Close();
  const auto drain = [streams] {
    const TimePoint deadline = steady_clock::now() + kGrace;
    CaptureEnd end = CaptureEnd::kOver;
    while (end == CaptureEnd::kOver) end = Capture(streams, deadline);
    return end == CaptureEnd::kClosed;
  };
  if (drain()) return Status::Ok();
  kill(keeper, SIGKILL);  // at which the kernel kills init, and with it the rest
  if (drain()) return Status::Ok();
  return Internal("a program in the sandbox does not end when killed; is its disk hanging?");
}

std::vector<SandboxReport> DecodeReports(std::string_view bytes) {
  std::vector<SandboxReport> reports(bytes.size() / sizeof(SandboxReport));
  if (!reports.empty()) memcpy(reports.data(), bytes.data(), reports.size() * sizeof(reports[0]));
  for (SandboxReport& report : reports) report.step[sizeof(report.step) - 1] = 0;
  return reports;
}

}  // namespace

std::string EncodePlan(const RunPlan& plan) {
  const std::string folder = plan.private_folder.empty() ? kPrivateFolder : plan.private_folder;
  const std::string program =
      plan.private_folder.empty() ? kProgramPath : plan.private_folder + kProgramPath;
  const std::array<std::string_view, 9> arguments = {
      plan.home->executable, "-s", "-S", "-B", "-X", "utf8", "-c", kStart, program};
  SandboxPlan head = {};
  head.wanted = plan.wanted;
  head.tolerate = plan.tolerate ? 1 : 0;
  head.cpu_seconds = static_cast<uint64_t>(std::ceil(plan.limits.cpu_seconds));
  head.memory_bytes = static_cast<uint64_t>(plan.limits.memory_bytes);
  head.processes = static_cast<uint64_t>(plan.limits.processes);
  head.file_bytes = static_cast<uint64_t>(plan.limits.file_bytes);
  head.filter_count = static_cast<uint32_t>(plan.filter.size() / 8);  // sizeof(sock_filter)
  head.read_only_count = static_cast<uint32_t>(plan.home->read_only.size());
  head.link_count = static_cast<uint32_t>(plan.home->links.size());
  head.argument_count = arguments.size();
  head.variable_count = kVariables.size();
  head.program_bytes = plan.program.size();

  std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
  bytes += plan.filter;
  AppendString(plan.private_folder, bytes);
  for (const std::string& path : plan.home->read_only) AppendString(path, bytes);
  for (const auto& [path, target] : plan.home->links) {
    AppendString(path, bytes);
    AppendString(target, bytes);
  }
  for (const std::string_view argument : arguments) AppendString(argument, bytes);
  for (const std::string_view variable : kVariables) {
    AppendString(std::string(variable) + (variable.ends_with('=') ? folder : ""), bytes);
  }
  bytes += plan.program;
  return bytes;
}

Result<InitRun> RunInit(const FileDescriptor& init, const RunPlan& plan) {
  constexpr int64_t kReportBytes = 64 * sizeof(SandboxReport);
  const TimePoint begin = steady_clock::now();
  AIO_ASSIGN_OR_RETURN(Descriptors all, OpenAll(plan));
  AIO_ASSIGN_OR_RETURN(const pid_t keeper, Start(init, all));
  all.output.write.Close();
  all.errors.write.Close();
  all.report.write.Close();
  all.control.read.Close();

  std::array streams = {
      Captured{.fd = std::move(all.output.read), .limit = plan.limits.output_bytes},
      Captured{.fd = std::move(all.errors.read), .limit = plan.limits.output_bytes},
      Captured{.fd = std::move(all.report.read), .limit = kReportBytes}};
  InitRun run;
  const auto wall = std::chrono::duration<double>(std::min(plan.limits.wall_seconds, 1e9));
  run.end = Capture(streams, begin + std::chrono::duration_cast<Duration>(wall));
  Status stopped;
  if (run.end != CaptureEnd::kClosed) stopped = Stop(keeper, all.control.write, streams);
  while (stopped.ok() && waitpid(keeper, nullptr, 0) < 0 && errno == EINTR) {
  }
  AIO_RETURN_IF_ERROR(stopped);
  run.wall = steady_clock::now() - begin;
  run.output = std::move(streams[0].text);
  run.errors = std::move(streams[1].text);
  run.reports = DecodeReports(streams[2].text);
  return run;
}

}  // namespace aio
