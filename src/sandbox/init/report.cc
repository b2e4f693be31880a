#include "sandbox/init/report.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace aio {
namespace {

SandboxReport Fault(SandboxReport::Kind kind, const char* doing, const char* what) {
  SandboxReport report = {};
  report.kind = kind;
  report.error = errno;
  snprintf(report.step, sizeof(report.step), "%s%s%s", doing, *what == 0 ? "" : " ", what);
  return report;
}

}  // namespace

void SendReport(const SandboxReport& report) {
  // Whoever waits at the other end notices that nothing came.
  if (write(kReportFd, &report, sizeof(report)) < 0) _exit(1);
}

void Fail(const char* doing, const char* what) {
  SendReport(Fault(SandboxReport::kFailed, doing, what));
  _exit(1);
}

void Refuse(const SandboxPlan& plan, Protection protection, const char* doing, const char* what) {
  SandboxReport report = Fault(SandboxReport::kRefused, doing, what);
  report.protection = static_cast<uint32_t>(protection);
  SendReport(report);
  if (plan.tolerate == 0) _exit(1);
}

}  // namespace aio
