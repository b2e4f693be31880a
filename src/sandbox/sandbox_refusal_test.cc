// What a kernel may refuse, refused on purpose: a filter on this thread's system calls, which the
// sandbox's processes inherit.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_test_fixture.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

using testing::Contains;
using testing::HasSubstr;

struct Refusal {
  std::string name;
  Protection protection;
  const char* call;
  uint64_t flag;  // of the call's first argument; 0: any
};

void Apply(const Refusal& refusal) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  const int call = seccomp_syscall_resolve_name(refusal.call);
  const auto condition = SCMP_A0(SCMP_CMP_MASKED_EQ, refusal.flag, refusal.flag);
  ASSERT_EQ(seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), call, 1, condition), 0);
  ASSERT_EQ(seccomp_load(context), 0);
  seccomp_release(context);
}

class SandboxRefusalTest : public SandboxTest, public testing::WithParamInterface<Refusal> {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    folder_ = testing::TempDir() + "aio_sandbox_refusal_" + std::to_string(getpid());
    fs::create_directories(folder_);
    // Above it, other users may have no business; in it, they must reach what is theirs.
    fs::permissions(folder_, fs::perms::all);
    setenv("TMPDIR", folder_.c_str(), 1);
  }
  void TearDown() override {
    SandboxTest::TearDown();
    unsetenv("TMPDIR");
    EXPECT_TRUE(fs::is_empty(folder_)) << "a temporary folder is left";
    fs::remove_all(folder_);
  }

  // `body` on a thread whose kernel refuses what `refusal` says.
  static void Refusing(const Refusal& refusal, const std::function<void()>& body) {
    std::thread([&] {
      Apply(refusal);
      body();
    }).join();
  }

  std::string folder_;
};

TEST_P(SandboxRefusalTest, IsNamedWithTheFlagToGoOn) {
  Refusing(GetParam(), [] {
    const Status status = Sandbox::Create({.python = AnyonesPython()}).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_EQ(status.reason(), "sandbox_protection_missing");
    EXPECT_THAT(status.message(), HasSubstr(ProtectionName(GetParam().protection)));
    EXPECT_THAT(status.message(), HasSubstr("Operation not permitted"));
    EXPECT_THAT(status.message(),
                HasSubstr("--sandbox-may-lack " + ProtectionFlagValue(GetParam().protection)));
  });
}

TEST_P(SandboxRefusalTest, IsDoneWithoutWhereAllowed) {
  if (!sandbox_->missing().empty()) {
    GTEST_SKIP() << "the kernel refuses a " << ProtectionName(sandbox_->missing()[0]);
  }
  Refusing(GetParam(), [] {
    const Protection protection = GetParam().protection;
    const auto sandbox = Sandbox::Create({.python = AnyonesPython(), .may_lack = {protection}});
    const bool privileged = geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1;
    if (protection == Protection::kUserNamespace && !privileged) {
      EXPECT_THAT(sandbox.status().message(), HasSubstr("mount namespace"));  // needs it
      return;
    }
    ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
    EXPECT_EQ(sandbox->missing(), std::vector<Protection>{protection});
    const auto run = sandbox->RunPython(R"py(
import os
open('file', 'w').write('x')
os.mkdir('closed')
os.mkdir('closed/x')
os.chmod('closed', 0)
print(os.getcwd() == os.environ['HOME'], os.path.basename(__file__))
)py",
                                        {});
    ASSERT_TRUE(run.ok()) << run.status().ToString();
    EXPECT_EQ(run->output, "True program.py\n") << run->errors;
    // Another one is not let go.
    EXPECT_FALSE(
        Sandbox::Create({.python = AnyonesPython(),
                         .may_lack = {protection == Protection::kSeccomp ? Protection::kPidNamespace
                                                                         : Protection::kSeccomp}})
            .ok());
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, SandboxRefusalTest,
    testing::Values(Refusal{"User", Protection::kUserNamespace, "unshare", CLONE_NEWUSER},
                    Refusal{"Mount", Protection::kMountNamespace, "unshare", CLONE_NEWNS},
                    Refusal{"Mounting", Protection::kMountNamespace, "mount", 0},
                    Refusal{"ReadOnly", Protection::kMountNamespace, "mount_setattr", 0},
                    Refusal{"Pid", Protection::kPidNamespace, "unshare", CLONE_NEWPID},
                    Refusal{"Network", Protection::kNetworkNamespace, "unshare", CLONE_NEWNET},
                    Refusal{"Seccomp", Protection::kSeccomp, "seccomp", 0}),
    [](const auto& param) { return param.param.name; });

// One layer alone holds what two hold together.
TEST_F(SandboxRefusalTest, WithoutSeccompThereIsNoNetworkYet) {
  AIO_NEEDS(kNetworkNamespace);
  const FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const std::string program = "import socket\ntry:\n  socket.create_connection(('127.0.0.1', " +
                              std::to_string(ntohs(address.sin_port)) +
                              "), 5)\n  print('connected')\nexcept OSError as e: print(e.strerror)";
  Refusing({"", Protection::kSeccomp, "seccomp", 0}, [&program] {
    const auto sandbox = Sandbox::Create(
        {.python = AnyonesPython(), .may_lack = {kProtections.begin(), kProtections.end()}});
    ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
    const auto run = sandbox->RunPython(program, {});
    ASSERT_TRUE(run.ok());
    EXPECT_EQ(run->output, "Network is unreachable\n") << run->errors;
  });
}

TEST_F(SandboxRefusalTest, WithoutAPidNamespaceSignalsAreRefused) {
  AIO_NEEDS(kSeccomp);
  Refusing({"", Protection::kPidNamespace, "unshare", CLONE_NEWPID}, [] {
    const auto sandbox = Sandbox::Create(
        {.python = AnyonesPython(), .may_lack = {kProtections.begin(), kProtections.end()}});
    ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
    EXPECT_THAT(sandbox->missing(), Contains(Protection::kPidNamespace));
    // A child that is left behind is in the group that is killed, and cannot leave it.
    const auto run = sandbox->RunPython(R"py(
import os, signal, time
for f in (lambda: os.kill(os.getppid(), signal.SIGKILL), lambda: os.kill(-1, 9), os.setsid,
          lambda: os.setpgid(0, 0)):
    try: f(); print('worked')
    except PermissionError: pass
if os.fork() == 0:
    time.sleep(1000)
)py",
                                        {});
    ASSERT_TRUE(run.ok()) << run.status().ToString();
    EXPECT_EQ(run->output, "") << run->errors;
  });
  // They come to this process, and end, as they were killed.
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST_F(SandboxRefusalTest, WorksWithoutRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "all of these tests run without root";
  if (AnyonesPython() == "python3") GTEST_SKIP() << "no /usr/bin/python3 that another user may run";
  std::thread([] {
    constexpr uid_t kNobody = 65534;
    // Of this thread alone, as the kernel does it and the C library does not.
    ASSERT_EQ(syscall(SYS_setresgid, kNobody, kNobody, kNobody), 0);
    ASSERT_EQ(syscall(SYS_setresuid, kNobody, kNobody, kNobody), 0);
    prctl(PR_SET_DUMPABLE, 1);
    const auto sandbox = Sandbox::Create(
        {.python = AnyonesPython(), .may_lack = {kProtections.begin(), kProtections.end()}});
    ASSERT_TRUE(sandbox.ok()) << sandbox.status().ToString();
    if (!sandbox->missing().empty()) {
      GTEST_SKIP() << "the kernel refuses users a " << ProtectionName(sandbox->missing()[0]);
    }
    const auto run = sandbox->RunPython(R"py(
import os
print(os.getuid(), os.getpid(), os.path.exists('/etc/passwd'))
n = 1
try:
    while True:
        if os.fork() == 0: __import__('time').sleep(1000)
        n += 1
except OSError: print(n)
)py",
                                        {.processes = 5});
    ASSERT_TRUE(run.ok()) << run.status().ToString();
    EXPECT_EQ(run->output, "1000 2 False\n5\n") << run->errors;
  }).join();
}

}  // namespace
}  // namespace aio
