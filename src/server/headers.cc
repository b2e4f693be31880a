#include "server/headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace aio {
namespace {

constexpr size_t kRequestIdBytesMax = 128;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Takes the same time wherever the two differ; only the length of `given` may show.
bool SameSecret(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i] ^ secret[i % secret.size()]);
  }
  return difference == 0;
}

Status Unauthenticated(std::string message) {
  return Status(StatusCode::kUnauthenticated, std::move(message)).WithReason("invalid_api_key");
}

}  // namespace

std::string NewRequestId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) id += fmt::format("{:08x}", static_cast<uint32_t>(random()));
  return id;
}

bool IsSaneRequestId(std::string_view id) {
  constexpr std::string_view kMarks = "-_.:/+=@";
  return !id.empty() && id.size() <= kRequestIdBytesMax &&
         std::all_of(id.begin(), id.end(), [&](char c) {
           return IsAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
         });
}

std::string PrintableAscii(std::string_view text, size_t bytes_max) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_continuation = (byte & 0xC0) == 0x80;  // of a character already replaced
    if (is_continuation) continue;
    if (out.size() == bytes_max) break;
    out += byte < 0x20 || byte > 0x7E ? '?' : c;
  }
  return out;
}

HttpHeaders DecisionHeaders(const std::string& model, const Decision* decision) {
  HttpHeaders headers;
  const auto add = [&](const char* name, std::string_view value) {
    headers.Add(name, PrintableAscii(value, kHeaderValueBytesMax));
  };
  add("x-aio-model", model);
  if (decision == nullptr) return headers;
  if (decision->probed) {
    add("x-aio-intent", decision->intent);
    add("x-aio-entropy", fmt::format("{:.4f}", decision->entropy));
  }
  add("x-aio-strategy", StrategyName(decision->strategy.kind));
  add("x-aio-reason", decision->reason);
  return headers;
}

Status CheckApiKey(const HttpRequest& request, std::string_view api_key) {
  if (api_key.empty()) return Status::Ok();
  // As Anthropic's clients send it.
  if (const std::string_view key = request.headers.Get("x-api-key"); !key.empty()) {
    return SameSecret(key, api_key) ? Status::Ok() : Unauthenticated("Incorrect API key provided.");
  }
  const std::string_view header = request.headers.Get("authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (header.size() <= kScheme.size() ||
      !SameHeaderName(header.substr(0, kScheme.size()), kScheme)) {
    return Unauthenticated(
        "You did not provide an API key. Send it in an Authorization header: \"Authorization: "
        "Bearer YOUR_KEY\".");
  }
  if (SameSecret(header.substr(kScheme.size()), api_key)) return Status::Ok();
  return Unauthenticated("Incorrect API key provided.");
}

}  // namespace aio
