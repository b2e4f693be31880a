// One run of init: the plan goes in, what happened comes out.
#ifndef AIO_SANDBOX_INIT_RUN_H_
#define AIO_SANDBOX_INIT_RUN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_descriptor.h"
#include "base/status.h"
#include "sandbox/child_process.h"
#include "sandbox/init/plan.h"
#include "sandbox/protection.h"
#include "sandbox/python_home.h"
#include "sandbox/sandbox.h"

namespace aio {

// What a plan is made of.
struct RunPlan {
  const PythonHome* home = nullptr;
  std::string_view filter;       // as SystemCallFilter() gives it
  uint32_t wanted = 0;           // protections
  bool tolerate = false;         // report refused ones and go on
  std::string private_folder{};  // that exists already; empty: one in memory
  std::string_view program{};
  SandboxLimits limits{};
};

std::string EncodePlan(const RunPlan& plan);

struct InitRun {
  CaptureEnd end = CaptureEnd::kClosed;  // kDeadline and kOver: was stopped
  std::vector<SandboxReport> reports;
  std::string output;
  std::string errors;
  Duration wall{};
};

// Starts `init`, an executable file, with `plan` and waits until all of it is gone.
Result<InitRun> RunInit(const FileDescriptor& init, const RunPlan& plan);

}  // namespace aio

#endif  // AIO_SANDBOX_INIT_RUN_H_
