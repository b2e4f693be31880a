// When the requests of an open loop come, whatever became of those before them.
#ifndef AIO_TRAFFIC_ARRIVALS_H_
#define AIO_TRAFFIC_ARRIVALS_H_

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace aio {

// A Poisson process: independent gaps, exponentially distributed with mean 1 / `rate`; `rate` in
// requests a second, > 0. The same seed gives the same arrivals with any standard library.
std::vector<Duration> PoissonArrivals(int64_t requests, double rate, uint64_t seed);

}  // namespace aio

#endif  // AIO_TRAFFIC_ARRIVALS_H_
