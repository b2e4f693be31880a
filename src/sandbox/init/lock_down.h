// Takes from this process what the program must not have.
#ifndef AIO_SANDBOX_INIT_LOCK_DOWN_H_
#define AIO_SANDBOX_INIT_LOCK_DOWN_H_

#include <sys/types.h>

#include "sandbox/init/plan_view.h"

namespace aio {

bool MayAdministrate();  // CAP_SYS_ADMIN: may make namespaces without a user namespace

// From root to a user that nothing else has, made from the keeper's process id: no file is its own,
// and the kernel counts its processes by themselves. A private folder outside goes to it too.
void SwitchUser(const PlanView& view, pid_t keeper);

// `proc` is the host's /proc. False where it is refused and the plan tolerates that.
bool EnterUserNamespace(const PlanView& view, int proc);

// `needed`: processes that are not the program's but count as its user's.
void LimitResources(const SandboxPlan& plan, uint64_t needed);

void DropCapabilities();

// Only the filter's system calls work from here on.
void FilterSystemCalls(const PlanView& view);

}  // namespace aio

#endif  // AIO_SANDBOX_INIT_LOCK_DOWN_H_
