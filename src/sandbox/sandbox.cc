#include "sandbox/sandbox.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <system_error>
#include <utility>

#include "sandbox/embedded_init.h"
#include "sandbox/init_run.h"
#include "sandbox/private_folder.h"
#include "sandbox/seccomp_filter.h"

namespace aio {

struct Sandbox::State {
  PythonHome home;
  FileDescriptor init;
  std::string filter;
  uint32_t wanted = 0;
  std::vector<Protection> missing;

  bool has(Protection p) const { return (wanted & ProtectionBit(p)) != 0; }
};

namespace {

std::string Reason(const SandboxReport& report) {
  return std::string(report.step) + ": " + std::generic_category().message(report.error);
}

const SandboxReport* Find(const std::vector<SandboxReport>& reports, SandboxReport::Kind kind) {
  const auto found = std::find_if(reports.begin(), reports.end(),
                                  [kind](const SandboxReport& r) { return r.kind == kind; });
  return found == reports.end() ? nullptr : &*found;
}

// The fault of the sandbox, if it did not get as far as the program.
Status SetUpFault(const InitRun& run) {
  if (const auto* failed = Find(run.reports, SandboxReport::kFailed); failed != nullptr) {
    return Internal("the sandbox cannot " + Reason(*failed) +
                    (failed->error == EACCES ? "; as root, programs run as another user, so python "
                                               "must be where everyone may read it"
                                             : ""));
  }
  if (const auto* refused = Find(run.reports, SandboxReport::kRefused); refused != nullptr) {
    return Unavailable("the kernel no longer permits a " +
                       std::string(ProtectionName(static_cast<Protection>(refused->protection))) +
                       " (" + Reason(*refused) + ")");
  }
  if (Find(run.reports, SandboxReport::kGone) == nullptr && run.end == CaptureEnd::kClosed) {
    return Internal("the sandbox's init was killed");
  }
  return Status::Ok();
}

SandboxedRun Interpret(InitRun run, const SandboxLimits& limits) {
  SandboxedRun result;
  result.wall_seconds = ToMs(run.wall) / 1000;
  result.output = std::move(run.output);
  result.errors = std::move(run.errors);
  if (const auto* gone = Find(run.reports, SandboxReport::kGone); gone != nullptr) {
    result.cpu_seconds = static_cast<double>(gone->cpu_us) / 1e6;
  }
  const SandboxReport* ended = Find(run.reports, SandboxReport::kEnded);
  if (run.end == CaptureEnd::kOver || ended == nullptr) {
    result.status = SIGKILL;
    result.end = run.end == CaptureEnd::kOver       ? SandboxedRun::End::kOutputLimit
                 : run.end == CaptureEnd::kDeadline ? SandboxedRun::End::kWallLimit
                                                    : SandboxedRun::End::kSignalled;
    return result;
  }
  if (WIFEXITED(ended->status)) {
    result.status = WEXITSTATUS(ended->status);
    return result;
  }
  result.status = WTERMSIG(ended->status);
  // The kernel counts by ticks for the limit and exactly for the report, hence not quite all.
  const bool used_up = static_cast<double>(ended->cpu_us) >= limits.cpu_seconds * 0.8e6;
  const bool limit = result.status == SIGXCPU || (result.status == SIGKILL && used_up);
  result.end = limit ? SandboxedRun::End::kCpuLimit : SandboxedRun::End::kSignalled;
  return result;
}

Status CheckLimits(const SandboxLimits& limits) {
  const auto check = [](double value, const char* name) {
    return value > 0 && std::isfinite(value)
               ? Status::Ok()
               : InvalidArgument("must be above 0").WithParam(name).WithContext(name);
  };
  AIO_RETURN_IF_ERROR(check(limits.cpu_seconds, "cpu_seconds"));
  AIO_RETURN_IF_ERROR(check(limits.wall_seconds, "wall_seconds"));
  AIO_RETURN_IF_ERROR(check(static_cast<double>(limits.memory_bytes), "memory_bytes"));
  AIO_RETURN_IF_ERROR(check(limits.processes, "processes"));
  AIO_RETURN_IF_ERROR(check(static_cast<double>(limits.file_bytes), "file_bytes"));
  return check(static_cast<double>(limits.output_bytes), "output_bytes");
}

// What is refused, and by what reason.
struct Refused {
  Protection protection;
  std::string reason;
};

// All at once: whoever must choose wants to know all that is missing.
Status MissingProtections(const std::vector<Refused>& refused,
                          const std::vector<Protection>& may_lack) {
  std::string what;
  std::string flags;
  for (const Refused& one : refused) {
    if (std::find(may_lack.begin(), may_lack.end(), one.protection) != may_lack.end()) continue;
    what += (what.empty() ? "" : ", ") + std::string(ProtectionName(one.protection)) + " (" +
            one.reason + ")";
    flags += " " + std::string(kMayLackFlag) + " " + ProtectionFlagValue(one.protection);
  }
  if (what.empty()) return Status::Ok();
  return Unavailable("the kernel refuses what would hold programs in: " + what +
                     ". To run them without, at your own risk:" + flags)
      .WithReason("sandbox_protection_missing");
}

std::vector<Refused> RefusedProtections(const InitRun& run) {
  std::vector<Refused> refused;
  refused.reserve(run.reports.size());
  for (const SandboxReport& report : run.reports) {
    if (report.kind != SandboxReport::kRefused) continue;
    refused.push_back({static_cast<Protection>(report.protection), Reason(report)});
  }
  return refused;
}

}  // namespace

Result<Sandbox> Sandbox::Create(SandboxOptions options) {
  auto state = std::make_shared<State>();
  AIO_ASSIGN_OR_RETURN(state->home, FindPython(options.python));
  AIO_ASSIGN_OR_RETURN(state->init, FileInMemory("aio-sandbox", EmbeddedInit()));
  AIO_ASSIGN_OR_RETURN(state->filter, SystemCallFilter(/*pid_namespace=*/true));
  for (const Protection protection : kProtections) state->wanted |= ProtectionBit(protection);

  RunPlan trial = {.home = &state->home, .filter = state->filter, .wanted = state->wanted};
  trial.tolerate = true;
  AIO_ASSIGN_OR_RETURN(const InitRun tried, RunInit(state->init, trial));
  const std::vector<Refused> refused = RefusedProtections(tried);
  AIO_RETURN_IF_ERROR(MissingProtections(refused, options.may_lack));
  for (const Refused& one : refused) {
    state->wanted &= ~ProtectionBit(one.protection);
    state->missing.push_back(one.protection);
  }
  if (!state->has(Protection::kPidNamespace)) {
    AIO_ASSIGN_OR_RETURN(state->filter, SystemCallFilter(/*pid_namespace=*/false));
  }
  Sandbox sandbox(std::move(state));
  AIO_ASSIGN_OR_RETURN(const SandboxedRun run, sandbox.RunPython("print('ready')", {}));
  if (!run.ok() || run.output != "ready\n") {
    return Internal(sandbox.state_->home.executable +
                    " does not run in the sandbox: " + run.errors.substr(0, 400));
  }
  return sandbox;
}

const std::vector<Protection>& Sandbox::missing() const { return state_->missing; }

Result<SandboxedRun> Sandbox::RunPython(std::string_view program,
                                        const SandboxLimits& limits) const {
  AIO_RETURN_IF_ERROR(CheckLimits(limits));
  RunPlan plan = {.home = &state_->home, .filter = state_->filter, .wanted = state_->wanted};
  plan.program = program;
  plan.limits = limits;
  PrivateFolder folder;
  if (!state_->has(Protection::kMountNamespace)) {
    AIO_ASSIGN_OR_RETURN(folder, PrivateFolder::Create(program));
    plan.private_folder = folder.path();
  }
  AIO_ASSIGN_OR_RETURN(InitRun run, RunInit(state_->init, plan));
  AIO_RETURN_IF_ERROR(SetUpFault(run));
  return Interpret(std::move(run), limits);
}

}  // namespace aio
