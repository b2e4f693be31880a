#include "discovery/replica_spec.h"

#include <fmt/format.h>

#include <tuple>

#include "discovery/replica_url.h"

namespace aio {

bool operator<(const ReplicaSpec& a, const ReplicaSpec& b) {
  const auto key = [](const ReplicaSpec& r) {
    return std::tie(r.url, r.address, r.port, r.strategy, r.zone, r.weight, r.draining);
  };
  return key(a) < key(b);
}

Status CheckReplicaUrl(std::string_view url) {
  AIO_ASSIGN_OR_RETURN(const ReplicaUrl parts, SplitReplicaUrl(url));
  if (!parts.port.empty() && !ReadPort(parts.port)) {
    return InvalidArgument(
        fmt::format("'{}': '{}' is no port; write a number from 1 to 65535", url, parts.port));
  }
  return Status::Ok();
}

}  // namespace aio
