#include "paper/step_model.h"

#include <Eigen/Dense>
#include <array>
#include <cmath>
#include <utility>

#include "paper/costs.h"
#include "paper/mix_figures.h"

namespace aio {

namespace {

constexpr double kOverheadShares[] = {1, 0.5, 0.25, 0.1, 0};

std::array<double, 3> Terms(const StepObservation& observation) {
  return {observation.fixed, observation.layers, observation.gb};
}

// Fills the absent ones of `terms`.
void SolveAbsent(const std::vector<StepObservation>& observations,
                 std::array<std::optional<double>, 3>& terms) {
  std::vector<size_t> absent;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (!terms[i]) absent.push_back(i);
  }
  if (absent.empty()) return;
  const auto rows = static_cast<Eigen::Index>(observations.size());
  const auto columns = static_cast<Eigen::Index>(absent.size());
  Eigen::MatrixXd features(rows, columns);
  Eigen::VectorXd left(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const StepObservation& observation = observations[static_cast<size_t>(i)];
    const std::array<double, 3> parts = Terms(observation);
    left(i) = observation.ms;
    for (size_t term = 0; term < terms.size(); ++term) {
      if (terms[term]) left(i) -= *terms[term] * parts[term];
    }
    for (Eigen::Index j = 0; j < columns; ++j) {
      features(i, j) = parts[absent[static_cast<size_t>(j)]];
    }
  }
  const Eigen::VectorXd solution = features.colPivHouseholderQr().solve(left);
  for (Eigen::Index j = 0; j < columns; ++j) {
    terms[absent[static_cast<size_t>(j)]] = solution(j);
  }
}

void MeasureResiduals(const std::vector<StepObservation>& observations, StepFit& fit) {
  double squares = 0;
  double steps = 0;
  for (const bool large : {false, true}) {
    double count = 0;
    double residual = 0;
    double ms = 0;
    StepObservation step;
    for (const StepObservation& observation : observations) {
      if (observation.fixed == 0) continue;  // not a step: the probe's pass
      if (observation.large != large) continue;
      const double fitted =
          fit.fixed_ms + fit.ms_per_layer * observation.layers + fit.ms_per_gb * observation.gb;
      squares += (observation.ms - fitted) * (observation.ms - fitted);
      residual += observation.ms - fitted;
      ms += observation.ms;
      count += 1;
      step = observation;
    }
    if (count == 0) continue;
    steps += count;
    const double fitted = (ms - residual) / count;
    const double share = fit.ms_per_gb * step.gb / (ms / count);
    (large ? fit.large_residual_ms : fit.small_residual_ms) = residual / count;
    (large ? fit.large_memory_share : fit.small_memory_share) = share;
    (large ? fit.large_step_ms : fit.small_step_ms) = fitted;
  }
  fit.rms_ms = std::sqrt(squares / steps);
}

// The share of a mix's requests that the policy sends to the small model, every label right.
double SmallShare(const PaperTables& tables, const PaperMix& mix) {
  const MixRouting rule = PolicyRule(tables, PldUse::kOff, Labels::kPerfect);
  double share = 0;
  for (const auto& [task, part] : mix.short_context) {
    for (const auto& [probability, configuration] : rule.short_context(task)) {
      if (configuration == kStaticSmall) share += part * probability;
    }
  }
  return share;
}

}  // namespace

std::vector<StepObservation> StepObservations(const PaperTables& tables) {
  std::vector<StepObservation> observations;
  observations.reserve(2 * tables.figures.tasks.size());
  for (const bool large : {false, true}) {
    const PaperModel& model = large ? tables.large : tables.small;
    for (const std::string& task : tables.figures.tasks) {
      const Rounded tps = tables.Tps(large ? kStaticLarge : kStaticSmall, task);
      observations.push_back({.large = large,
                              .fixed = 1,
                              .layers = static_cast<double>(model.layers),
                              .gb = model.weights_gb,
                              .ms = 1000 / tps.value});
    }
  }
  return observations;
}

StepFit FitSteps(const std::vector<StepObservation>& observations, const StepTerms& given,
                 std::string name) {
  std::array<std::optional<double>, 3> terms = {given.fixed_ms, given.ms_per_layer,
                                                given.ms_per_gb};
  SolveAbsent(observations, terms);
  StepFit fit;
  fit.name = std::move(name);
  fit.fixed_ms = terms[0].value_or(0);
  fit.ms_per_layer = terms[1].value_or(0);
  fit.ms_per_gb = terms[2].value_or(0);
  MeasureResiduals(observations, fit);
  return fit;
}

StepModel FitStepModel(const PaperTables& tables) {
  StepModel model;
  model.small_ms = MeanStepMs(tables, kStaticSmall);
  model.large_ms = MeanStepMs(tables, kStaticLarge);
  model.layer_ratio = static_cast<double>(tables.large.layers) / tables.small.layers;
  model.time_ratio = model.large_ms / model.small_ms;
  std::vector<StepObservation> observations = StepObservations(tables);
  for (const double tb_per_s : kAssumedTbPerSecond) {
    model.per_layer.push_back(FitSteps(
        observations, {.fixed_ms = 0, .ms_per_layer = {}, .ms_per_gb = 1 / tb_per_s}, "per layer"));
    model.with_fixed.push_back(
        FitSteps(observations, {.fixed_ms = {}, .ms_per_layer = {}, .ms_per_gb = 1 / tb_per_s},
                 "fixed and per layer"));
  }
  model.bandwidth_free =
      FitSteps(observations, {.fixed_ms = 0, .ms_per_layer = {}, .ms_per_gb = {}},
               "per layer and bandwidth");
  model.tb_per_s_min =
      (tables.large.weights_gb - tables.small.weights_gb) / (model.large_ms - model.small_ms);
  observations.push_back({.large = false,
                          .fixed = 0,
                          .layers = static_cast<double>(tables.small.layers),
                          .gb = tables.small.weights_gb,
                          .ms = tables.overhead.probe_prefill_ms});
  model.with_probe_pass = FitSteps(observations, {}, "all three, with the probe's pass");
  return model;
}

std::vector<RoutingGain> RoutingGains(const PaperTables& tables, const StepFit& fit) {
  std::vector<RoutingGain> gains;
  for (const double share : kOverheadShares) {
    RoutingGain gain;
    gain.overhead_share = share;
    const auto step_ms = [&](const PaperModel& model) {
      return share * (fit.fixed_ms + fit.ms_per_layer * model.layers) +
             fit.ms_per_gb * model.weights_gb;
    };
    gain.small_ms = step_ms(tables.small);
    gain.large_ms = step_ms(tables.large);
    for (const auto& [name, mix] : tables.mixes) {
      const double small = SmallShare(tables, mix);
      gain.harmonic.emplace_back(
          name, gain.large_ms / (small * gain.small_ms + (1 - small) * gain.large_ms));
      gain.arithmetic.emplace_back(name, small * gain.large_ms / gain.small_ms + (1 - small));
    }
    gains.push_back(std::move(gain));
  }
  return gains;
}

}  // namespace aio
