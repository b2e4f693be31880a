// The sandbox's init: a small static program that the library carries in itself and starts for
// each run (embedded_init.h).
//
// Why a program of its own: the server has threads and gigabytes of weights and caches, so after
// fork() it could safely do next to nothing, and what it forked would keep its pages, keys and
// requests among them, in reach of the run. A program that is started afresh has no threads, no
// memory but its own, and may use what it likes.
//
//   keeper   outside: makes the namespaces and the root, kills everything when told, waits for
//            the end of all
//     init     process 1 of the PID namespace: when it ends, the kernel kills all others there
//       program  python, locked down
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/init/build_root.h"
#include "sandbox/init/lock_down.h"
#include "sandbox/init/plan_view.h"
#include "sandbox/init/report.h"

namespace aio {
namespace {

// What the keeper found out.
struct Surroundings {
  PlanView view = {};
  pid_t keeper = getpid();
  int proc = -1;            // the host's /proc, also from within the new root
  int life[2] = {-1, -1};   // a pipe whose writing end only init has: closed when it ends
  bool privileged = false;  // can do without a user namespace
  bool root = false;        // runs as root, which the program must not
  bool new_root = false;
  bool new_pids = false;
};

int64_t CpuMicroseconds(const rusage& usage) {
  const auto us = [](const timeval& t) { return int64_t{t.tv_sec} * 1'000'000 + t.tv_usec; };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

[[noreturn]] void RunProgram(const Surroundings& around) {
  const PlanView& view = around.view;
  // Keeper and init count too, as far as they are in the program's user namespace.
  LimitResources(*view.plan, around.privileged ? 1 : 2);
  if (view.wants(Protection::kSeccomp)) FilterSystemCalls(view);
  if (chdir(around.new_root ? kPrivateFolder : view.private_folder) != 0) {
    Fail("enter the private folder");
  }
  umask(077);
  execve(view.arguments[0], view.arguments, view.variables);
  Fail("start", view.arguments[0]);
}

// Waits for the program, and for what it leaves behind while it runs.
[[noreturn]] void WaitForProgram(const Surroundings& around, pid_t program) {
  for (;;) {
    int status = 0;
    rusage usage = {};
    const pid_t pid = wait4(-1, &status, 0, &usage);
    if (pid < 0 && errno != EINTR) Fail("wait for the program");
    if (pid != program) continue;
    SandboxReport report = {};
    report.kind = SandboxReport::kEnded;
    report.status = status;
    report.cpu_us = CpuMicroseconds(usage);
    SendReport(report);
    if (!around.new_pids) kill(0, SIGKILL);  // its process group, this process too
    _exit(0);
  }
}

// Where the machine's memory runs out, the program goes first.
void OfferToOomKiller(int proc) {
  const int file = openat(proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  if (write(file, "1000", 4) < 0) errno = 0;  // an older kernel's business
  close(file);
}

[[noreturn]] void RunInit(const Surroundings& around) {
  setsid();
  OfferToOomKiller(around.proc);
  if (around.root && around.privileged) SwitchUser(around.view, around.keeper);
  if (around.privileged && around.view.wants(Protection::kUserNamespace)) {
    EnterUserNamespace(around.view, around.proc);
  }
  DropCapabilities();
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which would undo it
  const pid_t program = fork();
  if (program < 0) Fail("fork");
  if (program == 0) RunProgram(around);
  close_range(0, 2, 0);
  WaitForProgram(around, program);
}

// Until init is gone, and in a PID namespace all others with it. Kills it when the sandbox closes
// its end of the control pipe, as it also does by ending.
[[noreturn]] void KeepInit(const Surroundings& around, pid_t init) {
  prctl(PR_SET_DUMPABLE, 0);
  close_range(0, 2, 0);  // the sandbox waits until nobody can write there
  close(around.life[1]);
  pollfd events[] = {{around.life[0], POLLIN, 0}, {kControlFd, POLLIN, 0}};
  while (poll(events, 2, -1) < 0 && errno == EINTR) {
  }
  if (events[0].revents == 0) kill(around.new_pids ? init : -init, SIGKILL);
  rusage usage = {};
  while (wait4(init, nullptr, 0, &usage) < 0 && errno == EINTR) {
  }
  SandboxReport report = {};
  report.kind = SandboxReport::kGone;
  report.cpu_us = CpuMicroseconds(usage);
  SendReport(report);
  _exit(0);
}

bool Unshare(const PlanView& view, Protection protection, int flag) {
  if (!view.wants(protection)) return false;
  if (unshare(flag) == 0) return true;
  Refuse(*view.plan, protection, "unshare");
  return false;
}

void MakeNamespaces(Surroundings& around) {
  const PlanView& view = around.view;
  around.privileged = MayAdministrate();
  around.root = geteuid() == 0;
  if (!around.privileged) {
    if (around.root) SwitchUser(view, around.keeper);
    if (view.wants(Protection::kUserNamespace)) EnterUserNamespace(view, around.proc);
  }
  // These come on top, where the kernel has them: the filter keeps from what is in them as well.
  unshare(CLONE_NEWIPC);
  unshare(CLONE_NEWCGROUP);
  constexpr char kHost[] = "sandbox";
  if (unshare(CLONE_NEWUTS) == 0 && sethostname(kHost, sizeof(kHost) - 1) != 0)
    Fail("name the host");
  Unshare(view, Protection::kNetworkNamespace, CLONE_NEWNET);
  around.new_pids = Unshare(view, Protection::kPidNamespace, CLONE_NEWPID);
  around.new_root = Unshare(view, Protection::kMountNamespace, CLONE_NEWNS) && BuildRoot(view);
}

[[noreturn]] void Keep() {
  if (close_range(kControlFd + 1, ~0U, 0) != 0 ||
      close_range(kPlanFd, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    Fail("close what is not the program's");
  }
  setsid();  // an interrupt from the terminal goes to the sandbox, which then ends this
  umask(022);
  Surroundings around;
  around.view = MapPlan();
  around.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (around.proc < 0) Fail("open /proc");
  if (pipe2(around.life, O_CLOEXEC) != 0) Fail("make a pipe");
  MakeNamespaces(around);
  const pid_t init = fork();
  if (init < 0) Fail("fork");
  if (init == 0) RunInit(around);
  KeepInit(around, init);
}

}  // namespace
}  // namespace aio

int main() { aio::Keep(); }
