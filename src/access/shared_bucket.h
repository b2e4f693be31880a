// A token bucket that several programs take from. Pure: time is an argument, and so is what the
// others did.
//
// Where the bucket is kept, its level is exact, a little later: each program tells what it took,
// and learns the level, and how many programs there are. Until it learns again it takes no more
// than its share, the level divided by their number, so that all of them together take no more
// than there is if they learnt at the same time. If they did not, some have shares of a level that
// is gone since: then up to (members - 1) / members of the capacity is taken too much, once, for
// the level is negative then, and nobody takes anything until time has repaid it. What is larger
// than a whole share is taken from the level as it was learnt; of such, each program may take one
// capacity's worth between two lessons, which is repaid likewise.
//
// A program that cannot learn keeps to its share of the refill: together they still keep the
// limit. What is larger than a whole share then needs a full share, and leaves a debt that the
// share's refill repays. A bucket that never learns is a TokenBucket of one program's own.
#ifndef AIO_ACCESS_SHARED_BUCKET_H_
#define AIO_ACCESS_SHARED_BUCKET_H_

#include "access/token_bucket.h"
#include "base/clock.h"

namespace aio {

class SharedBucket {
 public:
  // As TokenBucket, all of them.
  SharedBucket(double capacity, Duration period, TimePoint now);
  void Take(double amount, TimePoint now);
  void Give(double amount, TimePoint now);
  void Resize(double capacity, TimePoint now);
  double capacity() const { return whole_.capacity(); }

  // Until `amount` may be taken here, or the capacity if that is less; zero: now.
  Duration Until(double amount, TimePoint now) const;

  // What is left for all, as far as is known here, >= 0; 0 if nothing may be taken here.
  double Remaining(TimePoint now) const;
  Duration UntilFull(TimePoint now) const { return whole_.Until(capacity(), now); }

  // What was taken here since the last report that was answered; less given back. Not more than
  // the share lacks: what time has repaid here while nobody could be told, is repaid.
  double BeginReport(TimePoint now);
  // The answer to the last report: the level with it, and the number of programs, >= 1.
  void Learn(double level, int members, TimePoint now);

 private:
  const Duration period_;
  TokenBucket whole_;  // as last learnt, and what was done here since
  TokenBucket share_;  // what may be taken here
  int members_ = 1;
  TimePoint learnt_{};  // when
  double unreported_ = 0;
  double reporting_ = 0;  // of unreported_, what the last report stands for
};

}  // namespace aio

#endif  // AIO_ACCESS_SHARED_BUCKET_H_
