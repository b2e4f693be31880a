#include "discovery/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "base/utf8.h"
#include "discovery/replica_feed.h"
#include "discovery/replica_source.h"
#include "discovery/replica_url.h"

namespace aio {
namespace {

constexpr auto kFirstLookMax = std::chrono::seconds(5);

constexpr std::array<std::pair<DiscoveryKind, std::string_view>, 5> kKinds = {{
    {DiscoveryKind::kStatic, "static"},
    {DiscoveryKind::kDns, "dns"},
    {DiscoveryKind::kSrv, "srv"},
    {DiscoveryKind::kFile, "file"},
    {DiscoveryKind::kKubernetes, "kubernetes"},
}};

// A list that does not change.
class StaticSource final : public ReplicaSource {
 public:
  explicit StaticSource(std::vector<ReplicaSpec> replicas) : replicas_(std::move(replicas)) {}
  void Run(ReplicaFeed& feed, std::stop_token) override {
    feed.Publish(replicas_);
    feed.EndFirstLook();
  }

 private:
  const std::vector<ReplicaSpec> replicas_;
};

class RunningDiscovery final : public Discovery {
 public:
  RunningDiscovery(std::unique_ptr<ReplicaSource> source, ReplicasCallback on_replicas,
                   DiscoveryFaultCallback on_fault)
      : source_(std::move(source)),
        feed_(std::move(on_replicas), std::move(on_fault)),
        thread_([this](std::stop_token stop) { source_->Run(feed_, std::move(stop)); }) {
    feed_.WaitForFirstLook(kFirstLookMax);
  }

 private:
  std::unique_ptr<ReplicaSource> source_;
  ReplicaFeed feed_;
  std::jthread thread_;  // last: it uses the others
};

Status CheckWeight(double weight) {
  if (weight >= kReplicaWeightMin && weight <= kReplicaWeightMax) return Status::Ok();
  return InvalidArgument(fmt::format("weight {} is not from {} to {}", weight, kReplicaWeightMin,
                                     kReplicaWeightMax))
      .WithParam("weight");
}

Status CheckReplicas(const std::vector<ReplicaSpec>& replicas) {
  if (replicas.size() > kReplicasMax) {
    return InvalidArgument(
        fmt::format("{} replicas; at most {} can be used", replicas.size(), kReplicasMax));
  }
  for (const ReplicaSpec& replica : replicas) {
    AIO_RETURN_IF_ERROR(CheckReplicaUrl(replica.url));
    AIO_RETURN_IF_ERROR(CheckWeight(replica.weight));
    if (replica.address.empty() || IsIpAddress(replica.address)) continue;
    return InvalidArgument(fmt::format("'{}': its address '{}' is no IP address", replica.url,
                                       ReplaceInvalidUtf8(replica.address)));
  }
  return Status::Ok();
}

Result<std::unique_ptr<ReplicaSource>> MakeSource(const DiscoverySettings& settings,
                                                  const Clock& clock) {
  AIO_RETURN_IF_ERROR(CheckWeight(settings.weight));
  if (settings.interval <= Duration::zero()) {
    return InvalidArgument("the interval of discovery must be above 0").WithParam("interval");
  }
  switch (settings.kind) {
    case DiscoveryKind::kStatic: {
      AIO_RETURN_IF_ERROR(CheckReplicas(settings.replicas));
      return std::unique_ptr<ReplicaSource>(std::make_unique<StaticSource>(settings.replicas));
    }
    case DiscoveryKind::kDns:
      return MakeDnsSource(settings, clock);
    case DiscoveryKind::kSrv:
      return MakeSrvSource(settings, clock);
    case DiscoveryKind::kFile:
      return MakeFileSource(settings);
    case DiscoveryKind::kKubernetes:
      return MakeKubernetesSource(settings, clock);
  }
  return InvalidArgument("there is no such kind of discovery");
}

}  // namespace

std::optional<DiscoveryKind> ReadDiscoveryKind(std::string_view name) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const auto& kind) { return kind.second == name; });
  if (found == kKinds.end()) return std::nullopt;
  return found->first;
}

std::string_view DiscoveryKindName(DiscoveryKind kind) {
  return kKinds[static_cast<size_t>(kind)].second;
}

Result<std::unique_ptr<Discovery>> StartDiscovery(const DiscoverySettings& settings,
                                                  const Clock& clock, ReplicasCallback on_replicas,
                                                  DiscoveryFaultCallback on_fault) {
  AIO_ASSIGN_OR_RETURN(auto source, MakeSource(settings, clock));
  return std::unique_ptr<Discovery>(std::make_unique<RunningDiscovery>(
      std::move(source), std::move(on_replicas), std::move(on_fault)));
}

}  // namespace aio
