// A progress bar with time left on standard error, for work that takes more than a moment.
#ifndef AIO_BASE_PROGRESS_H_
#define AIO_BASE_PROGRESS_H_

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace aio {

// Not thread-safe. Silent unless standard error is a terminal.
class ProgressBar {
 public:
  ProgressBar(std::string label, int64_t total, const Clock& clock);
  ~ProgressBar();  // clears the line
  void Update(int64_t done);

 private:
  std::string label_;
  int64_t total_;
  const Clock& clock_;
  TimePoint start_;
  TimePoint last_drawn_;
  bool enabled_;
};

// "42/300 [=====>    ] 14% 1m12s left": what Update() draws.
std::string FormatProgress(int64_t done, int64_t total, Duration elapsed);

}  // namespace aio

#endif  // AIO_BASE_PROGRESS_H_
