// One replica of a model as this process sees it: how much it has to do, and whether it can be
// trusted with more. Internal to remote/.
#ifndef AIO_REMOTE_REPLICA_H_
#define AIO_REMOTE_REPLICA_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "discovery/replica_spec.h"

namespace aio {

class ReplicaLease;

// What makes a replica be left alone for a while, and how it comes back.
struct ReplicaLimits {
  int failures_max = 3;                         // of requests, in a row: ejected
  int failed_checks_max = 2;                    // of health checks, in a row: down
  Duration ejection = std::chrono::seconds(2);  // the first; each one that follows is twice as long
  Duration ejection_max = std::chrono::seconds(60);
  Duration slow_start = std::chrono::seconds(10);  // from a tenth of its share to the whole
  // An outlier: so many times slower than the median of the others, to the first token or between
  // tokens, in so many answers.
  double slow_factor = 4;
  int slow_samples_min = 10;
  Duration slow_least = std::chrono::milliseconds(20);  // less of a difference is noise

  friend bool operator==(const ReplicaLimits&, const ReplicaLimits&) = default;
};

// An average that forgets.
class MovingAverage {
 public:
  void Add(double value) {
    constexpr double kWeight = 0.1;
    value_ = samples_++ == 0 ? value : value_ + kWeight * (value - value_);
  }
  double value() const { return value_; }
  int samples() const { return samples_; }
  void Clear() { *this = {}; }

 private:
  double value_ = 0;
  int samples_ = 0;
};

enum class ReplicaState {
  kReady,
  kOnTrial,   // its ejection is over: one request at a time shows whether it is well
  kEjected,   // left alone for a while
  kDown,      // health checks fail
  kDraining,  // gets nothing new
};

std::string_view ReplicaStateName(ReplicaState state);  // "ready", "trial", "ejected", ...

// What tells replicas apart: one URL may stand for several addresses.
std::string KeyOf(const ReplicaSpec& spec);

// Not thread-safe, but for key().
class Replica {
 public:
  Replica(ReplicaSpec spec, const ReplicaLimits& limits);

  const ReplicaSpec& spec() const { return spec_; }
  const std::string& key() const { return key_; }  // KeyOf(spec())
  uint64_t key_hash() const { return key_hash_; }  // the same in every process
  // Of the same key.
  void set_spec(ReplicaSpec spec) { spec_ = std::move(spec); }
  // Nobody lists it any more: it goes with its last request.
  void Retire() { spec_.draining = true; }

  ReplicaState state(TimePoint now) const;
  // Whether a request may be given to it: it is ready, or its trial is due.
  bool Takes(TimePoint now) const;
  // Its share against the others': weight, less while it starts.
  double Share(TimePoint now) const;
  bool IsBusy(TimePoint now) const { return now < busy_until_; }  // by its own word

  // What it has been given and not answered yet.
  int64_t outstanding_tokens() const { return outstanding_tokens_; }
  int running() const { return static_cast<int>(leases_.size()); }
  void Add(ReplicaLease* lease, int64_t tokens, TimePoint now);
  void Progress(int64_t tokens, TimePoint now) {
    outstanding_tokens_ -= tokens;
    answered_at_ = now;
  }
  void Remove(ReplicaLease* lease, int64_t tokens);
  const std::set<ReplicaLease*>& leases() const { return leases_; }

  // When the last part of any answer came.
  TimePoint answered_at() const { return answered_at_; }

  // How a request ended. True: the replica is away from now on. While it is ejected or on trial,
  // its trial alone tells how it is: others were begun before.
  void OnSuccess(const ReplicaLease* lease, TimePoint now);
  bool OnFailure(const ReplicaLease* lease, TimePoint now);
  void OnBusy(TimePoint until) { busy_until_ = std::max(busy_until_, until); }
  void Eject(TimePoint now);
  // How a health check ended. True: it is down from now on.
  bool OnCheck(bool well, TimePoint now);

  MovingAverage& first_token_ms() { return first_token_ms_; }
  MovingAverage& token_ms() { return token_ms_; }

  int64_t requests() const { return requests_; }
  int64_t failures() const { return failures_; }
  int64_t ejections() const { return ejections_; }

 private:
  void ComeBack(TimePoint now);

  ReplicaSpec spec_;
  const std::string key_;
  const uint64_t key_hash_;
  const ReplicaLimits limits_;
  int64_t outstanding_tokens_ = 0;
  std::set<ReplicaLease*> leases_;
  int failures_in_row_ = 0;
  int failed_checks_ = 0;
  bool is_down_ = false;
  bool is_ejected_ = false;  // until a trial has gone well
  TimePoint ejected_until_{};
  int ejections_in_row_ = 0;
  std::optional<TimePoint> back_at_;  // from the last time that it was away
  ReplicaLease* trial_ = nullptr;
  TimePoint answered_at_ = TimePoint::min();
  TimePoint busy_until_ = TimePoint::min();
  TimePoint slow_until_ = TimePoint::min();  // the slow start's end
  MovingAverage first_token_ms_;
  MovingAverage token_ms_;
  int64_t requests_ = 0;
  int64_t failures_ = 0;
  int64_t ejections_ = 0;
};

}  // namespace aio

#endif  // AIO_REMOTE_REPLICA_H_
