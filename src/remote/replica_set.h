// The replicas of one model, and which of them gets the next request.
#ifndef AIO_REMOTE_REPLICA_SET_H_
#define AIO_REMOTE_REPLICA_SET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "discovery/replica_spec.h"
#include "remote/replica.h"

namespace aio {

struct ReplicaSetOptions {
  ReplicaLimits limits = {};
  std::string zone = {};  // ours: its replicas come before others; empty: all are alike
  uint64_t seed = 0;      // of the choices that are made by chance

  friend bool operator==(const ReplicaSetOptions&, const ReplicaSetOptions&) = default;
};

// What is known of a request when a replica is chosen for it.
struct ReplicaQuery {
  std::string_view strategy = {};  // only replicas started with it, if there are any; empty: all
  // Replicas that speculate refuse it: only those started with "plain", or with none that is named,
  // if there are any at all.
  bool only_plain = false;
  // Requests with equal ones go to one replica while that has not too much to do; 0: to any.
  uint64_t affinity = 0;
  int64_t tokens = 1;  // of the prompt and the answer, as estimated
  // KeyOf() where it has been tried: not there again, if there is another.
  std::vector<std::string> tried_urls = {};
  // KeyOf() where the prompt's KV is; empty: nowhere.
  std::string url_with_prompt = {};
};

// One request's place at a replica. For one thread; gives the place back in the end.
class ReplicaLease {
 public:
  ~ReplicaLease();
  ReplicaLease(const ReplicaLease&) = delete;
  ReplicaLease& operator=(const ReplicaLease&) = delete;

  const ReplicaSpec& spec() const { return spec_; }
  // So many tokens less are to come.
  void Progress(int64_t tokens);
  void NoMore();  // none is to come
  // At most one of these, then nothing more:
  void Succeeded(std::optional<Duration> first_token, std::optional<Duration> per_token);
  void Failed(std::string_view why);  // the replica's own fault; `why` is for its owner
  // It has taken too long: busy if others have had answers since then, else failed.
  void Overdue(TimePoint since);
  void RefusedFor(Duration retry_after);  // it says that it is busy
  // Called, once at most and on the thread that finds out, when the replica turns out to be away
  // and this request has had nothing from it: it had better go elsewhere.
  void set_on_away(std::function<void()> on_away) { on_away_ = std::move(on_away); }
  void set_has_started() { on_away_ = nullptr; }

 private:
  friend class ReplicaSet;
  ReplicaLease(class ReplicaSet& set, std::shared_ptr<Replica> replica, int64_t tokens);

  ReplicaSet& set_;
  const std::shared_ptr<Replica> replica_;
  const ReplicaSpec spec_;
  int64_t tokens_;  // still outstanding
  std::function<void()> on_away_;
};

// For metrics and people.
struct ReplicaReading {
  std::string key;  // KeyOf()
  std::string strategy;
  std::string zone;
  ReplicaState state = ReplicaState::kReady;
  int running = 0;
  int64_t outstanding_tokens = 0;
  int64_t requests = 0;
  int64_t failures = 0;
  int64_t ejections = 0;
  double first_token_ms = 0;  // lately; 0: unknown
  double token_ms = 0;        // likewise
};

// Of the replica with this KeyOf(): it gets no requests from now on (ejected, down), or again
// (ready). `why`, of the former, is for its owner, and may have words of the engine's in it. Called
// by the thread that has found out.
using ReplicaStateCallback =
    std::function<void(const std::string& key, ReplicaState state, std::string_view why)>;

// Thread-safe, but for the callbacks of leases, which are one thread's.
class ReplicaSet {
 public:
  // `now` is called from any thread. `on_state` may be empty.
  ReplicaSet(ReplicaSetOptions options, std::function<TimePoint()> now,
             ReplicaStateCallback on_state = {});

  // All that there are from now on. Those that are not among them get nothing new.
  void Update(const std::vector<ReplicaSpec>& specs);

  // Null if there is no replica at all. If none is well, one that is not: all may be wrong, and
  // nobody else is there.
  std::unique_ptr<ReplicaLease> Choose(const ReplicaQuery& query);

  // What a health check of the one with this KeyOf() found.
  void OnCheck(const std::string& key, bool well, std::string_view why = {});

  std::vector<ReplicaSpec> specs() const;
  std::vector<ReplicaReading> Readings() const;
  // The strategies that replicas which may be asked were started with.
  std::vector<std::string> Strategies() const;
  // Whether one may be asked that has none of these keys; `only_plain` as in a query.
  bool HasReady(const std::vector<std::string>& but = {}, bool only_plain = false) const;

 private:
  friend class ReplicaLease;
  using Replicas = std::vector<std::shared_ptr<Replica>>;

  // mutex_ is held:
  Replicas Candidates(const ReplicaQuery& query, TimePoint now) const;
  std::shared_ptr<Replica> ChooseAmong(const Replicas& candidates, const ReplicaQuery& query,
                                       TimePoint now);
  std::shared_ptr<Replica> ByAffinity(const Replicas& candidates, const ReplicaQuery& query,
                                      TimePoint now) const;
  std::shared_ptr<Replica> ByLoad(const Replicas& candidates, const ReplicaQuery& query,
                                  TimePoint now);
  bool IsNear(const Replica& replica) const;  // in our zone, as far as that is known
  double ZoneShare(const Replica& replica, TimePoint now) const;
  double Load(const Replica& replica, int64_t tokens, TimePoint now) const;
  bool IsSlow(Replica& suspect) const;
  // Does `change` with the lock held, which says whether those that wait for the replica had better
  // go elsewhere; tells these, and what the change made of the replica, without the lock.
  void Change(Replica& replica, std::string_view why,
              const std::function<bool(TimePoint now)>& change);

  const ReplicaSetOptions options_;
  const std::function<TimePoint()> now_;
  const ReplicaStateCallback on_state_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  Replicas replicas_;
  Replicas retired_;  // with requests still
  std::mt19937_64 random_;
};

}  // namespace aio

#endif  // AIO_REMOTE_REPLICA_SET_H_
