// Short requests by the thousand: how many a second, and how long each takes.
#ifndef AIO_STRESS_REQUEST_LOAD_H_
#define AIO_STRESS_REQUEST_LOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace aio {

struct RequestLoadOptions {
  std::string request;                         // whole, with its head
  std::string expected;                        // stands somewhere in the body of each answer
  Duration warm_up = std::chrono::seconds(1);  // before anything counts
  Duration time = std::chrono::seconds(10);    // that counts
};

struct RequestLoadReport {
  int64_t asked = 0;                // requests in all
  int64_t answers = 0;              // within the time that counts
  int64_t wrong = 0;                // of all: another status, body or end than expected
  Duration time{};                  // that the answers took together
  std::vector<Duration> latencies;  // of each answer, ascending

  double per_second() const;
  // Nearest rank; `share` in (0, 1].
  Duration Percentile(double share) const;
};

// Open loop: `rate` requests a second at even intervals, whatever becomes of the earlier ones, each
// on a kept connection that is free. Latencies are from when a request was due to the last byte of
// its answer, so that a stall counts for all that it holds up.
RequestLoadReport LoadAtRate(int port, double rate, const RequestLoadOptions& options);

// Closed loop: each of `connections` asks again as soon as it is answered.
RequestLoadReport LoadAsFastAsItGoes(int port, int connections, const RequestLoadOptions& options);

}  // namespace aio

#endif  // AIO_STRESS_REQUEST_LOAD_H_
