// What the router would see of many prompts.
#ifndef AIO_APP_PROBE_PROMPTS_H_
#define AIO_APP_PROBE_PROMPTS_H_

#include <functional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/status.h"
#include "router/routing_policy.h"

namespace aio {

// Probes each prompt, as the only message of a conversation, with the small model among
// `router.Models()`, and gives all that a policy looks at but what hangs on the moment: load,
// session and drift. Waits. Which prompts are too long for a policy's probe, the policy must say
// (AsSeenBy()). `progress` is called on the calling thread.
Result<std::vector<Signals>> ProbePrompts(Backend& router, const LabelQuery& labels,
                                          const std::vector<std::string>& prompts,
                                          const std::function<void(size_t done)>& progress);

}  // namespace aio

#endif  // AIO_APP_PROBE_PROMPTS_H_
