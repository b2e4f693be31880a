// The parts of the URLs that discovery reads.
#ifndef AIO_DISCOVERY_REPLICA_URL_H_
#define AIO_DISCOVERY_REPLICA_URL_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aio {

struct ReplicaUrl {
  std::string scheme;  // "http" or "https"
  std::string host;    // IPv6 without its brackets
  std::string port;    // as written; empty: none. Not checked: Kubernetes' ports have names
  std::string path;    // "/prefix", or empty
};

// Parts of a URL that is well-formed but for its port. A fault names the URL and the mend.
Result<ReplicaUrl> SplitReplicaUrl(std::string_view url);
// The URL of these parts, with brackets where the host is IPv6.
std::string JoinReplicaUrl(const ReplicaUrl& parts);

// 1..65535, written in digits alone.
std::optional<int> ReadPort(std::string_view text);

// Letters, digits, '-' and '_' in labels between dots; a dot may end it.
bool IsHostName(std::string_view host);
// An address as ReplicaSpec has them.
bool IsIpAddress(const std::string& text);

}  // namespace aio

#endif  // AIO_DISCOVERY_REPLICA_URL_H_
