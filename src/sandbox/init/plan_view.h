// The plan of a run, as init reads it.
#ifndef AIO_SANDBOX_INIT_PLAN_VIEW_H_
#define AIO_SANDBOX_INIT_PLAN_VIEW_H_

#include <linux/filter.h>

#include <cstdint>

#include "sandbox/init/plan.h"
#include "sandbox/protection.h"

namespace aio {

// Points into the plan's file, which stays mapped.
struct PlanView {
  const SandboxPlan* plan;
  const sock_filter* filter;
  const char* private_folder;
  const char* read_only;  // the first of `plan->read_only_count` strings
  const char* links;      // the first of 2 * `plan->link_count` strings
  char* arguments[32];    // as execve() wants them, with a null pointer at the end
  char* variables[32];
  const char* program;  // plan->program_bytes

  bool wants(Protection p) const { return (plan->wanted & ProtectionBit(p)) != 0; }
};

// The string after `s`.
const char* NextString(const char* s);

// Maps kPlanFd. Ends the process where it cannot.
PlanView MapPlan();

}  // namespace aio

#endif  // AIO_SANDBOX_INIT_PLAN_VIEW_H_
