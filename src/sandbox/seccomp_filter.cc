#include "sandbox/seccomp_filter.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

#include "sandbox/child_process.h"

namespace aio {
namespace {

// A list of what is allowed, not of what is denied: the calls of a program that computes are few
// and known, and the next call that a kernel learns is refused until somebody has thought of it.
// What is in neither list does not exist for the program (ENOSYS), so that a newer C library
// falls back to an older call, as it does on an older kernel. Names that this machine does not
// have are left out.
constexpr const char* kAllowed[] = {
    // Files.
    "access", "chdir", "chmod", "close", "close_range", "copy_file_range", "creat", "dup", "dup2",
    "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat",
    "fchmodat2", "fcntl", "fdatasync", "fgetxattr", "flistxattr", "flock", "fstat", "fstatfs",
    "fsync", "ftruncate", "futimesat", "getcwd", "getdents", "getdents64", "getxattr", "lgetxattr",
    "link", "linkat", "listxattr", "llistxattr", "lseek", "lstat", "mkdir", "mkdirat", "mknod",
    "mknodat", "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2",
    "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv",
    "rename", "renameat", "renameat2", "rmdir", "sendfile", "splice", "stat", "statfs", "statx",
    "symlink", "symlinkat", "tee", "truncate", "umask", "unlink", "unlinkat", "utime", "utimensat",
    "utimes", "write", "writev",
    // Memory.
    "brk", "madvise", "membarrier", "mmap", "mprotect", "mremap", "msync", "munmap",
    // Processes and threads; clone() has a rule of its own.
    "arch_prctl", "execve", "exit", "exit_group", "fork", "futex", "futex_waitv", "get_robust_list",
    "getcpu", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrlimit", "getrusage",
    "getsid", "gettid", "pidfd_open", "restart_syscall", "rseq", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_yield", "set_robust_list", "set_tid_address", "setrlimit", "vfork", "wait4", "waitid",
    // Who and where it is.
    "getegid", "geteuid", "getgid", "getgroups", "getrandom", "getresgid", "getresuid", "getuid",
    "sysinfo", "uname",
    // Signals to itself, and time.
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday",
    "nanosleep", "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "setitimer", "sigaltstack", "signalfd", "signalfd4", "time",
    "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime",
    "timerfd_create", "timerfd_gettime", "timerfd_settime", "times",
    // Waiting, and pipes within the program; socketpair() has a rule of its own.
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
    "eventfd", "eventfd2", "getpeername", "getsockname", "getsockopt", "pipe", "pipe2", "poll",
    "ppoll", "pselect6", "recvfrom", "recvmsg", "select", "sendmsg", "sendto", "shutdown"};

// Allowed where a PID namespace holds them in.
constexpr const char* kAmongItsOwn[] = {"kill",
                                        "pidfd_send_signal",
                                        "rt_sigqueueinfo",
                                        "rt_tgsigqueueinfo",
                                        "sched_setaffinity",
                                        "setpgid",
                                        "setsid",
                                        "tgkill",
                                        "tkill"};

// Refused as what is not permitted (EPERM), so that a program's error names its cause.
constexpr const char* kDenied[] = {
    // Networks and other programs' sockets.
    "accept", "accept4", "bind", "connect", "listen", "recvmmsg", "sendmmsg", "setsockopt",
    "socket",
    // Other processes, and the kernel's ways to look into them.
    "kcmp", "perf_event_open", "pidfd_getfd", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace", "userfaultfd",
    // Namespaces and mounts.
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount",
    "open_tree", "pivot_root", "setns", "umount", "umount2", "unshare",
    // Rights.
    "capset", "chown", "fchown", "fchownat", "lchown", "seccomp", "setfsgid", "setfsuid", "setgid",
    "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid",
    // Memory and messages that no limit here counts, or that outlive their process.
    "add_key", "keyctl", "memfd_create", "memfd_secret", "mlock", "mlock2", "mlockall", "mq_open",
    "msgget", "request_key", "semget", "shmget", "vmsplice",
    // Large or seldom looked-at parts of the kernel.
    "bpf", "fanotify_init", "inotify_init", "inotify_init1", "io_setup", "io_uring_enter",
    "io_uring_register", "io_uring_setup", "landlock_create_ruleset", "lookup_dcookie", "mbind",
    "migrate_pages", "move_pages", "name_to_handle_at", "open_by_handle_at", "personality",
    "set_mempolicy", "syslog",
    // The machine.
    "acct", "adjtimex", "clock_adjtime", "clock_settime", "delete_module", "finit_module",
    "init_module", "ioperm", "iopl", "ioprio_set", "kexec_file_load", "kexec_load", "quotactl",
    "reboot", "setdomainname", "sethostname", "setpriority", "settimeofday", "swapoff", "swapon",
    "sync", "syncfs", "vhangup"};

constexpr uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr uint64_t kSocketType = 0xf;  // the rest are flags

// Of ioctl() what python asks of any file it opens; of prctl() a thread's name, and what the
// memory allocator calls its pages.
constexpr uint64_t kIoctls[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};
constexpr uint64_t kPrctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, 0x53564d41};

// Adds rules until one fails.
class Rules {
 public:
  explicit Rules(scmp_filter_ctx context) : context_(context) {}

  void AddAll(std::span<const char* const> names, uint32_t action) {
    for (const char* name : names) Add(name, action, {});
  }
  void Add(const char* name, uint32_t action, std::initializer_list<scmp_arg_cmp> conditions) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || error_ != 0) return;  // unknown here: does not exist
    error_ = -seccomp_rule_add_array(context_, action, number,
                                     static_cast<unsigned>(conditions.size()), conditions.begin());
  }
  int error() const { return error_; }

 private:
  scmp_filter_ctx context_;
  int error_ = 0;
};

void AddWithConditions(Rules& rules) {
  const auto same = [](unsigned argument, uint64_t value) {
    return scmp_arg_cmp{argument, SCMP_CMP_EQ, value, 0};
  };
  const auto masked = [](unsigned argument, uint64_t mask, uint64_t value) {
    return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
  };
  rules.Add("clone", SCMP_ACT_ALLOW, {masked(0, kNamespaces, 0)});
  // Streams only: a datagram socket could be told to send elsewhere.
  rules.Add("socketpair", SCMP_ACT_ALLOW, {same(0, AF_UNIX), masked(1, kSocketType, SOCK_STREAM)});
  rules.Add("prlimit64", SCMP_ACT_ALLOW, {same(0, 0)});  // its own
  for (const uint64_t request : kIoctls) rules.Add("ioctl", SCMP_ACT_ALLOW, {same(1, request)});
  for (const uint64_t option : kPrctls) rules.Add("prctl", SCMP_ACT_ALLOW, {same(0, option)});
}

Result<std::string> Exported(scmp_filter_ctx context) {
  AIO_ASSIGN_OR_RETURN(const Pipe pipe, MakePipe());
  // At most 4096 instructions of 8 bytes: less than a pipe holds.
  if (const int error = seccomp_export_bpf(context, pipe.write.get()); error != 0) {
    return SystemError("compile the filter of system calls", -error);
  }
  std::string filter(65536, '\0');
  const ssize_t n = read(pipe.read.get(), filter.data(), filter.size());
  if (n <= 0) return SystemError("read the filter of system calls", errno);
  filter.resize(static_cast<size_t>(n));
  return filter;
}

}  // namespace

Result<std::string> SystemCallFilter(bool pid_namespace) {
  const std::unique_ptr<void, decltype(&seccomp_release)> context(
      seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), &seccomp_release);
  if (context == nullptr) return Internal("libseccomp cannot make a filter");
  // Other architectures' calls (32 bits on 64) end the program: their numbers mean others.
  seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree, not a list
  Rules rules(context.get());
  rules.AddAll(kAllowed, SCMP_ACT_ALLOW);
  rules.AddAll(kAmongItsOwn, pid_namespace ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
  rules.AddAll(kDenied, SCMP_ACT_ERRNO(EPERM));
  AddWithConditions(rules);
  if (rules.error() != 0) return SystemError("make a filter of system calls", rules.error());
  return Exported(context.get());
}

}  // namespace aio
