// What the engine's speed is measured against, and what a figure is of several.
#ifndef AIO_APP_READ_BANDWIDTH_H_
#define AIO_APP_READ_BANDWIDTH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/thread_pool.h"

namespace aio {

double Median(std::vector<double> values);  // not empty

// GB/s at which `pool` reads `memory` (a model's weights, as they lie) from end to end, at
// least `bytes_min` in all; 0 for less than 1 MiB. Memory that is small is read again and again,
// which then measures a cache.
double ReadBandwidth(std::span<const std::byte> memory, ThreadPool& pool, const Clock& clock,
                     int64_t bytes_min = int64_t{4} << 30);

}  // namespace aio

#endif  // AIO_APP_READ_BANDWIDTH_H_
