#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "eval/csv.h"
#include "traffic/trace_parts.h"

namespace aio {
namespace {

constexpr std::string_view kColumns[] = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"};

std::optional<int> ReadDigits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || text.front() == '-') return std::nullopt;
  return value;
}

// "17:03", "18:17:03.9799600": fields of two digits, the last with a fraction of up to nine.
std::optional<Duration> ReadTimeOfDay(std::string_view text) {
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hours = ReadDigits(text.substr(0, 2));
  const auto minutes = ReadDigits(text.substr(3, 2));
  const auto seconds = ReadDigits(text.substr(6, 2));
  if (!hours || !minutes || !seconds || *hours > 23 || *minutes > 59 || *seconds > 60) {
    return std::nullopt;
  }
  Duration time =
      std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
  if (text.size() == 8) return time;
  std::string fraction(text.substr(9));
  if (text[8] != '.' || fraction.empty() || fraction.size() > 9) return std::nullopt;
  fraction.resize(9, '0');
  const auto nanoseconds = ReadDigits(fraction);
  if (!nanoseconds) return std::nullopt;
  return time + std::chrono::nanoseconds(*nanoseconds);
}

// Since 1970. "2023-11-16 18:17:03.9799600"; a 'T' may stand for the blank, and a 'Z' or "+00:00",
// which say what is meant anyway, at the end.
std::optional<Duration> ReadTimestamp(std::string_view text) {
  for (const std::string_view utc : {"Z", "+00:00"}) {
    if (text.ends_with(utc)) text.remove_suffix(utc.size());
  }
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T')) {
    return std::nullopt;
  }
  const auto year = ReadDigits(text.substr(0, 4));
  const auto month = ReadDigits(text.substr(5, 2));
  const auto day = ReadDigits(text.substr(8, 2));
  const std::optional<Duration> time = ReadTimeOfDay(text.substr(11));
  // Nanoseconds since 1970 end in 2262.
  if (!year || !month || !day || !time || *year < 1970 || *year > 2200) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch() + *time;
}

Result<int> ReadTokens(const std::string& field, std::string_view column) {
  const std::optional<int> tokens = field.empty() ? std::nullopt : ReadDigits(field);
  if (tokens && *tokens <= kTraceTokensMax) return *tokens;
  return InvalidArgument(fmt::format("field {}: '{}' is no number of tokens from 0 to {}", column,
                                     field.substr(0, 40), kTraceTokensMax));
}

Result<TraceRequest> ReadRow(const std::vector<std::string>& fields) {
  if (fields.size() != std::size(kColumns)) {
    return InvalidArgument(
        fmt::format("has {} fields, but a request has {}", fields.size(), std::size(kColumns)));
  }
  const std::optional<Duration> arrival = ReadTimestamp(fields[0]);
  if (!arrival) {
    return InvalidArgument(
        fmt::format("field TIMESTAMP: '{}' is no time like 2023-11-16 18:17:03.9799600",
                    fields[0].substr(0, 40)));
  }
  TraceRequest request;
  request.arrival = *arrival;
  AIO_ASSIGN_OR_RETURN(request.prompt_tokens, ReadTokens(fields[1], kColumns[1]));
  AIO_ASSIGN_OR_RETURN(request.output_tokens, ReadTokens(fields[2], kColumns[2]));
  return request;
}

}  // namespace

Result<std::vector<TraceRequest>> ParseAzureTrace(std::string_view text,
                                                  const std::string& source) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  AIO_ASSIGN_OR_RETURN(const std::vector<CsvRow> rows, ParseCsv(text, source));
  const bool headed =
      !rows.empty() && rows.front().fields.size() == std::size(kColumns) &&
      std::equal(std::begin(kColumns), std::end(kColumns), rows.front().fields.begin());
  if (!headed) {
    return InvalidArgument(source +
                           ": line 1: is not the header TIMESTAMP,ContextTokens,GeneratedTokens of "
                           "an Azure trace, nor a JSON object of a Mooncake trace");
  }
  std::vector<TraceRequest> requests;
  requests.reserve(rows.size());
  for (size_t i = 1; i < rows.size(); ++i) {
    Result<TraceRequest> request = ReadRow(rows[i].fields);
    if (!request.ok()) {
      return request.status().WithContext(fmt::format("{}: line {}", source, rows[i].line));
    }
    requests.push_back(*std::move(request));
  }
  return requests;
}

}  // namespace aio
