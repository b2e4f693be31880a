#include "server/headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>

#include "base/random_bits.h"

namespace aio {
namespace {

constexpr size_t kRequestIdBytesMax = 128;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void AddLimit(std::string_view what, const std::optional<LimitReading>& reading,
              HttpHeaders& headers) {
  if (!reading) return;
  headers.Add(fmt::format("x-ratelimit-limit-{}", what), std::to_string(reading->limit));
  headers.Add(fmt::format("x-ratelimit-remaining-{}", what), std::to_string(reading->remaining));
  headers.Add(fmt::format("x-ratelimit-reset-{}", what), ShortDuration(reading->reset));
}

}  // namespace

std::string NewRequestId() {
  const uint64_t high = RandomBits();
  return fmt::format("{:016x}{:016x}", high, RandomBits());
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

std::string_view PresentedKey(const HttpRequest& request) {
  const std::string_view header = request.headers.Get("authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (header.size() > kScheme.size() && SameHeaderName(header.substr(0, kScheme.size()), kScheme)) {
    return header.substr(kScheme.size());
  }
  return request.headers.Get("x-api-key");
}

Result<Duration> RequestedTimeout(const HttpRequest& request) {
  constexpr std::string_view kName = "x-request-timeout-ms";
  constexpr int64_t kMsMax = 24 * 60 * 60 * 1000;
  if (!request.headers.Has(kName)) return Duration::zero();
  const std::string_view text = request.headers.Get(kName);
  int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error == std::errc() && end == text.data() + text.size() && ms >= 1 && ms <= kMsMax) {
    return Duration(std::chrono::milliseconds(ms));
  }
  return InvalidArgument(
      fmt::format("The header {} must be a whole number of milliseconds, 1 to {}.", kName, kMsMax));
}

void AddLimitHeaders(const LimitReadings& readings, HttpHeaders& headers) {
  AddLimit("requests", readings.requests, headers);
  AddLimit("tokens", readings.tokens, headers);
}

std::string ShortDuration(Duration d) {
  using std::chrono::ceil;
  const int64_t ms = ceil<std::chrono::milliseconds>(d).count();
  if (ms < 1000) return fmt::format("{}ms", ms);
  int64_t seconds = ceil<std::chrono::seconds>(d).count();
  std::string text;
  if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) text += fmt::format("{}m", seconds / 60 % 60);
  return text + fmt::format("{}s", seconds % 60);
}

}  // namespace aio
