#include "sim/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "sim/parse_number.h"

namespace aio {
namespace {

constexpr size_t kValuesMax = 1000;
constexpr size_t kScenariosMax = 10'000;

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// FROM:TO:STEP or FROM:TO:*FACTOR, both ends included.
Result<std::vector<std::string>> Range(const std::string& text) {
  const std::vector<std::string> parts = Split(text, ':');
  const bool by_factor = parts.size() == 3 && parts[2].starts_with('*');
  const auto from = ParseNumber(parts[0]);
  const auto to = parts.size() == 3 ? ParseNumber(parts[1]) : std::nullopt;
  const auto step =
      parts.size() == 3 ? ParseNumber(parts[2].substr(by_factor ? 1 : 0)) : std::nullopt;
  const bool climbs =
      from && to && step && *to >= *from && (by_factor ? *step > 1 && *from > 0 : *step > 0);
  if (!climbs) {
    return InvalidArgument("'" + text +
                           "' is no range: write FROM:TO:STEP or FROM:TO:*FACTOR, ascending");
  }
  std::vector<std::string> values;
  constexpr double kSlack = 1e-9;  // of rounding
  for (int i = 0; values.size() <= kValuesMax; ++i) {
    const double value = by_factor ? *from * std::pow(*step, i) : *from + i * *step;
    if (value > *to * (1 + kSlack) + kSlack) break;
    values.push_back(fmt::format("{:.10g}", value));
  }
  return values;
}

}  // namespace

Result<SweepAxis> ParseSweepAxis(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals + 1 == text.size()) {
    return InvalidArgument(
        fmt::format("'{}' is no sweep: write WHAT=VALUES, WHAT being {}", text, ScenarioChanges()));
  }
  SweepAxis axis{.what = std::string(text.substr(0, equals)), .values = {}};
  for (const std::string& part : Split(text.substr(equals + 1), ',')) {
    if (part.find(':') == std::string::npos) {
      axis.values.push_back(part);
      continue;
    }
    AIO_ASSIGN_OR_RETURN(const std::vector<std::string> range, Range(part));
    axis.values.insert(axis.values.end(), range.begin(), range.end());
  }
  if (axis.values.size() > kValuesMax) {
    return InvalidArgument(fmt::format("'{}' has over {} values", text, kValuesMax));
  }
  return axis;
}

Result<std::vector<Scenario>> SweepScenarios(const Scenario& scenario,
                                             const std::vector<SweepAxis>& axes) {
  std::vector<Scenario> scenarios = {scenario};
  scenarios[0].name.clear();
  for (const SweepAxis& axis : axes) {
    std::vector<Scenario> more;
    for (const Scenario& before : scenarios) {
      for (const std::string& value : axis.values) {
        Scenario changed = before;
        AIO_RETURN_IF_ERROR(ChangeScenario(axis.what, value, changed));
        changed.name += fmt::format("{}{} {}", changed.name.empty() ? "" : ", ", axis.what, value);
        more.push_back(std::move(changed));
        if (more.size() > kScenariosMax) {
          return InvalidArgument(fmt::format("the sweep has over {} runs", kScenariosMax));
        }
      }
    }
    scenarios = std::move(more);
  }
  return scenarios;
}

}  // namespace aio
