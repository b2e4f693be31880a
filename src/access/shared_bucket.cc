#include "access/shared_bucket.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"

namespace aio {
namespace {

// When a program has used its share of what is left, it will have learnt of more by then.
constexpr Duration kLearnsWithin = std::chrono::seconds(1);

// Of each limit, used or not, a program that can learn has learnt by then (SharedLimits' rounds).
constexpr Duration kLessonLasts = std::chrono::seconds(6);

}  // namespace

SharedBucket::SharedBucket(double capacity, Duration period, TimePoint now)
    : period_(period), whole_(capacity, period, now), share_(capacity, period, now) {}

void SharedBucket::Take(double amount, TimePoint now) {
  whole_.Take(amount, now);
  share_.Take(amount, now);
  unreported_ += amount;
}

void SharedBucket::Give(double amount, TimePoint now) {
  whole_.Give(amount, now);
  share_.Give(amount, now);
  unreported_ -= amount;
}

void SharedBucket::Resize(double capacity, TimePoint now) {
  whole_.Resize(capacity, now);
  share_.Resize(capacity / members_, now);
}

Duration SharedBucket::Until(double amount, TimePoint now) const {
  // The others give of the whole too: who does not hear of them must leave it to time, at the rate
  // of the share, to bring what is larger than that.
  if (members_ == 1 || now - learnt_ > kLessonLasts) return share_.Until(amount, now);
  const Duration whole = whole_.Until(amount, now);
  if (amount > share_.capacity()) return whole;
  const Duration share = share_.Until(amount, now);
  if (share == Duration::zero()) return share;
  // The next lesson may give a larger share, at the latest when there is as much for each.
  const Duration for_each = whole_.Until(std::min(amount * members_, capacity()), now);
  return std::min(share, std::max(for_each, kLearnsWithin));
}

double SharedBucket::Remaining(TimePoint now) const {
  const double here = share_.Level(now);
  const double all = std::max(0.0, whole_.Level(now));
  // A limit of less than one for each is taken from as a whole.
  return here < std::min(1.0, share_.capacity()) ? 0 : all;
}

double SharedBucket::BeginReport(TimePoint now) {
  reporting_ = unreported_;
  return std::min(unreported_, share_.capacity() - share_.Level(now));
}

void SharedBucket::Learn(double level, int members, TimePoint now) {
  AIO_CHECK(members >= 1);
  members_ = members;
  learnt_ = now;
  unreported_ -= std::exchange(reporting_, 0);  // what is left came after the report
  whole_.Set(level - unreported_, now);
  share_ = TokenBucket(capacity() / members, period_, now);
  share_.Set(level / members - unreported_, now);
}

}  // namespace aio
