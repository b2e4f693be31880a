#include "paper/granularity.h"

#include <fmt/format.h>

#include <cmath>

namespace aio {

namespace {

CountCheck Check(std::string configuration, std::string task, double published, int items,
                 int decimals) {
  const double unit = std::pow(10.0, -decimals);
  const int64_t nearest = std::lround(published / 100 * items);
  const double percent = 100.0 * static_cast<double>(nearest) / items;
  const bool possible = std::abs(percent - published) < unit + 1e-9;
  return {std::move(configuration), std::move(task), published, items, nearest, percent, possible};
}

}  // namespace

std::vector<CountCheck> CheckCounts(const PaperTables& tables) {
  std::vector<CountCheck> checks;
  for (const auto& [name, task] : tables.tasks) {
    if (!task.items) continue;
    for (const auto& [configuration, figures] : tables.figures.by_task) {
      if (configuration == kRandomRow || configuration == kOracleRow) continue;
      checks.push_back(Check(configuration, name, tables.Accuracy(configuration, name).value,
                             *task.items, tables.decimals.accuracy_tps));
    }
    if (name != tables.long_context.task) continue;
    for (const auto& [configuration, accuracy] : tables.long_context.accuracy) {
      checks.push_back(Check(configuration,
                             fmt::format("{}, {} tokens", name, tables.long_context.long_tokens),
                             accuracy.long_context, *task.items, tables.decimals.long_context));
    }
  }
  return checks;
}

}  // namespace aio
