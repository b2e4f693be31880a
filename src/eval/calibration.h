// Calibrates a probe and chooses a policy: a pure function of the queries, the probe's scores and
// a table of arms. What is fitted is fitted on the fit split, choices are made on the tune split,
// and every figure is of the held-out split.
#ifndef AIO_EVAL_CALIBRATION_H_
#define AIO_EVAL_CALIBRATION_H_

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/arm_table.h"
#include "eval/logit_scaling.h"
#include "eval/probe_metrics.h"
#include "eval/probe_queries.h"
#include "eval/query_set.h"
#include "eval/routing_study.h"

namespace aio {

struct CalibrationInput {
  QuerySet set;
  std::vector<ProbedQuery> probed;               // of set.queries, in their order
  std::vector<std::vector<float>> content_free;  // scores of inputs without content; may be empty
  std::optional<ArmTable> arms;
  int probe_prompt_tokens_max = 2048;  // longer prompts are not probed in service, nor counted here
};

struct CalibrationOptions {
  std::vector<double> mix = {};  // of the labels; empty: all alike
  double loss_max = 1;           // percentage points
  double confidence = 0.95;
  BoundMethod bound = BoundMethod::kClopperPearson;
  RoutingCandidate::Kind kind = RoutingCandidate::Kind::kRules;  // what may be chosen
  int answer_tokens = 256;
  int grid_queries = 500;  // of the paper's grid search
  // The label that the paper's policy gives to the small model, and the only one without a table
  // of arms; not one of the probe's: its first.
  std::string small_label = "code";
};

// One way to scale the scores, fitted.
struct ScalingFit {
  BiasKind bias = BiasKind::kNone;
  LogitScaling scaling;
  // Nats. The first two with the targets that the fits aim at: what errors too rare for so few
  // queries to show would cost counts too, else a probe that is too sure would win where it is
  // never wrong.
  double fit_nll = 0;
  double tune_nll = 0;
  double held_out_nll = 0;  // as it is; nothing is chosen by it
};

// tau by the paper's method: a grid search for the greatest accuracy, code on the small model,
// over at most so many queries that are not held out. Of equals the faster, then the smallest
// threshold, which asks for the most certainty.
struct GridSearch {
  int queries = 0;
  double entropy_max = 0;
  double accuracy = 0;  // percent, on these queries
};

struct FrontPoint {
  std::string name;   // "code small, tau 0.45"
  std::string group;  // "rules", "utility", "static", "random", "paper", "oracle"
  RoutingFigures held_out;
  std::optional<RoutingFigures> tune;         // of candidates
  std::optional<RoutingCandidate> candidate;  // that can be chosen
  bool on_front = false;  // no other point but the oracle is as good in one and better in the other
};

struct RoutingReport {
  StudyArms arms;
  std::vector<double> mix;
  double oracle_accuracy = 0;    // percent
  GridSearch grid;               // calibrated entropies
  GridSearch grid_uncalibrated;  // as in the paper
  std::vector<FrontPoint> points;
  // The fastest candidate of the kind asked that passes the bound. Absent: none does.
  std::optional<size_t> chosen;
  // Of the most careful candidate: what the bound asked would take. Set when none passes.
  std::optional<RowsNeeded> rows_needed;
};

struct CalibrationReport {
  CalibrationOptions options;
  std::vector<ScalingFit> scalings;
  size_t chosen_scaling = 0;  // the least tune_nll
  ProbeMetrics before;        // held out, as the probe is
  ProbeMetrics after;         // with the chosen scaling
  int not_probed = 0;         // queries left out: too long, or refused by the model
  std::string not_probed_example;
  double entropy_max = 0;           // of the policy to write, nats
  size_t small_label = 0;           // see CalibrationOptions
  double entropy_sd = 0;            // of single held-out queries, by weight; nats
  std::vector<double> said_shares;  // [labels]: how often each is the most probable, by weight
  std::optional<RoutingReport> routing;

  const ScalingFit& scaling() const { return scalings[chosen_scaling]; }
};

// Fails if a label has nothing left in a split, or the arm table lacks a figure.
Result<CalibrationReport> Calibrate(const CalibrationInput& input,
                                    const CalibrationOptions& options);

}  // namespace aio

#endif  // AIO_EVAL_CALIBRATION_H_
