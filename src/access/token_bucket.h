// A token bucket: an allowance that refills evenly, up to its capacity. Pure: time is an argument.
#ifndef AIO_ACCESS_TOKEN_BUCKET_H_
#define AIO_ACCESS_TOKEN_BUCKET_H_

#include "base/clock.h"

namespace aio {

// Amounts are of whatever is counted: requests, tokens. Times must not run backwards; one before
// the last counts as the last.
class TokenBucket {
 public:
  // Full at first. `capacity` > 0 comes back within `period` > 0.
  TokenBucket(double capacity, Duration period, TimePoint now);

  // What may be taken now. Negative after more was taken than there was: a debt that time repays.
  double Level(TimePoint now) const;
  void Take(double amount, TimePoint now);
  // Takes back; never over the capacity.
  void Give(double amount, TimePoint now);
  // What there is, whatever was thought; never over the capacity.
  void Set(double level, TimePoint now);
  // Until the level is `amount`, or the capacity if that is less; zero if it is.
  Duration Until(double amount, TimePoint now) const;
  // What was used stays used: a bucket that lacked 10 lacks 10.
  void Resize(double capacity, TimePoint now);

  double capacity() const { return capacity_; }

 private:
  double capacity_;
  Duration period_;
  double level_;  // at last_
  TimePoint last_;
};

}  // namespace aio

#endif  // AIO_ACCESS_TOKEN_BUCKET_H_
