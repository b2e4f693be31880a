#include "server/cors.h"

#include <fmt/format.h>

#include <algorithm>

namespace aio {

Status CheckCorsOrigin(std::string_view origin) {
  if (origin == "*") return Status::Ok();
  const size_t scheme = origin.find("://");
  const bool known = origin.starts_with("http://") || origin.starts_with("https://");
  const std::string_view rest = known ? origin.substr(scheme + 3) : std::string_view();
  const bool plain = std::all_of(rest.begin(), rest.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '/' && c != '*' && c != '?' && c != '#' && c != '@' &&
           (c < 'A' || c > 'Z');
  });
  if (!rest.empty() && plain) return Status::Ok();
  return InvalidArgument(fmt::format(
      "'{}' is no origin: write scheme and host in lower case, and a port if it is not the "
      "scheme's own, without a path, such as https://chat.example.org; or \"*\" for all",
      origin));
}

void AddCorsHeaders(const std::vector<std::string>& origins, const HttpRequest& request,
                    HttpHeaders& headers) {
  headers.Add("vary", "Origin");
  const std::string_view origin = request.headers.Get("origin");
  if (origin.empty()) return;
  const auto is = [&](std::string_view text) {
    return std::find(origins.begin(), origins.end(), text) != origins.end();
  };
  if (is("*")) {
    headers.Add("access-control-allow-origin", "*");
  } else if (is(origin)) {
    headers.Add("access-control-allow-origin", std::string(origin));
  } else {
    return;
  }
  headers.Add("access-control-expose-headers",
              "x-request-id, traceresponse, retry-after, x-aio-model, x-aio-intent, x-aio-entropy, "
              "x-aio-strategy, x-aio-reason, x-ratelimit-limit-requests, "
              "x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
              "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens");
}

HttpResponse CorsPreflight(std::string_view method) {
  // Keys travel in a header that the page sets itself, never in cookies: so no credentials.
  return {.status = 200,
          .headers =
              {{"access-control-allow-methods", std::string(method)},
               {"access-control-allow-headers",
                "authorization, content-type, x-api-key, x-request-id, "
                "x-request-timeout-ms, x-session-id, x-conversation-id, traceparent, tracestate, "
                "anthropic-version, anthropic-beta, "
                "anthropic-dangerous-direct-browser-access, x-stainless-arch, "
                "x-stainless-lang, x-stainless-os, x-stainless-package-version, "
                "x-stainless-retry-count, x-stainless-runtime, "
                "x-stainless-runtime-version, x-stainless-timeout"},
               {"access-control-max-age", "600"}},
          .body = ""};
}

}  // namespace aio
