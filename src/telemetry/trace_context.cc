#include "telemetry/trace_context.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/random_bits.h"
#include "telemetry/trim_blanks.h"

namespace aio {
namespace {

// "00-" trace id "-" span id "-" flags
constexpr size_t kTraceIdAt = 3;
constexpr size_t kSpanIdAt = 36;
constexpr size_t kFlagsAt = 53;
constexpr size_t kTraceparentBytes = 55;
constexpr size_t kStateMembersMax = 32;
constexpr size_t kStateKeyBytesMax = 256;
constexpr size_t kStateValueBytesMax = 256;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ParseHex(std::string_view hex, std::span<uint8_t> bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

template <typename Id>
bool IsZero(const Id& id) {
  return std::all_of(id.begin(), id.end(), [](uint8_t byte) { return byte == 0; });
}

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kTraceparentBytes) return std::nullopt;
  for (const size_t at : {kTraceIdAt, kSpanIdAt, kFlagsAt}) {
    if (text[at - 1] != '-') return std::nullopt;
  }
  std::array<uint8_t, 1> version{};
  std::array<uint8_t, 1> flags{};
  TraceContext context;
  const bool is_hex =
      ParseHex(text, version) && ParseHex(text.substr(kTraceIdAt), context.trace_id) &&
      ParseHex(text.substr(kSpanIdAt), context.span_id) && ParseHex(text.substr(kFlagsAt), flags);
  if (!is_hex || version[0] == 0xFF) return std::nullopt;
  // A later version may say more, after another dash; this one may not.
  const bool is_longer = text.size() > kTraceparentBytes;
  if (is_longer && (version[0] == 0 || text[kTraceparentBytes] != '-')) return std::nullopt;
  if (IsZero(context.trace_id) || IsZero(context.span_id)) return std::nullopt;
  context.sampled = (flags[0] & 1) != 0;
  return context;
}

bool IsStateKey(std::string_view key) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  constexpr std::string_view kMarks = "_-*/@";
  return !key.empty() && key.size() <= kStateKeyBytesMax && is_alphanumeric(key.front()) &&
         std::all_of(key.begin(), key.end(), [&](char c) {
           return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
         });
}

bool IsStateValue(std::string_view value) {
  return !value.empty() && value.size() <= kStateValueBytesMax && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

// Key=value members between commas; empty ones are allowed, keys may not come twice.
bool IsTracestate(std::string_view text) {
  std::vector<std::string_view> keys;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view member = TrimBlanks(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (member.empty()) continue;
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = member.substr(0, equals);
    if (!IsStateKey(key) || !IsStateValue(member.substr(equals + 1))) return false;
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) return false;
    if (keys.size() == kStateMembersMax) return false;
    keys.push_back(key);
  }
  return true;
}

template <typename Id>
Id NewId() {
  Id id{};
  while (IsZero(id)) {
    uint64_t bits = 0;
    for (size_t i = 0; i < id.size(); ++i) {
      if (i % sizeof bits == 0) bits = RandomBits();
      id[i] = static_cast<uint8_t>(bits >> 8 * (i % sizeof bits));
    }
  }
  return id;
}

}  // namespace

std::optional<TraceContext> ParseTraceContext(std::string_view traceparent,
                                              std::string_view tracestate) {
  std::optional<TraceContext> context = ParseTraceparent(traceparent);
  if (context && IsTracestate(tracestate)) context->tracestate = TrimBlanks(tracestate);
  return context;
}

std::string FormatTraceparent(const TraceContext& context) {
  std::string text = "00-";
  text += ToHex(context.trace_id);
  text += '-';
  text += ToHex(context.span_id);
  text += context.sampled ? "-01" : "-00";
  return text;
}

TraceId NewTraceId() { return NewId<TraceId>(); }
SpanId NewSpanId() { return NewId<SpanId>(); }

bool SamplesTrace(const TraceId& trace_id, double ratio) {
  constexpr double kRange = 72057594037927936.0;  // 2^56
  // Compared as integers: the greatest would round up to 2^56.
  const auto rejected = static_cast<uint64_t>((1 - ratio) * kRange);
  uint64_t random = 0;
  for (size_t i = trace_id.size() - 7; i < trace_id.size(); ++i) {
    random = random << 8 | trace_id[i];
  }
  return random >= rejected;
}

}  // namespace aio
