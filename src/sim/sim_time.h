// Simulated time as numbers of people have it.
#ifndef AIO_SIM_SIM_TIME_H_
#define AIO_SIM_SIM_TIME_H_

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace aio {

// No simulation takes longer; a Duration holds nine times as much.
inline constexpr double kSimSecondsMax = 1e9;

// What is beyond kSimSecondsMax is that.
inline Duration SimSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::clamp(seconds, 0.0, kSimSecondsMax)));
}

}  // namespace aio

#endif  // AIO_SIM_SIM_TIME_H_
