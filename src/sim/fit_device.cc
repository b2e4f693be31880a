#include "sim/fit_device.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <unsupported/Eigen/NonLinearOptimization>
#include <unsupported/Eigen/NumericalDiff>
#include <utility>

#include "base/check.h"
#include "model/synthesize.h"

namespace aio {
namespace {

// A number of a profile, and where it can be.
struct Parameter {
  std::string_view key;
  double min;
  double max;
  Sourced& (*of)(DeviceProfile& device);
};

constexpr double kMicrosecondsMin = 0.01;
constexpr double kMicrosecondsMax = 1e6;

constexpr std::array<Parameter, 8> kParameters = {{
    {"read_share", 0.01, 1, [](DeviceProfile& d) -> Sourced& { return d.read_share; }},
    {"compute_share", 0.01, 1, [](DeviceProfile& d) -> Sourced& { return d.compute_share; }},
    {"overlap", 0, 1, [](DeviceProfile& d) -> Sourced& { return d.overlap; }},
    {"layer_gap_us", kMicrosecondsMin, kMicrosecondsMax,
     [](DeviceProfile& d) -> Sourced& { return d.layer_gap_us; }},
    {"eager.step_us", kMicrosecondsMin, kMicrosecondsMax,
     [](DeviceProfile& d) -> Sourced& { return d.eager.step_us; }},
    {"eager.layer_us", kMicrosecondsMin, kMicrosecondsMax,
     [](DeviceProfile& d) -> Sourced& { return d.eager.layer_us; }},
    {"graph.step_us", kMicrosecondsMin, kMicrosecondsMax,
     [](DeviceProfile& d) -> Sourced& { return d.graph.step_us; }},
    {"graph.layer_us", kMicrosecondsMin, kMicrosecondsMax,
     [](DeviceProfile& d) -> Sourced& { return d.graph.layer_us; }},
}};

const Parameter* FindParameter(std::string_view key) {
  for (const Parameter& parameter : kParameters) {
    if (parameter.key == key) return &parameter;
  }
  return nullptr;
}

// Shares are as they are, times by their logarithm: so that steps of the search are of a size.
bool IsTime(const Parameter& parameter) { return parameter.max == kMicrosecondsMax; }
double Coordinate(const Parameter& parameter, double value) {
  const double inside = std::clamp(value, parameter.min, parameter.max);
  return IsTime(parameter) ? std::log(inside) : inside;
}
double Value(const Parameter& parameter, double coordinate) {
  const double value = IsTime(parameter) ? std::exp(std::min(coordinate, 20.0)) : coordinate;
  return std::clamp(value, parameter.min, parameter.max);
}

// The relative errors as a function of the parameters, in Eigen's words.
struct Errors {
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  const DeviceProfile* device;
  std::vector<const Parameter*> parameters;
  std::vector<const MeasuredStep*> steps;

  // LevenbergMarquardt wants no fewer values than inputs.
  int inputs() const { return static_cast<int>(parameters.size()); }
  int values() const { return static_cast<int>(steps.size()); }

  DeviceProfile At(const Eigen::VectorXd& x) const {
    DeviceProfile changed = *device;
    for (size_t i = 0; i < parameters.size(); ++i) {
      parameters[i]->of(changed).value = Value(*parameters[i], x[static_cast<Eigen::Index>(i)]);
    }
    return changed;
  }
  int operator()(const Eigen::VectorXd& x, Eigen::VectorXd& errors) const {
    const DeviceProfile changed = At(x);
    for (size_t i = 0; i < steps.size(); ++i) {
      errors[static_cast<Eigen::Index>(i)] = PredictedMs(*steps[i], changed) / steps[i]->ms - 1;
    }
    return 0;
  }
};

// To four digits: more would say more than the steps do.
double Rounded(double value) {
  if (value == 0) return 0;
  const double scale = std::pow(10, 3 - std::floor(std::log10(value)));
  return std::round(value * scale) / scale;
}

// Where the search begins: as the profile is, and at both thirds of each range.
std::vector<Eigen::VectorXd> Starts(const Errors& errors, DeviceProfile device) {
  Eigen::VectorXd as_is(errors.inputs());
  Eigen::VectorXd low(errors.inputs());
  Eigen::VectorXd high(errors.inputs());
  for (int i = 0; i < errors.inputs(); ++i) {
    const Parameter& parameter = *errors.parameters[static_cast<size_t>(i)];
    constexpr double kShortUs = 5;
    constexpr double kLongUs = 500;
    as_is[i] = Coordinate(parameter, parameter.of(device).value);
    low[i] = Coordinate(parameter, IsTime(parameter) ? kShortUs : parameter.max / 3);
    high[i] = Coordinate(parameter, IsTime(parameter) ? kLongUs : parameter.max * 2 / 3);
  }
  return {as_is, low, high};
}

}  // namespace

StepWork WorkOf(const MeasuredStep& step) {
  StepWork work = {.rows = step.rows, .weights = step.weights, .graph = step.graph};
  const int64_t rows = step.rows;
  if (step.prompt) {
    work.context_tokens = rows;
    work.logit_rows = 1;
    work.scored_pairs = rows * (rows + 1) / 2;
  } else {
    work.context_tokens = work.scored_pairs = rows * (step.context + 1);
    work.logit_rows = step.rows;
  }
  return work;
}

double PredictedMs(const MeasuredStep& step, const DeviceProfile& device) {
  const ModelShape* shape = device.FindModel(step.model);
  AIO_CHECK(shape != nullptr);
  return TimeOf(WorkOf(step), CostsOf(*shape), device).total_ms;
}

std::vector<StepResidual> Residuals(const DeviceProfile& device) {
  std::vector<StepResidual> residuals;
  residuals.reserve(device.measured.size());
  for (const MeasuredStep& step : device.measured) {
    residuals.push_back({&step, PredictedMs(step, device)});
  }
  return residuals;
}

const std::vector<std::string>& FittableKeys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all;
    all.reserve(kParameters.size());
    for (const Parameter& parameter : kParameters) all.emplace_back(parameter.key);
    return all;
  }();
  return keys;
}

Result<DeviceProfile> FitToMeasured(DeviceProfile device) {
  Errors errors{.device = &device, .parameters = {}, .steps = {}};
  for (const std::string& key : device.fitted) {
    const Parameter* parameter = FindParameter(key);
    if (parameter == nullptr) {
      return InvalidArgument(fmt::format("{}: fitted: '{}' cannot be fitted", device.name, key));
    }
    errors.parameters.push_back(parameter);
  }
  for (const MeasuredStep& step : device.measured) {
    if (step.fitted_to) errors.steps.push_back(&step);
  }
  if (errors.steps.size() < errors.parameters.size()) {
    return InvalidArgument(fmt::format("{}: {} numbers are to be fitted to {} measured steps",
                                       device.name, errors.parameters.size(), errors.steps.size()));
  }
  if (errors.parameters.empty()) return device;
  Eigen::VectorXd best;
  double least = std::numeric_limits<double>::infinity();
  for (Eigen::VectorXd x : Starts(errors, device)) {
    // A step wide enough to see past the roof's kink.
    Eigen::NumericalDiff<Errors> differences(errors, 1e-10);
    Eigen::LevenbergMarquardt<Eigen::NumericalDiff<Errors>> search(differences);
    search.minimize(x);
    Eigen::VectorXd values(errors.values());
    errors(x, values);
    if (values.squaredNorm() < least) {
      least = values.squaredNorm();
      best = x;
    }
  }
  DeviceProfile fitted = errors.At(best);
  for (const Parameter* parameter : errors.parameters) {
    Sourced& number = parameter->of(fitted);
    number.value = Rounded(number.value);
    number.source = "fitted to [[measured]]";
  }
  return fitted;
}

}  // namespace aio
