// Honest programs, and the ways a program ends.
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/sandbox_test_fixture.h"

namespace aio {
namespace {

using testing::HasSubstr;
using testing::Not;
using End = SandboxedRun::End;

TEST_F(SandboxTest, GivesOutputErrorsAndStatus) {
  const SandboxedRun run = Run("import sys\nprint('out')\nprint('err', file=sys.stderr)\nexit(3)");
  EXPECT_EQ(run.end, End::kExited);
  EXPECT_EQ(run.status, 3);
  EXPECT_FALSE(run.ok());
  EXPECT_EQ(run.output, "out\n");
  EXPECT_EQ(run.errors, "err\n");
  EXPECT_GT(run.cpu_seconds, 0);
  EXPECT_GE(run.wall_seconds, 0.001);
}

TEST_F(SandboxTest, RunsWhatTheStandardLibraryOffers) {
  EXPECT_EQ(Output(R"py(
import collections, dataclasses, functools, heapq, itertools, json, math, random, re, string
from decimal import Decimal
from fractions import Fraction
from typing import List

@dataclasses.dataclass
class Point:
    x: int
    y: "int" = 2

@functools.lru_cache(None)
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)

print(fib(60), math.gcd(12, 18), re.findall(r"\d+", "a1b22"), Point(1))
print(collections.Counter("abca").most_common(1), list(itertools.permutations("ab")))
print(Decimal("0.1") + Decimal("0.2"), Fraction(1, 3) + 1, json.dumps({"k": [1, None]}))
print(heapq.nsmallest(2, [3, 1, 2]), string.ascii_lowercase[:3], __name__, "é")
)py"),
            "1548008755920 6 ['1', '22'] Point(x=1, y=2)\n"
            "[('a', 2)] [('a', 'b'), ('b', 'a')]\n"
            "0.3 4/3 {\"k\": [1, null]}\n"
            "[1, 2] abc __main__ é\n");
}

TEST_F(SandboxTest, RunsThreadsTasksAndChildren) {
  EXPECT_EQ(Output(R"py(
import asyncio, concurrent.futures, subprocess, sys, tempfile
async def half(n):
    await asyncio.sleep(0)
    return n // 2
print(asyncio.run(half(8)))
with concurrent.futures.ThreadPoolExecutor(3) as pool:
    print(list(pool.map(abs, [-1, 2])))
print(subprocess.run([sys.executable, '-S', '-c', 'print(5)'], capture_output=True).stdout)
with tempfile.TemporaryFile() as file:
    print(file.write(b"abc"))
)py"),
            "4\n[1, 2]\nb'5\\n'\n3\n");
}

TEST_F(SandboxTest, ReportsAnException) {
  const SandboxedRun run = Run("def f():\n  raise ValueError('no such luck')\nf()");
  EXPECT_EQ(run.end, End::kExited);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("program.py\", line 2, in f"));
  EXPECT_THAT(run.errors, HasSubstr("ValueError: no such luck"));
}

TEST_F(SandboxTest, ReportsASyntaxError) {
  for (const std::string_view program :
       {std::string_view("def f(:"), std::string_view("print(1)\0print(2)", 17),
        std::string_view("print('\xff')")}) {
    const SandboxedRun run = Run(program);
    EXPECT_EQ(run.end, End::kExited);
    EXPECT_EQ(run.status, 1) << program;
    EXPECT_EQ(run.output, "");
    EXPECT_NE(run.errors, "");
  }
}

TEST_F(SandboxTest, AnEmptyProgramIsFine) { EXPECT_EQ(Output(""), ""); }

TEST_F(SandboxTest, HasNothingToRead) {
  const SandboxedRun run = Run("import sys\nprint(repr(sys.stdin.read()))\ninput()");
  EXPECT_EQ(run.output, "''\n");
  EXPECT_THAT(run.errors, HasSubstr("EOFError"));
}

TEST_F(SandboxTest, TwoRunsPrintASetInTheSameOrder) {
  const std::string program = "print({str(i) for i in range(100)})";
  EXPECT_EQ(Output(program), Output(program));
}

TEST_F(SandboxTest, ARunFindsNothingOfTheOneBefore) {
  const std::string program = "import os\nprint(os.listdir('.'))\nopen('left', 'w').write('x')";
  const std::string first = Output(program);
  EXPECT_THAT(first, Not(HasSubstr("left")));
  EXPECT_EQ(Output(program), first);
}

TEST_F(SandboxTest, PassesBytesAsTheyAre) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(Output("import sys\nsys.stdout.buffer.write(bytes(range(256)))"), all);
}

TEST_F(SandboxTest, TellsHowAProgramEnded) {
  const SandboxedRun left = Run("import os\nos._exit(7)");
  EXPECT_EQ(left.end, End::kExited);
  EXPECT_EQ(left.status, 7);
  AIO_NEEDS(kPidNamespace);  // without it, programs may not send signals
  const SandboxedRun killed = Run("import os\nos.kill(os.getpid(), 9)");
  EXPECT_EQ(killed.end, End::kSignalled);
  EXPECT_EQ(killed.status, SIGKILL);
  const SandboxedRun aborted = Run("import os\nos.abort()");
  EXPECT_EQ(aborted.end, End::kSignalled);
  EXPECT_EQ(aborted.status, SIGABRT);
}

TEST_F(SandboxTest, ManyAtOnceDoNotMeet) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 4; ++i) {
        const std::string number = std::to_string(10 * t + i);
        const SandboxedRun run =
            Run("import os, threading\n"
                "open('n', 'x').write('" +
                    number +
                    "')\n"
                    "t = threading.Thread(target=lambda: None)\n"
                    "t.start(); t.join()\n"
                    "print(open('n').read())",
                {.processes = 2});
        EXPECT_EQ(run.output, number + "\n") << run.errors;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SandboxTest, NonsenseLimitsAreTheCallersFault) {
  const auto code = [](const SandboxLimits& limits) {
    return sandbox_->RunPython("", limits).status().code();
  };
  EXPECT_EQ(code({.cpu_seconds = 0}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.wall_seconds = std::nan("")}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.memory_bytes = -1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.processes = 0}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.output_bytes = 0}), StatusCode::kInvalidArgument);
  const Status status = sandbox_->RunPython("", {.file_bytes = 0}).status();
  EXPECT_EQ(status.param(), "file_bytes");
  EXPECT_THAT(status.message(), HasSubstr("file_bytes"));
}

TEST(SandboxCreateTest, SaysWhenThereIsNoPython) {
  const Status absent = Sandbox::Create({.python = "python-of-nowhere"}).status();
  EXPECT_EQ(absent.code(), StatusCode::kNotFound);
  EXPECT_THAT(absent.message(), HasSubstr("python-of-nowhere"));
  const Status other = Sandbox::Create({.python = "/bin/ls"}).status();
  EXPECT_EQ(other.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(other.message(), HasSubstr("/bin/ls: does not run as python 3"));
}

TEST(ProtectionTest, NamesAndFlagsBelongTogether) {
  for (const Protection protection : kProtections) {
    EXPECT_EQ(ProtectionFromName(ProtectionFlagValue(protection)), protection);
  }
  EXPECT_EQ(ProtectionFlagValue(Protection::kPidNamespace), "pid-namespace");
  EXPECT_EQ(ProtectionFromName("luck"), std::nullopt);
}

}  // namespace
}  // namespace aio
