// What the paper's tokens/s say of where a step's time goes.
//
// Model: the time of one token is
//   fixed + per_layer * layers + per_gb * (GB of weights read)
// where per_gb = 1 / bandwidth. Five tasks of two models are ten observations, but all tasks of a
// model have the same layers and bytes: they give two means, so at most two of the three terms can
// be told apart. Sources of the shapes: PaperModel::shape_source.
#ifndef AIO_PAPER_STEP_MODEL_H_
#define AIO_PAPER_STEP_MODEL_H_

#include <optional>
#include <string>
#include <vector>

#include "paper/paper_tables.h"

namespace aio {

struct StepObservation {
  bool large = false;
  double fixed = 1;  // how often the fixed part is in it
  double layers = 0;
  double gb = 0;
  double ms = 0;
};

// One for each task and model.
std::vector<StepObservation> StepObservations(const PaperTables& tables);

// Terms of the model; absent ones are fitted.
struct StepTerms {
  std::optional<double> fixed_ms;
  std::optional<double> ms_per_layer;
  std::optional<double> ms_per_gb;  // 1 at 1 TB/s
};

struct StepFit {
  std::string name;
  double fixed_ms = 0, ms_per_layer = 0, ms_per_gb = 0;
  double rms_ms = 0;             // residual over the observations
  double small_residual_ms = 0;  // mean of observed - fitted
  double large_residual_ms = 0;
  double small_memory_share = 0;  // of the observed mean step: GB * ms_per_gb
  double large_memory_share = 0;
  double small_step_ms = 0, large_step_ms = 0;  // by the fit

  // A term below zero is no time: the model does not hold with what was given.
  bool Possible() const { return fixed_ms >= 0 && ms_per_layer >= 0 && ms_per_gb >= 0; }
  double TbPerSecond() const { return 1 / ms_per_gb; }  // of use where ms_per_gb > 0
};

// Least squares over the absent terms. `observations` of both models.
StepFit FitSteps(const std::vector<StepObservation>& observations, const StepTerms& given,
                 std::string name);

struct StepModel {
  double small_ms = 0, large_ms = 0;  // mean step, observed
  double layer_ratio = 0;             // large over small
  double time_ratio = 0;
  std::vector<StepFit> per_layer;   // no fixed part, at each assumed bandwidth
  StepFit bandwidth_free;           // no fixed part, bandwidth fitted too
  std::vector<StepFit> with_fixed;  // fixed and per layer, at each assumed bandwidth
  // The least bandwidth at which `with_fixed` gives a layer no negative time.
  double tb_per_s_min = 0;
  // All three terms, with the probe's forward pass of the overhead table as a third equation: a
  // pass over layers and weights without the fixed part.
  StepFit with_probe_pass;
};

// Assumed bandwidths, TB/s.
inline constexpr double kAssumedTbPerSecond[] = {0.8, 1.0, 1.2, 1.6};

StepModel FitStepModel(const PaperTables& tables);

// What routing alone would gain (perfect labels, no prompt lookup, each request of as many
// tokens) if the host's part of a step, `overhead` = fixed and per layer, were a share of what
// `fit` says, down to 0: an engine bound by bandwidth.
struct RoutingGain {
  double overhead_share = 0;
  double small_ms = 0, large_ms = 0;
  Named<double> harmonic;    // mix -> tokens/s over static large, as a user waits
  Named<double> arithmetic;  // the same by the mean of tokens/s
};
std::vector<RoutingGain> RoutingGains(const PaperTables& tables, const StepFit& fit);

}  // namespace aio

#endif  // AIO_PAPER_STEP_MODEL_H_
