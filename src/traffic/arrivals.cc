#include "traffic/arrivals.h"

#include <cmath>
#include <random>

#include "base/check.h"

namespace aio {

std::vector<Duration> PoissonArrivals(int64_t requests, double rate, uint64_t seed) {
  AIO_CHECK(rate > 0);
  std::mt19937_64 random(seed);
  std::vector<Duration> arrivals;
  arrivals.reserve(static_cast<size_t>(requests));
  double seconds = 0;
  for (int64_t i = 0; i < requests; ++i) {
    // 53 random bits: uniform in (0, 1], so that the logarithm is finite.
    const double uniform = (static_cast<double>(random() >> 11) + 1) / 9007199254740992.0;
    seconds += -std::log(uniform) / rate;
    arrivals.push_back(
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
  }
  return arrivals;
}

}  // namespace aio
