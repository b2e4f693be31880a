// Accuracy against speed, for plots.
#ifndef AIO_PAPER_POINTS_H_
#define AIO_PAPER_POINTS_H_

#include <string>
#include <vector>

#include "paper/figure_tables.h"

namespace aio {

struct AccuracyTpsPoint {
  std::string configuration;
  std::string on;  // a task, or a mix
  double accuracy = 0;
  double tps = 0;
  // Nothing in the same plot is at least as good in both and better in one.
  bool on_front = false;
};

// Those of every configuration and task, or mix, that has both figures; each `on` is a plot of its
// own. In the tables' order.
std::vector<AccuracyTpsPoint> TaskPoints(const FigureTables& tables);
std::vector<AccuracyTpsPoint> MixPoints(const FigureTables& tables);

}  // namespace aio

#endif  // AIO_PAPER_POINTS_H_
