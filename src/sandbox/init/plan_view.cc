#include "sandbox/init/plan_view.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "sandbox/init/report.h"

namespace aio {
namespace {

constexpr uint32_t kMaxPointers = 32;

// Fills `pointers` with `count` strings from `s` on and a null pointer; returns what is after.
const char* PointAt(const char* s, uint32_t count, char** pointers) {
  if (count >= kMaxPointers) {
    errno = E2BIG;
    Fail("read the plan");
  }
  for (uint32_t i = 0; i < count; ++i, s = NextString(s)) pointers[i] = const_cast<char*>(s);
  pointers[count] = nullptr;
  return s;
}

const char* Skip(const char* s, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) s = NextString(s);
  return s;
}

}  // namespace

const char* NextString(const char* s) { return s + strlen(s) + 1; }

PlanView MapPlan() {
  struct stat info = {};
  if (fstat(kPlanFd, &info) != 0) Fail("read the plan");
  // Private and writable, as execve() takes its strings; nothing writes.
  void* data = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ | PROT_WRITE, MAP_PRIVATE,
                    kPlanFd, 0);
  if (data == MAP_FAILED) Fail("map the plan");
  PlanView view = {};
  view.plan = static_cast<const SandboxPlan*>(data);
  view.filter = reinterpret_cast<const sock_filter*>(view.plan + 1);
  view.private_folder = reinterpret_cast<const char*>(view.filter + view.plan->filter_count);
  view.read_only = NextString(view.private_folder);
  view.links = Skip(view.read_only, view.plan->read_only_count);
  const char* arguments = Skip(view.links, 2 * view.plan->link_count);
  const char* variables = PointAt(arguments, view.plan->argument_count, view.arguments);
  view.program = PointAt(variables, view.plan->variable_count, view.variables);
  return view;
}

}  // namespace aio
