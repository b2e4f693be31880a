// Keeps what a discovery tells, and waits for it.
#ifndef AIO_DISCOVERY_TESTING_TOLD_H_
#define AIO_DISCOVERY_TESTING_TOLD_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "discovery/discovery.h"

namespace aio {

// Thread-safe.
class Told {
 public:
  ReplicasCallback OnReplicas() {
    return [this](std::vector<ReplicaSpec> replicas) {
      Change([&] { sets_.push_back(std::move(replicas)); });
    };
  }
  DiscoveryFaultCallback OnFault() {
    return [this](const Status& status) { Change([&] { faults_.push_back(status); }); };
  }

  std::vector<std::vector<ReplicaSpec>> sets() const {
    const std::lock_guard lock(mutex_);
    return sets_;
  }
  std::vector<Status> faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

  // Of the last set: "url address:port" or "url", one each; waits until it is `expected`.
  bool WaitForSet(const std::vector<std::string>& expected) {
    return WaitFor([&] { return !sets_.empty() && Names(sets_.back()) == expected; });
  }
  // Waits for `count` sets or faults in all.
  bool WaitForSets(size_t count) {
    return WaitFor([&] { return sets_.size() >= count; });
  }
  bool WaitForFaults(size_t count) {
    return WaitFor([&] { return faults_.size() >= count; });
  }

  static std::vector<std::string> Names(const std::vector<ReplicaSpec>& replicas) {
    std::vector<std::string> names;
    for (const ReplicaSpec& replica : replicas) {
      std::string& name = names.emplace_back(replica.url);
      if (!replica.address.empty()) name += " " + replica.address;
      if (replica.port != 0) name += ":" + std::to_string(replica.port);
      if (replica.draining) name += " draining";
    }
    return names;
  }

 private:
  void Change(const std::function<void()>& change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }

  bool WaitFor(const std::function<bool()>& is_so) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), is_so);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<ReplicaSpec>> sets_;  // guarded by mutex_, as the next
  std::vector<Status> faults_;
};

}  // namespace aio

#endif  // AIO_DISCOVERY_TESTING_TOLD_H_
