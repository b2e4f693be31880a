#include "discovery/replica_feed.h"

#include <algorithm>
#include <utility>

namespace aio {

void ReplicaFeed::Publish(std::vector<ReplicaSpec> replicas) {
  std::sort(replicas.begin(), replicas.end());
  replicas.erase(std::unique(replicas.begin(), replicas.end()), replicas.end());
  if (told_ == replicas) return;
  told_ = replicas;
  on_replicas_(std::move(replicas));
}

void ReplicaFeed::Report(const Status& status) {
  const std::string fault = status.ok() ? "" : status.ToString();
  if (fault == fault_) return;
  fault_ = fault;
  on_fault_(status);
}

void ReplicaFeed::EndFirstLook() {
  {
    const std::lock_guard lock(mutex_);
    looked_ = true;
  }
  first_look_.notify_all();
}

void ReplicaFeed::WaitForFirstLook(Duration at_most) {
  std::unique_lock lock(mutex_);
  first_look_.wait_for(lock, at_most, [this] { return looked_; });
}

}  // namespace aio
