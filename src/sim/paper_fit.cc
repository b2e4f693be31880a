#include "sim/paper_fit.h"

#include <fmt/format.h>

#include <utility>

namespace aio {
namespace {

struct Observation {
  std::string what;
  bool large = false;
  double tps = 0;
};

// Of y = constant + slope * x: least squares of relative errors.
class RelativeLine {
 public:
  void Add(double x, double y) {
    n_ += 1 / (y * y);
    x_ += x / (y * y);
    xx_ += x * x / (y * y);
    y_ += 1 / y;
    xy_ += x / y;
  }
  double slope() const { return (n_ * xy_ - x_ * y_) / (n_ * xx_ - x_ * x_); }
  double constant() const { return (y_ - slope() * x_) / n_; }

 private:
  double n_ = 0, x_ = 0, xx_ = 0, y_ = 0, xy_ = 0;
};

const PaperModel& ModelOf(const PaperTables& tables, bool large) {
  return large ? tables.large : tables.small;
}

std::string_view RowOf(bool large) { return large ? kStaticLarge : kStaticSmall; }

std::vector<Observation> Observations(const PaperTables& tables) {
  std::vector<Observation> speeds;
  for (const bool large : {false, true}) {
    for (const std::string& task : tables.figures.tasks) {
      const AccuracyTps* figures = tables.figures.Find(RowOf(large), task);
      if (figures == nullptr || !figures->tps) continue;
      speeds.push_back({fmt::format("{}, {}", RowOf(large), task), large, *figures->tps});
    }
  }
  return speeds;
}

// A step of one sequence after `context` tokens.
double StepMs(const PaperModel& model, int context, const DeviceProfile& device) {
  return TimeOf({.rows = 1, .context_tokens = context, .scored_pairs = context}, CostsOf(model),
                device)
      .total_ms;
}

// The static rows of the mixes: means over requests, as the paper takes them.
std::vector<FittedSpeed> MixSpeeds(const PaperTables& tables, const DeviceProfile& device) {
  std::vector<FittedSpeed> speeds;
  for (const auto& [name, mix] : tables.mixes) {
    const Named<AccuracyTps>* rows = FindNamed(tables.figures.scenarios, name);
    if (rows == nullptr) continue;
    for (const bool large : {false, true}) {
      const AccuracyTps* row = FindNamed(*rows, RowOf(large));
      if (row == nullptr || !row->tps) continue;
      const PaperModel& model = ModelOf(tables, large);
      const int context = tables.long_context.long_tokens;
      double tps = 0;
      for (const auto& part : mix.short_context)
        tps += part.second * 1000 / StepMs(model, 0, device);
      for (const auto& part : mix.long_context) {
        tps += part.second * 1000 / StepMs(model, context, device);
      }
      speeds.push_back({.what = fmt::format("{}, {}", name, RowOf(large)),
                        .published = *row->tps,
                        .fitted = tps,
                        .was_fitted_to = !mix.long_context.empty()});
    }
  }
  return speeds;
}

// Of the rows that KV has a part in.
double SquaredErrors(const PaperTables& tables, DeviceProfile device, double copy_gb_per_s) {
  device.eager.kv_copy_gb_per_s.value = copy_gb_per_s;
  double sum = 0;
  for (const FittedSpeed& speed : MixSpeeds(tables, device)) {
    if (speed.was_fitted_to) sum += speed.error() * speed.error();
  }
  return sum;
}

// The least of a function with one valley in [low, high], by thirds.
template <typename Function>
double Least(double low, double high, const Function& function) {
  constexpr int kRounds = 100;
  for (int i = 0; i < kRounds; ++i) {
    const double third = (high - low) / 3;
    if (function(low + third) < function(high - third)) {
      high -= third;
    } else {
      low += third;
    }
  }
  return low;
}

}  // namespace

ModelCosts CostsOf(const PaperModel& model) {
  return CostsOf(ModelShape{.name = model.name,
                            .architecture = "",
                            .num_layers = model.layers,
                            .hidden_size = model.hidden,
                            .num_heads = model.heads,
                            .num_kv_heads = model.kv_heads,
                            .head_size = model.hidden / model.heads,
                            .intermediate_size = model.intermediate,
                            .vocabulary_size = model.vocabulary,
                            .context_length = 0,
                            .rope_freq_base = 0,
                            .rms_norm_epsilon = 0,
                            .tied = false});
}

Result<PaperFit> FitToPaper(const PaperTables& tables, const DeviceProfile& device) {
  const std::vector<Observation> observations = Observations(tables);
  if (observations.empty()) {
    return InvalidArgument(tables.file + ": has no speeds of the static configurations");
  }
  RelativeLine line;
  for (const Observation& speed : observations) {
    line.Add(ModelOf(tables, speed.large).layers, 1000 / speed.tps);
  }
  PaperFit fit{.step_us = line.constant() * 1000, .layer_us = line.slope() * 1000};
  DeviceProfile fitted = device;
  fitted.eager.step_us.value = fit.step_us;
  fitted.eager.layer_us.value = fit.layer_us;
  constexpr double kSlowest = 1;
  fit.kv_copy_gb_per_s = Least(kSlowest, device.read_gb_per_s.value, [&](double gb_per_s) {
    return SquaredErrors(tables, fitted, gb_per_s);
  });
  fitted.eager.kv_copy_gb_per_s.value = fit.kv_copy_gb_per_s;
  for (const Observation& speed : observations) {
    const double ms = StepMs(ModelOf(tables, speed.large), 0, fitted);
    fit.speeds.push_back(
        {.what = speed.what, .published = speed.tps, .fitted = 1000 / ms, .was_fitted_to = true});
  }
  for (FittedSpeed& speed : MixSpeeds(tables, fitted)) fit.speeds.push_back(std::move(speed));
  return fit;
}

}  // namespace aio
