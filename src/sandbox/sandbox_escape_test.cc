// Programs that want out. Each test says what the program is told, and that nothing outside
// changed or was read.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/file_descriptor.h"
#include "sandbox/child_process.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_test_fixture.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "correct horse battery staple";

class SandboxEscapeTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    setenv("AIO_TEST_SECRET", kSecret, 1);
    folder_ = testing::TempDir() + "aio_sandbox_escape_" + std::to_string(getpid());
    fs::create_directories(folder_);
    fs::permissions(folder_, fs::perms::all);
    secret_ = folder_ + "/secret";
    std::ofstream(secret_) << kSecret;
    fs::permissions(secret_, fs::perms::all);  // only the sandbox is in the way
  }
  void TearDown() override {
    SandboxTest::TearDown();
    std::ifstream file(secret_);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), kSecret);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
    fs::remove_all(folder_);
    unsetenv("AIO_TEST_SECRET");
  }

  // Prints one line an attempt that works, nothing for one that is refused; runs `attempts`,
  // lines that call attempt(name, function, arguments...).
  std::string WhatWorks(const std::string& attempts) {
    return Output(
        "import ctypes, os, signal, socket, subprocess, sys\n"
        "folder, secret = '" +
        folder_ + "', '" + secret_ + "'\n" + R"py(
def attempt(name, function, *arguments):
    try: result = function(*arguments)
    except OSError: return
    print(name, *arguments, repr(result))
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):   # of the C library; a system call by its number
    if isinstance(name, int): result = libc.syscall(name, *arguments)
    else: result = getattr(libc, name)(*arguments)
    if result == -1: raise OSError(ctypes.get_errno(), 'refused')
    return result
)py" + attempts);
  }

  std::string folder_;
  std::string secret_;
};

TEST_F(SandboxEscapeTest, AttemptsThatWorkAreSeen) {
  // The other tests expect nothing; this one shows that they would see something.
  EXPECT_EQ(WhatWorks("attempt('add', lambda a, b: a + b, 1, 2)\nattempt('pid', call, 'abs', -3)"),
            "add 1 2 3\npid abs -3 3\n");
}

TEST_F(SandboxEscapeTest, TheEnvironmentIsEmpty) {
  const SandboxedRun run = Run("import os\nprint(sorted(os.environ))\nprint(dict(os.environ))");
  EXPECT_THAT(run.output, HasSubstr("['HOME', 'LANG', 'PATH', 'PYTHONHASHSEED', "
                                    "'PYTHONSAFEPATH', 'TMPDIR']"));
  EXPECT_THAT(run.output, Not(HasSubstr(kSecret)));
}

TEST_F(SandboxEscapeTest, OtherEnvironmentsAreOutOfReach) {
  AIO_NEEDS(kMountNamespace);
  EXPECT_EQ(WhatWorks("for pid in ('self', 1, os.getppid(), " + std::to_string(getpid()) + R"py():
    for file in ('environ', 'mem', 'maps', 'cwd/x', 'root/etc/passwd', 'fd/0'):
        attempt('read', open, f'/proc/{pid}/{file}', 'rb'))py"),
            "");
}

TEST_F(SandboxEscapeTest, FilesOutsideAreOutOfSight) {
  AIO_NEEDS(kMountNamespace);
  EXPECT_EQ(WhatWorks(R"py(
roots_own = os.path.join('/root', '.bashrc')
for path in (secret, roots_own, '/etc/shadow', '/etc/passwd', '/etc/hostname', '/dev/mem',
             '/dev/kmsg', '/dev/vda', '/dev/sda', '/dev/tty', '/sys/kernel', '/proc/version',
             '/var/log', '/home', '/run', '/boot', '/usr/bin/sh', '/bin/sh', '/mnt', '/opt'):
    attempt('see', os.stat, path)
attempt('list', os.listdir, folder)
attempt('shell', os.system, 'true') if os.system('true') == 0 else None)py"),
            "");
}

TEST_F(SandboxEscapeTest, NothingOutsideCanBeWritten) {
  AIO_NEEDS(kMountNamespace);
  const std::string name = "aio_escape_" + std::to_string(getpid());
  EXPECT_EQ(WhatWorks("name = '" + name + R"py('
library = os.path.dirname(os.__file__)
for place in ('/', '/usr', '/usr/lib', '/etc', '/root', '/home', '/dev', '/var/tmp', folder, library):
    attempt('write', open, os.path.join(place, name), 'w')
    attempt('make', os.mkdir, os.path.join(place, name))
for path in (secret, os.__file__, '/program.py', sys.executable):
    attempt('change', open, path, 'r+')
    attempt('remove', os.remove, path)
    attempt('rename', os.rename, path, path + '2')
    attempt('truncate', os.truncate, path, 0)
    attempt('mode', os.chmod, path, 0o777))py"),
            "");
  // What may be written is not the host's.
  EXPECT_EQ(WhatWorks("open('/tmp/" + name + "', 'w').write('x')"), "");
  EXPECT_FALSE(fs::exists("/tmp/" + name));
}

TEST_F(SandboxEscapeTest, LinksLeadNowhere) {
  AIO_NEEDS(kMountNamespace);
  EXPECT_EQ(WhatWorks(R"py(
os.symlink(secret, 'link')
os.symlink('/' + '../' * 30 + secret[1:], 'up')
os.symlink('/proc/self/root' + secret, 'proc')
for path in ('link', 'up', 'proc', '../' * 30 + secret[1:]):
    attempt('read', open, path)
    attempt('write', open, path, 'w')
attempt('hard', os.link, '/program.py', 'program')
attempt('hard', os.link, os.__file__, 'os')
root = os.open('/', os.O_RDONLY)
attempt('above', lambda: os.open('../' * 30 + secret[1:], os.O_RDONLY, dir_fd=root))
attempt('root', os.chroot, '/tmp')
attempt('device', os.mknod, 'sda', 0o60666, os.makedev(8, 0)))py"),
            "");
}

TEST_F(SandboxEscapeTest, DescriptorsAreNotInherited) {
  const FileDescriptor file(open(secret_.c_str(), O_RDWR));  // kept open in children
  const FileDescriptor high(fcntl(file.get(), F_DUPFD, 200));
  ASSERT_TRUE(high.valid());
  EXPECT_EQ(WhatWorks("for fd in range(3, 1024): attempt('use', os.fstat, fd)\n"
                      "attempt('write', os.write, 0, b'x') if os.fstat(0).st_rdev == 0 else None"),
            "");
}

TEST_F(SandboxEscapeTest, NoSocketOpens) {
  AIO_NEEDS(kSeccomp);
  EXPECT_EQ(WhatWorks(R"py(
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK,
               socket.AF_PACKET, socket.AF_VSOCK):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt('open', socket.socket, family, kind)
attempt('pair', socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)
attempt('name', socket.getaddrinfo, 'localhost.localdomain', 80)
one, other = socket.socketpair()
attempt('bind', one.bind, '/tmp/socket')
attempt('connect', one.connect, '/tmp/socket'))py"),
            "");
}

TEST_F(SandboxEscapeTest, NobodyOutsideIsKilled) {
  AIO_NEEDS(kPidNamespace);
  const auto null = OpenNull();
  ASSERT_TRUE(null.ok());
  const auto bystander = StartChild({.path = "/bin/sleep",
                                     .arguments = {"sleep", "1000"},
                                     .inherit_environment = false,
                                     .descriptors = {null->get(), null->get(), null->get()}});
  ASSERT_TRUE(bystander.ok());
  const SandboxedRun run = Run("import os, signal\nfor pid in (" + std::to_string(*bystander) +
                               ", " + std::to_string(getpid()) + R"py(, os.getppid(), -1, 0, 1):
    for s in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM):
        if pid == 0: continue
        try: os.kill(pid, s)
        except OSError: pass
print('alone', os.getpid()))py");
  // Init takes no signals from below, and all others are out of reach.
  EXPECT_TRUE(run.ok()) << run.status;
  EXPECT_EQ(run.output, "alone 2\n");
  EXPECT_EQ(waitpid(*bystander, nullptr, WNOHANG), 0) << "the bystander is gone";
  kill(*bystander, SIGKILL);
  waitpid(*bystander, nullptr, 0);
}

TEST_F(SandboxEscapeTest, ItIsAnotherUserWithoutRights) {
  AIO_NEEDS(kUserNamespace);
  EXPECT_EQ(Output("import os\nprint(os.getresuid(), os.getresgid())"),
            "(1000, 1000, 1000) (1000, 1000, 1000)\n");
  EXPECT_EQ(WhatWorks(R"py(
for id in (0, 1, 65534):
    attempt('user', os.setuid, id)
    attempt('user', os.setresuid, id, id, id)
    attempt('group', os.setgid, id)
attempt('groups', os.setgroups, [0])
attempt('nice', os.nice, -5)
attempt('host', socket.sethostname, 'mine'))py"),
            "");
}

TEST_F(SandboxEscapeTest, TheKernelsSideDoorsAreShut) {
  AIO_NEEDS(kSeccomp);
  const std::string numbers = "calls = {'bpf': " + std::to_string(SYS_bpf) +
                              ", 'perf': " + std::to_string(SYS_perf_event_open) +
                              ", 'userfaultfd': " + std::to_string(SYS_userfaultfd) +
                              ", 'keyctl': " + std::to_string(SYS_keyctl) +
                              ", 'io_uring': " + std::to_string(SYS_io_uring_setup) +
                              ", 'process_vm_readv': " + std::to_string(SYS_process_vm_readv) +
                              ", 'clone3': " + std::to_string(SYS_clone3) +
                              ", 'fsopen': " + std::to_string(SYS_fsopen) + ", 'unknown': 5000}\n";
  EXPECT_EQ(WhatWorks(numbers + R"py(
for name, number in calls.items(): attempt(name, call, number, 0, 0, 0, 0, 0)
attempt('ptrace', call, 'ptrace', 0, 0, 0, 0)
attempt('attach', call, 'ptrace', 16, os.getppid(), 0, 0)
attempt('mount', call, 'mount', b'none', b'/tmp', b'tmpfs', 0, None)
attempt('bind', call, 'mount', b'/', b'/tmp', None, 4096, None)
attempt('umount', call, 'umount2', b'/tmp', 2)
for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000):
    attempt('unshare', call, 'unshare', flag)
attempt('personality', call, 'personality', 0x40000)
attempt('reboot', call, 'reboot', 0))py"),
            "");
}

}  // namespace
}  // namespace aio
