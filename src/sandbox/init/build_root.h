// The program's file system: what python needs, read-only, and one small folder in memory.
#ifndef AIO_SANDBOX_INIT_BUILD_ROOT_H_
#define AIO_SANDBOX_INIT_BUILD_ROOT_H_

#include "sandbox/init/plan_view.h"

namespace aio {

// In a mount namespace of this process's own: makes a new root and moves into it. False where the
// kernel refuses and the plan tolerates it; the old root is then still there.
bool BuildRoot(const PlanView& view);

}  // namespace aio

#endif  // AIO_SANDBOX_INIT_BUILD_ROOT_H_
