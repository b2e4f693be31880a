#include "sim/limit_question.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>

namespace aio {
namespace {

enum class Unit { kMs, kShare, kPercent };

struct Metric {
  std::string_view name;
  Unit unit;
  bool less_is_better;
  std::optional<double> (*value)(const SimSummary& summary);
};

constexpr std::array<Metric, 5> kMetrics = {{
    {"goodput", Unit::kShare, false,
     [](const SimSummary& s) { return std::optional(s.good_share); }},
    {"failed", Unit::kShare, true,
     [](const SimSummary& s) {
       return std::optional(static_cast<double>(s.failed) /
                            static_cast<double>(std::max<int64_t>(s.requests, 1)));
     }},
    {"busy", Unit::kShare, true, [](const SimSummary& s) { return std::optional(s.busy_share); }},
    {"bandwidth", Unit::kShare, true,
     [](const SimSummary& s) { return std::optional(s.bandwidth_share); }},
    {"accuracy", Unit::kPercent, false, [](const SimSummary& s) { return s.accuracy; }},
}};

struct Series {
  std::string_view name;
  const Percentiles& (*of)(const SimSummary& summary);
};

constexpr std::array<Series, 4> kSeries = {{
    {"ttft", [](const SimSummary& s) -> const Percentiles& { return s.first_token_ms; }},
    {"tpot", [](const SimSummary& s) -> const Percentiles& { return s.per_token_ms; }},
    {"e2e", [](const SimSummary& s) -> const Percentiles& { return s.end_to_end_ms; }},
    {"queue", [](const SimSummary& s) -> const Percentiles& { return s.queue_ms; }},
}};

constexpr std::array<std::string_view, 6> kRanks = {"mean", "p50", "p90", "p95", "p99", "max"};

double Ranked(const Percentiles& of, std::string_view rank) {
  if (rank == "mean") return of.mean;
  if (rank == "p50") return of.p50;
  if (rank == "p90") return of.p90;
  if (rank == "p95") return of.p95;
  return rank == "p99" ? of.p99 : of.max;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

struct FoundMetric {
  Unit unit = Unit::kMs;
  bool less_is_better = true;
  std::function<std::optional<double>(const SimSummary&)> value;
};

// "p99 TTFT", "goodput".
std::optional<FoundMetric> FindMetric(std::string_view name) {
  const std::string lower = Lower(name);
  for (const Metric& metric : kMetrics) {
    if (metric.name == lower) return FoundMetric{metric.unit, metric.less_is_better, metric.value};
  }
  const size_t space = lower.find(' ');
  if (space == std::string::npos) return std::nullopt;
  const std::string rank = lower.substr(0, space);
  if (std::find(kRanks.begin(), kRanks.end(), rank) == kRanks.end()) return std::nullopt;
  for (const Series& series : kSeries) {
    if (series.name != lower.substr(space + 1)) continue;
    return FoundMetric{Unit::kMs, true, [of = series.of, rank](const SimSummary& summary) {
                         const Percentiles& ranked = of(summary);
                         return ranked.count > 0 ? std::optional(Ranked(ranked, rank))
                                                 : std::nullopt;
                       }};
  }
  return std::nullopt;
}

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

// What a number with this suffix is multiplied with; absent: `unit` has no such suffix.
std::optional<double> FactorOf(Unit unit, std::string_view suffix) {
  constexpr double kMsPerSecond = 1000;
  if (unit == Unit::kMs) {
    if (suffix == "ms") return 1;
    return suffix == "s" ? std::optional(kMsPerSecond) : std::nullopt;
  }
  if (suffix == "%") return unit == Unit::kShare ? 0.01 : 1;
  return suffix.empty() ? std::optional(1.0) : std::nullopt;
}

// A number and its unit as what `unit` counts in.
Result<double> ParseBound(const std::string& text, Unit unit) {
  char* rest = nullptr;
  const double number = std::strtod(text.c_str(), &rest);
  if (rest == text.c_str() || !std::isfinite(number)) {
    return InvalidArgument("'" + text + "' is no number");
  }
  if (const auto factor = FactorOf(unit, Lower(Trimmed(rest)))) {
    const double bound = number * *factor;
    const double most = unit == Unit::kMs      ? std::numeric_limits<double>::max()
                        : unit == Unit::kShare ? 1
                                               : 100;
    if (bound >= 0 && bound <= most) return bound;
    return InvalidArgument(fmt::format("'{}': must be {}", text,
                                       unit == Unit::kMs      ? "0 s or more"
                                       : unit == Unit::kShare ? "from 0 to 100 %, or from 0 to 1"
                                                              : "from 0 to 100 %"));
  }
  return InvalidArgument(fmt::format("'{}': its unit is not understood; write {}", text,
                                     unit == Unit::kMs ? "s or ms" : "% or nothing"));
}

Result<LimitCondition> ParseCondition(const std::string& text) {
  const size_t sign = text.find_first_of("<>");
  if (sign == std::string::npos) {
    return InvalidArgument("'" + text + "' is no condition: write METRIC < NUMBER UNIT, or >");
  }
  LimitCondition condition{.metric = Trimmed(text.substr(0, sign)), .at_most = text[sign] == '<'};
  condition.inclusive = sign + 1 < text.size() && text[sign + 1] == '=';
  const size_t bound = sign + (condition.inclusive ? 2 : 1);
  const auto metric = FindMetric(condition.metric);
  if (!metric) {
    return InvalidArgument("'" + condition.metric +
                           "' is no metric: there are mean, p50, p90, p95, p99 or max of TTFT, "
                           "TPOT, E2E and queue; goodput, failed, busy, bandwidth, accuracy");
  }
  if (metric->less_is_better != condition.at_most) {
    return InvalidArgument(
        fmt::format("'{}': more load makes that come true, so there is no limit "
                    "to find; turn the sign",
                    text));
  }
  AIO_ASSIGN_OR_RETURN(condition.bound, ParseBound(Trimmed(text.substr(bound)), metric->unit));
  return condition;
}

// The parts of `text` between commas and "and"s.
std::vector<std::string> SplitConditions(const std::string& text) {
  constexpr std::string_view kAnd = " and ";
  const std::string lower = Lower(text);
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const size_t word = std::min(lower.find(kAnd, begin), text.size());
    parts.push_back(Trimmed(std::string_view(text).substr(begin, std::min(comma, word) - begin)));
    begin = word < comma ? word + kAnd.size() : comma + 1;
  }
  return parts;
}

}  // namespace

std::optional<double> LimitCondition::Value(const SimSummary& summary) const {
  return FindMetric(metric)->value(summary);
}

bool LimitCondition::Holds(const SimSummary& summary) const {
  const std::optional<double> value = Value(summary);
  if (!value) return false;
  if (inclusive && *value == bound) return true;
  return at_most ? *value < bound : *value > bound;
}

std::string LimitCondition::Text() const {
  const Unit unit = FindMetric(metric)->unit;
  const std::string sign = std::string(at_most ? "<" : ">") + (inclusive ? "=" : "");
  switch (unit) {
    case Unit::kMs:
      return fmt::format("{} {} {:g} ms", metric, sign, bound);
    case Unit::kShare:
      return fmt::format("{} {} {:g} %", metric, sign, bound * 100);
    case Unit::kPercent:
      return fmt::format("{} {} {:g} %", metric, sign, bound);
  }
  return metric;
}

Result<LimitQuestion> ParseLimitQuestion(std::string_view text) {
  const std::string all = Trimmed(text);
  const std::string lower = Lower(all);
  const size_t with = lower.find(" with ");
  const bool is_max = lower.starts_with("max ");
  if (with == std::string::npos || (!is_max && !lower.starts_with("min "))) {
    return InvalidArgument("'" + all +
                           "' is no question: write for example \"max rate with p99 TTFT < 1 s\" "
                           "or \"min devices with goodput > 95 %\"");
  }
  constexpr size_t kWordLength = 4;  // "max "
  LimitQuestion question{.most = is_max,
                         .what = Trimmed(lower.substr(kWordLength, with - kWordLength)),
                         .conditions = {}};
  const bool is_known =
      (is_max && question.what == "rate") || (!is_max && question.what == "devices");
  if (!is_known) {
    return InvalidArgument("'" + all + "' asks for neither max rate nor min devices");
  }
  constexpr size_t kWithLength = 6;
  for (const std::string& part : SplitConditions(all.substr(with + kWithLength))) {
    AIO_ASSIGN_OR_RETURN(question.conditions.emplace_back(), ParseCondition(part));
  }
  return question;
}

}  // namespace aio
