#include "app/mixed_figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string_view>

#include "base/check.h"

namespace aio {

namespace {

double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

// A request in a repeat.
struct Cell {
  size_t repeat = 0;
  size_t request = 0;
};

// All cells of the crossed repeats and requests.
std::vector<Cell> Cross(const std::vector<size_t>& repeats, const std::vector<size_t>& requests) {
  std::vector<Cell> cells;
  cells.reserve(repeats.size() * requests.size());
  for (const size_t repeat : repeats) {
    for (const size_t request : requests) cells.push_back({repeat, request});
  }
  return cells;
}

std::vector<size_t> UpTo(size_t count) {
  std::vector<size_t> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

using CellStatistic = std::function<double(const std::vector<Cell>& cells)>;

// `statistic` of all, with an interval from draws of repeats and of requests.
FigureWithInterval OverCells(size_t repeats, size_t requests, const CellStatistic& statistic) {
  FigureWithInterval figure{.value = statistic(Cross(UpTo(repeats), UpTo(requests))),
                            .interval = std::nullopt};
  if (repeats * requests < 2) return figure;
  // Bootstrap() draws from one range; both draws are remainders of its numbers, of which it gives
  // enough: repeats + requests <= 2 * repeats * requests.
  const int size = static_cast<int>(2 * repeats * requests);
  figure.interval = Bootstrap(size, kFigureConfidence, [&](const std::vector<int>& sample) {
    std::vector<size_t> drawn_repeats(repeats), drawn_requests(requests);
    for (size_t i = 0; i < repeats; ++i) {
      drawn_repeats[i] = static_cast<size_t>(sample[i]) % repeats;
    }
    for (size_t i = 0; i < requests; ++i) {
      drawn_requests[i] = static_cast<size_t>(sample[repeats + i]) % requests;
    }
    return statistic(Cross(drawn_repeats, drawn_requests));
  });
  return figure;
}

// Rates of a configuration's requests; 0 where one failed.
std::vector<std::vector<double>> RatesOf(const ConfigurationRuns& runs) {
  std::vector<std::vector<double>> rates;
  rates.reserve(runs.size());
  for (const MixedRun& run : runs) {
    std::vector<double>& row = rates.emplace_back();
    row.reserve(run.records.size());
    for (const LoadRecord& record : run.records) {
      row.push_back(record.error.ok() ? record.tokens_per_second() : 0);
    }
  }
  return rates;
}

enum class Mean { kArithmetic, kHarmonic };

double MeanOf(Mean mean, const std::vector<std::vector<double>>& rates,
              const std::vector<Cell>& cells) {
  double sum = 0, count = 0;
  for (const Cell& cell : cells) {
    const double rate = rates[cell.repeat][cell.request];
    if (rate <= 0) continue;
    sum += mean == Mean::kArithmetic ? rate : 1 / rate;
    ++count;
  }
  return mean == Mean::kArithmetic ? Ratio(sum, count) : Ratio(count, sum);
}

double TotalRate(const ConfigurationRuns& runs, const std::vector<int>& repeats) {
  double tokens = 0, seconds = 0;
  for (const int repeat : repeats) {
    const MixedRun& run = runs[static_cast<size_t>(repeat)];
    seconds += run.seconds;
    for (const LoadRecord& record : run.records) tokens += record.output_tokens();
  }
  return Ratio(tokens, seconds);
}

FigureWithInterval CompareTotals(const ConfigurationRuns& runs,
                                 const ConfigurationRuns& reference) {
  const auto statistic = [&](const std::vector<int>& repeats) {
    return Ratio(TotalRate(runs, repeats), TotalRate(reference, repeats));
  };
  const int repeats = static_cast<int>(runs.size());
  std::vector<int> all(runs.size());
  for (int i = 0; i < repeats; ++i) all[static_cast<size_t>(i)] = i;
  FigureWithInterval figure{.value = statistic(all), .interval = std::nullopt};
  if (repeats > 1) figure.interval = Bootstrap(repeats, kFigureConfidence, statistic);
  return figure;
}

LoadSummary SummariseRuns(const ConfigurationRuns& runs, const Prices& prices) {
  std::vector<LoadRecord> all;
  double seconds = 0;
  for (const MixedRun& run : runs) {
    all.insert(all.end(), run.records.begin(), run.records.end());
    seconds += run.seconds;
  }
  return Summarise(all, seconds, prices);
}

std::optional<size_t> FindConfiguration(const std::vector<MixedConfiguration>& configurations,
                                        std::string_view name) {
  const auto found = std::find_if(configurations.begin(), configurations.end(),
                                  [&](const MixedConfiguration& c) { return c.name == name; });
  if (found == configurations.end()) return std::nullopt;
  return static_cast<size_t>(found - configurations.begin());
}

std::string DirectName(std::string_view role, std::string_view weights) {
  std::string name(role);
  if (!weights.empty()) name += "-" + std::string(weights);
  return name;
}

std::optional<FigureWithInterval> Points(const MixedGrades& grades, const MixedGrades& others) {
  const std::optional<MixedAccuracy> accuracy = CompareAccuracy(grades, others);
  return accuracy ? std::optional(accuracy->over_reference) : std::nullopt;
}

}  // namespace

RateRatios CompareRates(const ConfigurationRuns& runs, const ConfigurationRuns& reference) {
  AIO_CHECK(runs.size() == reference.size() && !runs.empty());
  const auto rates = RatesOf(runs);
  const auto others = RatesOf(reference);
  const auto compare = [&](Mean mean) {
    return OverCells(runs.size(), runs.front().records.size(), [&](const std::vector<Cell>& cells) {
      return Ratio(MeanOf(mean, rates, cells), MeanOf(mean, others, cells));
    });
  };
  return {.arithmetic = compare(Mean::kArithmetic),
          .harmonic = compare(Mean::kHarmonic),
          .total = CompareTotals(runs, reference)};
}

std::optional<MixedAccuracy> CompareAccuracy(const MixedGrades& grades,
                                             const MixedGrades& reference) {
  std::vector<double> right, differences;
  for (size_t i = 0; i < grades.right.size(); ++i) {
    if (!grades.right[i] || !reference.right[i]) continue;
    right.push_back(*grades.right[i]);
    differences.push_back(*grades.right[i] - *reference.right[i]);
  }
  if (right.empty()) return std::nullopt;
  MixedAccuracy accuracy;
  accuracy.judged = static_cast<int64_t>(right.size());
  double sum = 0;
  for (const double share : right) sum += share;
  const auto judged = static_cast<double>(accuracy.judged);
  accuracy.percent = 100 * sum / judged;
  const Interval interval = ClopperPearson(std::llround(sum), accuracy.judged, kFigureConfidence);
  accuracy.interval = {100 * interval.low, 100 * interval.high};
  accuracy.over_reference = OverCells(1, right.size(), [&](const std::vector<Cell>& cells) {
    double points = 0;
    for (const Cell& cell : cells) points += 100 * differences[cell.request];
    return points / static_cast<double>(cells.size());
  });
  return accuracy;
}

std::optional<AddedWait> CompareWaits(const ConfigurationRuns& runs, const DirectRuns& direct) {
  struct Wait {
    double added_ms = 0;
    double whole_ms = 0;  // 0: not compared
  };
  const size_t requests = runs.front().records.size();
  std::vector<std::vector<Wait>> waits(runs.size(), std::vector<Wait>(requests));
  AddedWait added;
  for (size_t repeat = 0; repeat < runs.size(); ++repeat) {
    for (size_t i = 0; i < requests; ++i) {
      const LoadRecord& record = runs[repeat].records[i];
      if (!record.decision || !record.error.ok()) continue;
      const auto arm = direct.find(DirectName(record.decision->role, record.decision->weights));
      if (arm == direct.end()) continue;
      const LoadRecord& plain = (*arm->second)[repeat].records[i];
      if (!plain.error.ok()) continue;
      waits[repeat][i] = {ToMs(record.to_first_token()) - ToMs(plain.to_first_token()),
                          ToMs(record.to_end())};
      ++added.compared;
    }
  }
  if (added.compared == 0) return std::nullopt;
  const auto over = [&](bool share) {
    return OverCells(runs.size(), requests, [&](const std::vector<Cell>& cells) {
      double sum = 0, whole = 0, count = 0;
      for (const Cell& cell : cells) {
        const Wait& wait = waits[cell.repeat][cell.request];
        sum += wait.added_ms;
        whole += wait.whole_ms;
        count += wait.whole_ms > 0 ? 1 : 0;
      }
      return Ratio(sum, share ? whole : count);
    });
  };
  added.ms = over(false);
  added.share = over(true);
  return added;
}

std::vector<MixedRow> SummariseMixed(const std::vector<MixedConfiguration>& configurations,
                                     const std::vector<ConfigurationRuns>& runs,
                                     const std::vector<MixedGrades>& grades, const Prices& prices) {
  const auto reference = FindConfiguration(configurations, kReferenceConfiguration);
  AIO_CHECK(reference.has_value(), "nothing to compare with");
  DirectRuns direct;
  for (size_t i = 0; i < runs.size(); ++i) {
    const MixedConfiguration& made = configurations[i];
    if (made.router == nullptr && made.strategy && made.strategy->kind == StrategyKind::kPlain) {
      direct.emplace(made.name, &runs[i]);
    }
  }
  const SystemClock clock;
  std::vector<MixedRow> rows;
  rows.reserve(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    const MixedConfiguration& configuration = configurations[i];
    MixedRow row;
    row.name = configuration.name;
    row.group = configuration.group;
    row.summary = SummariseRuns(runs[i], prices);
    row.over_reference = CompareRates(runs[i], runs[*reference]);
    if (!grades.empty()) row.accuracy = CompareAccuracy(grades[i], grades[*reference]);
    if (const auto whole = FindConfiguration(configurations, configuration.ablated)) {
      row.ablation = {configuration.ablated, CompareRates(runs[i], runs[*whole]), std::nullopt};
      if (!grades.empty()) row.ablation->points_over_whole = Points(grades[i], grades[*whole]);
    }
    if (configuration.router != nullptr) {
      row.added_wait = CompareWaits(runs[i], direct);
      row.decide_us = configuration.signals->MedianDecideUs(configuration.router->policy(), clock);
    }
    const Traffic& traffic = row.summary.traffic;
    const auto bytes = static_cast<double>(traffic.weight_bytes + traffic.kv_bytes);
    const auto answered = static_cast<double>(row.summary.requests - row.summary.errors);
    row.bytes_per_request = Ratio(bytes, answered);
    row.bytes_per_512_tokens = Ratio(bytes * 512, static_cast<double>(row.summary.output_tokens));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace aio
