// How many requests may be tried again, so that retries cannot drown replicas that are in trouble
// already.
#ifndef AIO_REMOTE_RETRY_BUDGET_H_
#define AIO_REMOTE_RETRY_BUDGET_H_

#include <algorithm>

namespace aio {

// A share of all requests, and a reserve for the moment in which a replica dies with all that it
// has. Not thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(double share = 0.2, double reserve = 200)
      : share_(share), reserve_(reserve), left_(reserve) {}

  void OnRequest() { left_ = std::min(reserve_, left_ + share_); }
  bool Take() { return TakeAbove(0); }
  // For what has not failed yet: half of the reserve is left to what has.
  bool TakeSpare() { return TakeAbove(reserve_ / 2); }

 private:
  bool TakeAbove(double least) {
    if (left_ - 1 < least) return false;
    left_ -= 1;
    return true;
  }

  const double share_;
  const double reserve_;
  double left_;
};

}  // namespace aio

#endif  // AIO_REMOTE_RETRY_BUDGET_H_
