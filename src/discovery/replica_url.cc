#include "discovery/replica_url.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "discovery/replica_spec.h"

namespace aio {
namespace {

constexpr size_t kUrlBytesMax = 2048;
constexpr size_t kHostBytesMax = 254;  // RFC 1035's 253, and a dot at the end
constexpr size_t kLabelBytesMax = 63;

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Status Bad(std::string_view url, std::string_view what) {
  constexpr size_t kShownMax = 200;
  return InvalidArgument(
      fmt::format("'{}': {}", ReplaceInvalidUtf8(url.substr(0, kShownMax)), what));
}

bool IsIpv6(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

Status CheckCharacters(std::string_view url) {
  if (url.size() > kUrlBytesMax) {
    return Bad(url, fmt::format("longer than {} bytes", kUrlBytesMax));
  }
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::all_of(url.begin(), url.end(), is_plain)) {
    return Bad(url, "has blanks or characters that stand in no URL; leave them out");
  }
  if (url.find('?') != url.npos) return Bad(url, "has a query; leave out '?' and what follows");
  if (url.find('#') != url.npos) return Bad(url, "has a fragment; leave out '#' and what follows");
  return Status::Ok();
}

// Host and port of "host", "host:8000", "[::1]:8000".
Status SplitAuthority(std::string_view url, std::string_view authority, ReplicaUrl& parts) {
  if (authority.find('@') != authority.npos) {
    return Bad(url, "has a user or password; leave out what stands before '@'");
  }
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : authority.npos;
  const size_t colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  parts.host = authority.substr(0, colon);
  if (colon != authority.npos) {
    parts.port = authority.substr(colon + 1);
    if (parts.port.empty()) return Bad(url, "has ':' but no port after it");
  }
  if (parts.host.empty()) return Bad(url, "has no host; write http://HOST:PORT");
  if (parts.host.front() == '[') {
    if (parts.host.back() != ']' || !IsIpv6(parts.host.substr(1, parts.host.size() - 2))) {
      return Bad(url, "has brackets around what is no IPv6 address");
    }
    parts.host = parts.host.substr(1, parts.host.size() - 2);
    return Status::Ok();
  }
  if (!IsHostName(parts.host)) {
    return Bad(url, fmt::format("'{}' is no host; write a name, an IPv4 address, or an IPv6 "
                                "address in brackets",
                                parts.host));
  }
  return Status::Ok();
}

}  // namespace

Result<ReplicaUrl> SplitReplicaUrl(std::string_view url) {
  AIO_RETURN_IF_ERROR(CheckCharacters(url));
  ReplicaUrl parts;
  const size_t end_of_scheme = url.find("://");
  parts.scheme = url.substr(0, end_of_scheme == url.npos ? 0 : end_of_scheme);
  if (parts.scheme != "http" && parts.scheme != "https") {
    return Bad(url, "is neither http:// nor https://; write http://HOST:PORT or https://HOST");
  }
  const std::string_view rest = url.substr(end_of_scheme + 3);
  const size_t slash = std::min(rest.find('/'), rest.size());
  AIO_RETURN_IF_ERROR(SplitAuthority(url, rest.substr(0, slash), parts));
  parts.path = rest.substr(slash);
  if (parts.path.ends_with('/')) return Bad(url, "ends with '/'; leave it out");
  if (parts.path.ends_with("/v1")) return Bad(url, "ends with '/v1', which is added; leave it out");
  return parts;
}

std::string JoinReplicaUrl(const ReplicaUrl& parts) {
  const bool bare = parts.host.find(':') == std::string::npos;
  std::string url = parts.scheme + "://" + (bare ? parts.host : "[" + parts.host + "]");
  if (!parts.port.empty()) url += ":" + parts.port;
  return url + parts.path;
}

std::optional<int> ReadPort(std::string_view text) {
  constexpr int kPortMax = 65535;
  int port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (port < 1 || port > kPortMax) return std::nullopt;
  return port;
}

bool IsHostName(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() >= kHostBytesMax) return false;
  size_t label = 0;
  for (const char c : host) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    if (!IsLetterOrDigit(c) && c != '-' && c != '_') return false;
    if (++label > kLabelBytesMax) return false;
  }
  return label > 0;
}

bool IsIpAddress(const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;  // C would not see what follows
  in_addr ignored{};
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 || IsIpv6(text);
}

}  // namespace aio
