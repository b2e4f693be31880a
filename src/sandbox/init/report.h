// How init tells the sandbox what happened.
#ifndef AIO_SANDBOX_INIT_REPORT_H_
#define AIO_SANDBOX_INIT_REPORT_H_

#include "sandbox/init/plan.h"
#include "sandbox/protection.h"

namespace aio {

void SendReport(const SandboxReport& report);

// Ends this process: there is no run, by errno at "`doing` `what`".
[[noreturn]] void Fail(const char* doing, const char* what = "");

// The kernel refuses `protection`, by errno. Returns only where the plan tolerates that.
void Refuse(const SandboxPlan& plan, Protection protection, const char* doing,
            const char* what = "");

}  // namespace aio

#endif  // AIO_SANDBOX_INIT_REPORT_H_
