// One kind of discovery: what its thread does.
#ifndef AIO_DISCOVERY_REPLICA_SOURCE_H_
#define AIO_DISCOVERY_REPLICA_SOURCE_H_

#include <memory>
#include <stop_token>

#include "base/clock.h"
#include "base/status.h"
#include "discovery/discovery.h"
#include "discovery/replica_feed.h"

namespace aio {

class ReplicaSource {
 public:
  virtual ~ReplicaSource() = default;
  // Until `stop`: tells `feed` what there is, and when its first look is over.
  virtual void Run(ReplicaFeed& feed, std::stop_token stop) = 0;
};

// Looks again and again, at `interval`, give or take a fifth: many processes that were started at
// once shall not ask at once.
class PollingSource : public ReplicaSource {
 public:
  explicit PollingSource(Duration interval) : interval_(interval) {}
  void Run(ReplicaFeed& feed, std::stop_token stop) final;

 protected:
  // One look; says how it ended. `stop` says whether there is still any use in it.
  virtual Status Look(ReplicaFeed& feed, const std::stop_token& stop) = 0;

 private:
  const Duration interval_;
};

// Waits for so long, or until `stop`.
void WaitUnlessStopped(Duration duration, const std::stop_token& stop);
// `duration`, give or take a fifth.
Duration Jittered(Duration duration);

// Faults are those of the settings.
Result<std::unique_ptr<ReplicaSource>> MakeDnsSource(const DiscoverySettings& settings,
                                                     const Clock& clock);
Result<std::unique_ptr<ReplicaSource>> MakeSrvSource(const DiscoverySettings& settings,
                                                     const Clock& clock);
Result<std::unique_ptr<ReplicaSource>> MakeFileSource(const DiscoverySettings& settings);
Result<std::unique_ptr<ReplicaSource>> MakeKubernetesSource(const DiscoverySettings& settings,
                                                            const Clock& clock);

}  // namespace aio

#endif  // AIO_DISCOVERY_REPLICA_SOURCE_H_
