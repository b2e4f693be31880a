// What a step costs by the number of tokens it computes: measured when the engine starts, and
// followed while it runs.
#ifndef AIO_ENGINE_STEP_COSTS_H_
#define AIO_ENGINE_STEP_COSTS_H_

#include <functional>
#include <vector>

#include "base/clock.h"

namespace aio {

// The curve and its height are followed apart, since the memory and the cores that other programs
// use swing all steps from second to second, those of few tokens (bound by memory) and of many
// (bound by arithmetic) not always alike. Not thread-safe.
class StepCosts {
 public:
  // Nothing is known: a step costs the same whatever it computes.
  StepCosts() : StepCosts({1}, {1.0}) {}
  // `rows` ascending from 1; `ms` > 0 and not descending.
  StepCosts(std::vector<int> rows, std::vector<double> ms);

  // Times `step(rows)` for some numbers of rows up to `rows_max` >= 1: at least 1 and two more,
  // others and again while `budget` lasts.
  static StepCosts Measure(int rows_max, Duration budget, const Clock& clock,
                           const std::function<void(int rows)>& step);

  // A step that computed `rows` >= 1 tokens took `ms`.
  void Observe(int rows, double ms);

  // Of a step that computes `rows` >= 1 tokens now.
  double Ms(int rows) const;

 private:
  double Curve(double rows) const;

  std::vector<int> rows_;
  std::vector<double> curve_;     // [rows_]; curve_[0] == 1
  std::vector<double> measured_;  // [rows_]; the curve as it was at the start
  double height_ms_ = 1;
};

}  // namespace aio

#endif  // AIO_ENGINE_STEP_COSTS_H_
