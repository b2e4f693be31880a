// What a discovery tells its owner: each set and each fault once.
#ifndef AIO_DISCOVERY_REPLICA_FEED_H_
#define AIO_DISCOVERY_REPLICA_FEED_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "discovery/discovery.h"

namespace aio {

// Used by the discovery's thread, except WaitForFirstLook().
class ReplicaFeed {
 public:
  ReplicaFeed(ReplicasCallback on_replicas, DiscoveryFaultCallback on_fault)
      : on_replicas_(std::move(on_replicas)), on_fault_(std::move(on_fault)) {}

  // Sorts and tells them if they are others than before.
  void Publish(std::vector<ReplicaSpec> replicas);
  // Tells how a look ended, if that is another fault than before, or none after one.
  void Report(const Status& status);
  // The first look is over, however it ended.
  void EndFirstLook();

  void WaitForFirstLook(Duration at_most);

 private:
  const ReplicasCallback on_replicas_;
  const DiscoveryFaultCallback on_fault_;
  std::optional<std::vector<ReplicaSpec>> told_;
  std::string fault_;  // last told; empty: none

  std::mutex mutex_;
  std::condition_variable first_look_;
  bool looked_ = false;  // guarded by mutex_
};

}  // namespace aio

#endif  // AIO_DISCOVERY_REPLICA_FEED_H_
