#include "discovery/replica_source.h"

#include <condition_variable>
#include <mutex>

#include "base/random_bits.h"

namespace aio {

void PollingSource::Run(ReplicaFeed& feed, std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Status looked = Look(feed, stop);
    if (stop.stop_requested()) return;
    feed.Report(looked);
    feed.EndFirstLook();
    WaitUnlessStopped(Jittered(interval_), stop);
  }
}

void WaitUnlessStopped(Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
}

Duration Jittered(Duration duration) {
  constexpr double kShare = 0.2;
  constexpr int kRandomBits = 53;
  const double random = static_cast<double>(RandomBits() >> (64 - kRandomBits)) /
                        static_cast<double>(uint64_t{1} << kRandomBits);
  const double factor = 1 - kShare + 2 * kShare * random;
  return Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor));
}

}  // namespace aio
