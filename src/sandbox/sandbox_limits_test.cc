// Programs that take all they can get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "sandbox/sandbox.h"
#include "sandbox/sandbox_test_fixture.h"

namespace aio {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using End = SandboxedRun::End;

class SandboxLimitsTest : public SandboxTest {};

TEST_F(SandboxLimitsTest, EndlessOutputEndsTheRun) {
  for (const std::string stream : {"stdout", "stderr"}) {
    const SandboxedRun run = Run("import sys\nwhile True: sys." + stream + ".write('spam' * 1000)",
                                 {.output_bytes = 100'000});
    EXPECT_EQ(run.end, End::kOutputLimit) << stream;
    EXPECT_EQ((stream == "stdout" ? run.output : run.errors).size(), 100'000U);
    EXPECT_EQ((stream == "stdout" ? run.errors : run.output), "");
  }
}

TEST_F(SandboxLimitsTest, OutputUpToTheLimitIsWhole) {
  const SandboxedRun run = Run("print('x' * 999)", {.output_bytes = 1000});
  EXPECT_TRUE(run.ok());
  EXPECT_EQ(run.output.size(), 1000U);
  EXPECT_EQ(Run("print('x' * 1000)", {.output_bytes = 1000}).end, End::kOutputLimit);
}

TEST_F(SandboxLimitsTest, AHugeExceptionIsCut) {
  const SandboxedRun run = Run("raise Exception('x' * 10**7)", {.output_bytes = 10'000});
  EXPECT_EQ(run.end, End::kOutputLimit);
  EXPECT_EQ(run.errors.size(), 10'000U);
}

TEST_F(SandboxLimitsTest, SpinningEndsAtTheCpuLimit) {
  const SandboxedRun run = Run("print('begin', flush=True)\nwhile True: pass", {.cpu_seconds = 1});
  EXPECT_EQ(run.end, End::kCpuLimit);
  EXPECT_EQ(run.output, "begin\n");
  EXPECT_GE(run.cpu_seconds, 0.9);
}

TEST_F(SandboxLimitsTest, SpinningDespiteTheSignalEndsToo) {
  const SandboxedRun run =
      Run("import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
          {.cpu_seconds = 0.5});
  EXPECT_EQ(run.end, End::kCpuLimit);
  EXPECT_EQ(run.status, SIGKILL);
}

TEST_F(SandboxLimitsTest, SleepingEndsAtTheWallLimit) {
  const SandboxedRun run =
      Run("import time\nprint('begin', flush=True)\ntime.sleep(1000)", {.wall_seconds = 1.5});
  EXPECT_EQ(run.end, End::kWallLimit);
  EXPECT_EQ(run.output, "begin\n");
  EXPECT_GE(run.wall_seconds, 1.5);
}

TEST_F(SandboxLimitsTest, IgnoringEverySignalDoesNotHelp) {
  const SandboxedRun run = Run(R"py(
import signal, time
for s in signal.valid_signals():
    try: signal.signal(s, signal.SIG_IGN)
    except OSError: pass
while True: time.sleep(1)
)py",
                               {.wall_seconds = 1});
  EXPECT_EQ(run.end, End::kWallLimit);
}

TEST_F(SandboxLimitsTest, MemoryIsRefused) {
  const std::string output = Output(R"py(
import mmap
hoard = []
try:
    while True: hoard.append(bytearray(10**7))
except MemoryError:
    n = len(hoard)
    hoard.clear()
    print('memory', n < 30)
try:
    while True: hoard.append(mmap.mmap(-1, 10**7))
except (MemoryError, OSError):
    print('mmap', len(hoard) < 30)
)py",
                                    {.memory_bytes = int64_t{256} << 20});
  EXPECT_EQ(output, "memory True\nmmap True\n");
}

TEST_F(SandboxLimitsTest, AMemoryBombFails) {
  const SandboxedRun run = Run("x = 'a' * 10**11");
  EXPECT_EQ(run.end, End::kExited);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("MemoryError"));
}

TEST_F(SandboxLimitsTest, MemoryOutsideTheLimitIsOutOfReach) {
  AIO_NEEDS(kSeccomp);
  EXPECT_EQ(Output(R"py(
import os
try: os.memfd_create('x')
except PermissionError: print('refused')
)py"),
            "refused\n");
}

TEST_F(SandboxLimitsTest, RecursionFails) {
  const SandboxedRun run = Run("def f(): f()\nf()");
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("RecursionError"));
  const SandboxedRun deep =
      Run("import sys\nsys.setrecursionlimit(10**9)\nclass A:\n"
          "  def __getattr__(self, n): return getattr(self, n + '')\nA().x",
          {.memory_bytes = int64_t{256} << 20, .output_bytes = 100'000});
  EXPECT_FALSE(deep.ok());
}

TEST_F(SandboxLimitsTest, AForkBombStaysSmallAndEnds) {
  AIO_NEEDS(kUserNamespace);  // without it, other processes of its user count too
  const std::string output = Output(R"py(
import os, time
n = 1
try:
    while True:
        if os.fork() == 0: time.sleep(1000)
        n += 1
except BlockingIOError:
    print(n)
)py",
                                    {.processes = 16});
  EXPECT_EQ(output, "16\n");
  const SandboxedRun bomb =
      Run("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", {.wall_seconds = 2});
  EXPECT_TRUE(bomb.end == End::kWallLimit || bomb.end == End::kCpuLimit);
}

TEST_F(SandboxLimitsTest, ThreadsCountAsProcesses) {
  AIO_NEEDS(kUserNamespace);
  const SandboxedRun run = Run(
      "import threading, time\n"
      "for i in range(100): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
      {.processes = 8});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("can't start new thread"));
}

TEST_F(SandboxLimitsTest, TheDiskIsSmall) {
  AIO_NEEDS(kMountNamespace);
  const std::string output = Output(R"py(
import errno
written = 0
def fill(name):
    global written
    with open(name, 'wb', buffering=0) as file:
        try:
            while True: written += file.write(b'x' * 65536)
        except OSError as e:
            return errno.errorcode[e.errno]
print(fill('a'), written <= 2**20)
first = written
print([fill(str(i)) for i in range(3)], written <= 2**20)
)py",
                                    {.file_bytes = 1 << 20});
  EXPECT_THAT(output, EndsWith("['ENOSPC', 'ENOSPC', 'ENOSPC'] True\n"));
}

TEST_F(SandboxLimitsTest, AFileIsSmall) {
  const SandboxedRun run = Run("open('a', 'wb').truncate(10**9)", {.file_bytes = 1 << 20});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("File too large"));
}

TEST_F(SandboxLimitsTest, ManyFilesEnd) {
  AIO_NEEDS(kMountNamespace);
  const std::string output = Output(R"py(
import os
try:
    for n in range(10**6): os.mkdir(str(n))
except OSError as e:
    print(n < 5000, e.strerror)
)py");
  EXPECT_EQ(output, "True No space left on device\n");
}

TEST_F(SandboxLimitsTest, OpenFilesEnd) {
  const std::string output = Output(R"py(
hoard = []
try:
    while True: hoard.append(open('/dev/null'))
except OSError as e:
    print(len(hoard) < 200, e.strerror)
)py");
  EXPECT_EQ(output, "True Too many open files\n");
}

TEST_F(SandboxLimitsTest, LimitsCannotBeRaised) {
  const std::string output = Output(R"py(
import resource as r
for limit in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_NPROC, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE):
    try: r.setrlimit(limit, (r.RLIM_INFINITY, r.RLIM_INFINITY))
    except (ValueError, OSError) as e: print(type(e).__name__)
)py");
  EXPECT_EQ(output, "ValueError\nValueError\nValueError\nValueError\nValueError\n");
}

TEST_F(SandboxLimitsTest, WhatRunsInTheBackgroundEndsWithTheProgram) {
  AIO_NEEDS(kPidNamespace);
  const SandboxedRun run = Run(R"py(
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        if os.fork() == 0: os.closerange(0, 3)   # one that nobody waits for on a pipe
        while True: time.sleep(1)
    os._exit(0)
os.wait()
print('done')
)py");
  EXPECT_TRUE(run.ok());
  EXPECT_EQ(run.output, "done\n");
  // TearDown() finds what is left.
}

}  // namespace
}  // namespace aio
