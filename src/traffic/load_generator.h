// Puts load on any Backend and writes down what becomes of each request.
//
// Closed loop: so many users, each of whom sends its next request when the last is answered. A
// server that stalls is asked less, so its stalls hide: right for throughput, wrong for latency.
// Open loop: requests come when they come (arrivals.h, trace.h). Latencies count from the intended
// arrival, also where the sender was late (Tene's "coordinated omission").
#ifndef AIO_TRAFFIC_LOAD_GENERATOR_H_
#define AIO_TRAFFIC_LOAD_GENERATOR_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "backend/backend.h"
#include "base/clock.h"
#include "traffic/load_record.h"
#include "traffic/waiter.h"

namespace aio {

struct LoadRequest {
  Request request;
  Duration arrival{};  // since the run began; open loop only, in order
};

struct LoopOptions {
  // Closed loop: so many requests at once, >= 1. 0: open loop.
  int concurrency = 1;
  // Told how many requests have ended; from the calling thread. May be empty.
  std::function<void(int64_t done)> on_done = {};
};

// Sends all and waits for the last; one record a request, in their order. A request that is
// refused has a record with its error. Not from a callback of `backend`.
std::vector<LoadRecord> RunLoad(Backend& backend, const std::vector<LoadRequest>& requests,
                                const LoopOptions& options, Waiter& waiter, const Clock& clock);

}  // namespace aio

#endif  // AIO_TRAFFIC_LOAD_GENERATOR_H_
