// How many tokens a prompt has, where only the engine can tell: learnt from what it has told.
#ifndef AIO_REMOTE_TOKEN_RATIO_H_
#define AIO_REMOTE_TOKEN_RATIO_H_

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>

namespace aio {

// Thread-safe.
class TokenRatio {
 public:
  int Estimate(size_t bytes) const {
    constexpr double kMost = 1e9;
    return static_cast<int>(
               std::min(kMost, std::ceil(static_cast<double>(bytes) * ratio_.load()))) +
           1;
  }
  // Short prompts are mostly the template's tokens, and say little.
  void Observe(size_t bytes, int tokens) {
    constexpr size_t kLeastBytes = 64;
    if (bytes < kLeastBytes || tokens <= 0) return;
    constexpr double kWeight = 0.05;
    const double seen = std::clamp(tokens / static_cast<double>(bytes), 0.1, 0.5);
    const double known = ratio_.load();
    ratio_.store(known + kWeight * (seen - known));  // a lost update is no loss
  }

 private:
  std::atomic<double> ratio_{0.25};
};

}  // namespace aio

#endif  // AIO_REMOTE_TOKEN_RATIO_H_
