#include "server/foreign_pages.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/headers.h"

namespace aio {
namespace {

constexpr size_t kShownBytesMax = 128;

bool Contains(const std::vector<std::string>& origins, std::string_view origin) {
  return std::find(origins.begin(), origins.end(), origin) != origins.end();
}

// "example.org:8443" of "https://example.org:8443"; empty of "null".
std::string_view AuthorityOf(std::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme == origin.npos ? std::string_view() : origin.substr(scheme + 3);
}

std::string_view WithoutPort(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

// By what the browser says of it, which a proxy's other name for the server does not change; an old
// one, or one without TLS to another machine, says nothing.
bool IsForeign(const HttpRequest& request, std::string_view origin) {
  const std::string_view site = request.headers.Get("sec-fetch-site");
  if (!site.empty()) return site != "same-origin" && site != "none";
  return !SameHeaderName(AuthorityOf(origin), request.headers.Get("host"));
}

// An address, a name without a dot (which only the network's own server resolves), or one that
// means this machine.
bool IsNearby(std::string_view host) {
  const bool is_address =
      host.starts_with('[') || host.find_first_not_of("0123456789.") == host.npos;
  return is_address || host.find('.') == host.npos || host.ends_with(".localhost");
}

bool IsHostOfOne(const std::vector<std::string>& origins, std::string_view host) {
  return std::any_of(origins.begin(), origins.end(), [host](std::string_view origin) {
    return WithoutPort(AuthorityOf(origin)) == host;
  });
}

}  // namespace

Status CheckNoForeignPage(const HttpRequest& request, const std::vector<std::string>& origins,
                          bool on_loopback) {
  if (Contains(origins, "*")) return Status::Ok();
  const std::string_view origin = request.headers.Get("origin");
  if (!origin.empty() && !Contains(origins, origin) && IsForeign(request, origin)) {
    return Status(StatusCode::kPermissionDenied,
                  fmt::format("Pages of {} may not use this server; its owner can name that origin "
                              "in server.cors.origins, or ask for keys.",
                              PrintableAscii(origin, kShownBytesMax)));
  }
  const std::string_view host = WithoutPort(request.headers.Get("host"));
  if (!on_loopback || IsNearby(host) || IsHostOfOne(origins, host)) return Status::Ok();
  return Status(
      StatusCode::kPermissionDenied,
      fmt::format("This server does not go by the name {}; its owner can name the origin "
                  "(https://{} or http://{}) in server.cors.origins, or ask for keys.",
                  PrintableAscii(host, kShownBytesMax), PrintableAscii(host, kShownBytesMax),
                  PrintableAscii(host, kShownBytesMax)));
}

}  // namespace aio
