// Requests that were served, as traffic for simulations.
#ifndef AIO_APP_SEEN_REQUESTS_H_
#define AIO_APP_SEEN_REQUESTS_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "sim/sim_workload.h"

namespace aio {

// `place` is a decision log (a file, or a postgresql:// URL), or a file of records that `aio bench
// load` or `aio bench mixed` wrote. Requests without an answer that ended are left out. A log has
// seconds: those of one second are spread over it evenly. What the probe is said to have said of a
// record is what its intent and entropy say, the other labels being alike; records' prompts begin
// alike as far as the large model found them known, and end in what the small one had to compute
// after the probe. Intents are those that
// the probe saw. kInvalidArgument names the file and the line, and if nothing is left.
Result<SimWorkload> ReadSeenRequests(const std::string& place);

// Scores of labels by whose softmax the `intent`th is the most probable, the others are alike and
// the entropy is `entropy` nats, as near as can be.
std::vector<float> LogitsOfEntropy(size_t labels, size_t intent, double entropy);

}  // namespace aio

#endif  // AIO_APP_SEEN_REQUESTS_H_
