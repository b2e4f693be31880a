// What the sandbox's tests share.
#ifndef AIO_SANDBOX_SANDBOX_TEST_FIXTURE_H_
#define AIO_SANDBOX_SANDBOX_TEST_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/sandbox.h"

namespace aio {

// A python that any user may run, where there is one.
inline std::string AnyonesPython() {
  return access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3";
}

// One sandbox for all tests of a suite, with whatever protections this machine permits. Orphans
// come to this process, so that after each test it can be seen that no process is left.
class SandboxTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    SandboxOptions options = {.may_lack = {kProtections.begin(), kProtections.end()}};
    auto created = Sandbox::Create(options);
    if (!created.ok()) {
      // As root without a mount namespace: python3 may be where only root can read.
      options.python = AnyonesPython();
      created = Sandbox::Create(options);
    }
    ASSERT_TRUE(created.ok()) << created.status().ToString();
    sandbox_ = std::make_unique<Sandbox>(std::move(*created));
  }
  static void TearDownTestSuite() { sandbox_.reset(); }

  void SetUp() override { ASSERT_NE(sandbox_, nullptr); }
  void TearDown() override {
    // What was killed is gone at once only with a namespace; else it takes a moment.
    while (sandbox_ != nullptr && !Has(Protection::kPidNamespace) && waitpid(-1, nullptr, 0) > 0) {
    }
    errno = 0;
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
    EXPECT_EQ(errno, ECHILD);
  }

  static bool Has(Protection protection) {
    const auto& missing = sandbox_->missing();
    return std::find(missing.begin(), missing.end(), protection) == missing.end();
  }

  static SandboxedRun Run(std::string_view program, const SandboxLimits& limits = {}) {
    auto run = sandbox_->RunPython(program, limits);
    if (!run.ok()) {
      ADD_FAILURE() << run.status().ToString();
      return {.end = SandboxedRun::End::kSignalled, .status = -1};
    }
    return std::move(*run);
  }

  // What a program prints that must end well.
  static std::string Output(std::string_view program, const SandboxLimits& limits = {}) {
    const SandboxedRun run = Run(program, limits);
    EXPECT_TRUE(run.ok()) << "end " << static_cast<int>(run.end) << ", status " << run.status
                          << ": " << run.errors;
    return run.output;
  }

  inline static std::unique_ptr<Sandbox> sandbox_;
};

}  // namespace aio

// A test of a protection that the kernel refuses here shows nothing.
#define AIO_NEEDS(protection)                                                          \
  if (!Has(Protection::protection)) {                                                  \
    GTEST_SKIP() << "the kernel refuses a " << ProtectionName(Protection::protection); \
  }                                                                                    \
  static_assert(true)

#endif  // AIO_SANDBOX_SANDBOX_TEST_FIXTURE_H_
