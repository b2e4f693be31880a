#include "sandbox/init/lock_down.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sandbox/init/report.h"

namespace aio {
namespace {

constexpr uid_t kInnerId = 1000;            // the program's user and group, as it sees them
constexpr uid_t kFirstUid = 1'000'000'000;  // above what systems give to people and services
constexpr uid_t kNobody = 65534;
constexpr rlim_t kOpenFiles = 128;

struct Capabilities {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
};

bool WriteProcFile(int proc, const char* path, const char* text) {
  const int file = openat(proc, path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const auto length = static_cast<ssize_t>(strlen(text));
  const bool done = write(file, text, static_cast<size_t>(length)) == length;
  const int error = errno;
  close(file);
  errno = error;
  return done;
}

void Limit(__rlimit_resource resource, rlim_t soft, rlim_t hard) {
  rlimit now = {};
  getrlimit(resource, &now);
  // Only root may raise the hard one; where it is lower already, lower it stays.
  if (now.rlim_max < hard) hard = now.rlim_max;
  const rlimit limit = {soft < hard ? soft : hard, hard};
  if (setrlimit(resource, &limit) != 0) Fail("limit a resource");
}

}  // namespace

bool MayAdministrate() {
  Capabilities capabilities;
  if (syscall(SYS_capget, &capabilities.header, capabilities.data) != 0) return false;
  return (capabilities.data[0].effective & (1U << CAP_SYS_ADMIN)) != 0;
}

void SwitchUser(const PlanView& view, pid_t keeper) {
  uid_t id = kFirstUid + static_cast<uid_t>(keeper);
  // In a container that has fewer users than that, nobody; runs at once then share it.
  if (setresuid(id, static_cast<uid_t>(-1), static_cast<uid_t>(-1)) != 0) id = kNobody;
  if (*view.private_folder != 0 && chown(view.private_folder, id, id) != 0) {
    Fail("give away", view.private_folder);
  }
  if (setgroups(0, nullptr) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0) {
    Fail("become another user than root");
  }
}

bool EnterUserNamespace(const PlanView& view, int proc) {
  char users[64];
  char groups[64];
  snprintf(users, sizeof(users), "%u %u 1", kInnerId, geteuid());
  snprintf(groups, sizeof(groups), "%u %u 1", kInnerId, getegid());
  if (unshare(CLONE_NEWUSER) != 0) {
    Refuse(*view.plan, Protection::kUserNamespace, "unshare");
    return false;
  }
  prctl(PR_SET_DUMPABLE, 1);  // or /proc/self is root's
  // A kernel before 3.19 has no setgroups file; what must be, the next line says.
  WriteProcFile(proc, "self/setgroups", "deny");
  if (!WriteProcFile(proc, "self/uid_map", users) || !WriteProcFile(proc, "self/gid_map", groups)) {
    Refuse(*view.plan, Protection::kUserNamespace, "map users");
    return false;
  }
  return true;
}

void LimitResources(const SandboxPlan& plan, uint64_t needed) {
  // The first limit is a signal that says why, the second one cannot be caught.
  Limit(RLIMIT_CPU, plan.cpu_seconds, plan.cpu_seconds + 1);
  Limit(RLIMIT_AS, plan.memory_bytes, plan.memory_bytes);
  Limit(RLIMIT_FSIZE, plan.file_bytes, plan.file_bytes);
  Limit(RLIMIT_NPROC, plan.processes + needed, plan.processes + needed);
  Limit(RLIMIT_NOFILE, kOpenFiles, kOpenFiles);
  Limit(RLIMIT_CORE, 0, 0);
  Limit(RLIMIT_MEMLOCK, 0, 0);
  Limit(RLIMIT_MSGQUEUE, 0, 0);
  Limit(RLIMIT_SIGPENDING, kOpenFiles, kOpenFiles);
}

void DropCapabilities() {
  for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability) {
    // Needs CAP_SETPCAP, without which there is nothing to gain from the bounding set either.
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  Capabilities none;
  if (syscall(SYS_capset, &none.header, none.data) != 0) Fail("drop capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail("give up new privileges");
}

void FilterSystemCalls(const PlanView& view) {
  sock_fprog program = {};
  program.len = static_cast<uint16_t>(view.plan->filter_count);
  program.filter = const_cast<sock_filter*>(view.filter);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    Refuse(*view.plan, Protection::kSeccomp, "filter system calls");
  }
}

}  // namespace aio
