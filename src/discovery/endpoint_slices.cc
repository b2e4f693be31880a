#include "discovery/endpoint_slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace aio {
namespace {

// The port of `slice` that was asked for, by number or by name; the only one if none was.
std::optional<int> PortOf(const EndpointSlice& slice, const std::string& asked) {
  if (asked.empty()) {
    if (slice.ports.size() != 1 || slice.ports.front().number == 0) return std::nullopt;
    return slice.ports.front().number;
  }
  const std::optional<int> number = ReadPort(asked);
  for (const SlicePort& port : slice.ports) {
    if (port.number != 0 && (number ? port.number == *number : port.name == asked)) {
      return port.number;
    }
  }
  return std::nullopt;
}

Status NoSuchPort(const EndpointSlice& slice, const std::string& asked) {
  std::string ports;
  for (const SlicePort& port : slice.ports) {
    ports += (ports.empty() ? "" : ", ") + (port.name.empty()
                                                ? std::to_string(port.number)
                                                : fmt::format("{} ({})", port.number, port.name));
  }
  if (ports.empty()) ports = "none";
  if (asked.empty()) {
    return InvalidArgument(
        fmt::format("the Service has not one port; write which. Its pods listen on: {}", ports));
  }
  return InvalidArgument(fmt::format(
      "no port '{}'; write what its pods listen on, as number or name: {}", asked, ports));
}

ReplicaSpec ReplicaOf(const EndpointSlice& slice, const SliceEndpoint& endpoint, int port,
                      const ReplicaUrl& url, const ReplicaSpec& defaults) {
  ReplicaSpec replica = defaults;
  ReplicaUrl own = url;
  own.port = std::to_string(port);
  if (slice.holds_names) {
    own.host = endpoint.address;
  } else {
    replica.address = endpoint.address;
    replica.port = port;
  }
  replica.url = JoinReplicaUrl(own);
  if (!endpoint.zone.empty()) replica.zone = endpoint.zone;
  replica.draining = endpoint.terminating;
  return replica;
}

// Of two that are one: what is not draining, then IPv4, so that the choice does not waver.
bool IsBetter(const ReplicaSpec& a, const ReplicaSpec& b) {
  const auto key = [](const ReplicaSpec& r) {
    return std::tuple(r.draining, r.address.find(':') != std::string::npos, r.address, r.zone);
  };
  return key(a) < key(b);
}

}  // namespace

Result<SliceReplicas> ReplicasOf(const EndpointSlices& slices, const KubernetesService& service,
                                 const ReplicaSpec& defaults) {
  SliceReplicas found;
  std::map<std::string, ReplicaSpec> by_identity;
  for (const auto& [name, slice] : slices) {
    if (slice.endpoints.empty()) continue;
    const std::optional<int> port = PortOf(slice, service.url.port);
    if (!port) {
      found.fault = NoSuchPort(slice, service.url.port);
      continue;
    }
    for (const SliceEndpoint& endpoint : slice.endpoints) {
      if (!endpoint.ready && !endpoint.terminating) continue;
      ReplicaSpec replica = ReplicaOf(slice, endpoint, *port, service.url, defaults);
      const std::string identity =
          endpoint.pod_uid.empty() ? endpoint.address : "pod " + endpoint.pod_uid;
      const auto [place, is_new] = by_identity.emplace(identity, replica);
      if (!is_new && IsBetter(replica, place->second)) place->second = std::move(replica);
    }
  }
  if (by_identity.size() > kReplicasMax) {
    return ResourceExhausted(
        fmt::format("{} endpoints; at most {} can be used", by_identity.size(), kReplicasMax));
  }
  for (auto& [identity, replica] : by_identity) found.replicas.push_back(std::move(replica));
  if (slices.empty()) {
    found.fault =
        NotFound(fmt::format("no EndpointSlices; is there a Service '{}' in namespace "
                             "'{}'?",
                             service.name, service.name_space));
  }
  return found;
}

}  // namespace aio
