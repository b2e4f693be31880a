#include "sim/paper_fit.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "paper/mix_figures.h"

namespace aio {
namespace {

struct Observation {
  std::string what;
  bool large = false;
  int context = 0;
  double tps = 0;
};

// Least squares of the relative errors of `factor` * x to y.
class RelativeFit {
 public:
  void Add(double x, double y) {
    over_y_ += x / y;
    squares_ += x / y * (x / y);
  }
  double factor() const { return over_y_ / squares_; }

 private:
  double over_y_ = 0;
  double squares_ = 0;
};

const PaperModel& ModelOf(const PaperTables& tables, bool large) {
  return large ? tables.large : tables.small;
}

std::string_view RowOf(bool large) { return large ? kStaticLarge : kStaticSmall; }

std::vector<Observation> ShortSpeeds(const PaperTables& tables) {
  std::vector<Observation> speeds;
  for (const bool large : {false, true}) {
    for (const std::string& task : tables.figures.tasks) {
      const AccuracyTps* figures = tables.figures.Find(RowOf(large), task);
      if (figures == nullptr || !figures->tps) continue;
      speeds.push_back({fmt::format("{}, {}", RowOf(large), task), large, 0, *figures->tps});
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

FittedSpeed Compare(const Observation& speed, const PaperTables& tables,
                    const DeviceProfile& device) {
  const double ms = StepMs(ModelOf(tables, speed.large), speed.context, device);
  return {.what = speed.what, .published = speed.tps, .fitted = 1000 / ms, .was_fitted_to = true};
}

// The static rows of the mixes: means over requests, as the paper takes them.
void PredictMixes(const PaperTables& tables, const DeviceProfile& device,
                  std::vector<FittedSpeed>& out) {
  for (const auto& [name, mix] : tables.mixes) {
    const Named<AccuracyTps>* rows = FindNamed(tables.figures.scenarios, name);
    if (rows == nullptr) continue;
    for (const bool large : {false, true}) {
      const AccuracyTps* row = FindNamed(*rows, RowOf(large));
      if (row == nullptr || !row->tps) continue;
      const PaperModel& model = ModelOf(tables, large);
      double tps = 0;
      for (const auto& [task, share] : mix.short_context)
        tps += share * 1000 / StepMs(model, 0, device);
      for (const auto& [task, share] : mix.long_context) {
        tps += share * 1000 / StepMs(model, tables.long_context.long_tokens, device);
      }
      out.push_back({.what = fmt::format("{}, {}", name, RowOf(large)),
                     .published = *row->tps,
                     .fitted = tps,
                     .was_fitted_to = false});
    }
  }
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
  const std::vector<Observation> short_speeds = ShortSpeeds(tables);
  const LongContextTps long_tps = SolveLongContextTps(tables);
  if (short_speeds.empty() || !long_tps.small || !long_tps.large) {
    return InvalidArgument(tables.file + ": has no speeds of the static configurations");
  }
  DeviceProfile fitted = device;
  const double step_ms = device.eager.step_us.value / 1000;
  RelativeFit layers;
  for (const Observation& speed : short_speeds) {
    layers.Add(ModelOf(tables, speed.large).layers, 1000 / speed.tps - step_ms);
  }
  PaperFit fit{.layer_us = layers.factor() * 1000, .kv_copy_gb_per_s = 0, .speeds = {}};
  fitted.eager.layer_us.value = fit.layer_us;
  fitted.eager.kv_copy_gb_per_s.value = 0;

  const int context = tables.long_context.long_tokens;
  const std::array<Observation, 2> long_speeds = {
      Observation{fmt::format("{}, {} tokens", kStaticSmall, context), false, context,
                  long_tps.small->value},
      Observation{fmt::format("{}, {} tokens", kStaticLarge, context), true, context,
                  long_tps.large->value}};
  RelativeFit copying;
  for (const Observation& speed : long_speeds) {
    const PaperModel& model = ModelOf(tables, speed.large);
    copying.Add(model.KvGb(context), 1000 / speed.tps - StepMs(model, 0, fitted));
  }
  fit.kv_copy_gb_per_s = 1000 / copying.factor();
  fitted.eager.kv_copy_gb_per_s.value = fit.kv_copy_gb_per_s;

  for (const Observation& speed : short_speeds)
    fit.speeds.push_back(Compare(speed, tables, fitted));
  for (const Observation& speed : long_speeds) fit.speeds.push_back(Compare(speed, tables, fitted));
  PredictMixes(tables, fitted, fit.speeds);
  return fit;
}

}  // namespace aio
