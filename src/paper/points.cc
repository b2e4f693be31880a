#include "paper/points.h"

#include <algorithm>

namespace aio {

namespace {

bool Beats(const AccuracyTpsPoint& a, const AccuracyTpsPoint& b) {
  return a.on == b.on && a.accuracy >= b.accuracy && a.tps >= b.tps &&
         (a.accuracy > b.accuracy || a.tps > b.tps);
}

void MarkFront(std::vector<AccuracyTpsPoint>& points) {
  for (AccuracyTpsPoint& point : points) {
    point.on_front = std::none_of(points.begin(), points.end(), [&](const AccuracyTpsPoint& other) {
      return Beats(other, point);
    });
  }
}

void Add(const std::string& configuration, const std::string& on, const AccuracyTps& figures,
         std::vector<AccuracyTpsPoint>& points) {
  if (!figures.accuracy || !figures.tps) return;
  points.push_back({configuration, on, *figures.accuracy, *figures.tps, false});
}

}  // namespace

std::vector<AccuracyTpsPoint> TaskPoints(const FigureTables& tables) {
  std::vector<AccuracyTpsPoint> points;
  points.reserve(tables.by_task.size() * tables.tasks.size());
  for (size_t i = 0; i < tables.tasks.size(); ++i) {
    for (const auto& [configuration, figures] : tables.by_task) {
      Add(configuration, tables.tasks[i], figures[i], points);
    }
  }
  MarkFront(points);
  return points;
}

std::vector<AccuracyTpsPoint> MixPoints(const FigureTables& tables) {
  std::vector<AccuracyTpsPoint> points;
  for (const auto& [mix, rows] : tables.scenarios) {
    for (const auto& [configuration, figures] : rows) Add(configuration, mix, figures, points);
  }
  MarkFront(points);
  return points;
}

}  // namespace aio
