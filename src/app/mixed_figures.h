// What the runs of `aio bench mixed` say: rates, accuracy, and how they stand to the static large
// model's.
#ifndef AIO_APP_MIXED_FIGURES_H_
#define AIO_APP_MIXED_FIGURES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/bench_mixed.h"
#include "app/mixed_configurations.h"
#include "eval/intervals.h"
#include "traffic/load_summary.h"

namespace aio {

inline constexpr double kFigureConfidence = 0.95;

struct FigureWithInterval {
  double value = 0;
  std::optional<Interval> interval;  // absent: of one sample there is none
};

// Over the reference's, of the same requests.
struct RateRatios {
  FigureWithInterval arithmetic;
  FigureWithInterval harmonic;
  FigureWithInterval total;
};

struct MixedAccuracy {
  int64_t judged = 0;  // requests
  double percent = 0;
  Interval interval;  // Clopper and Pearson's, percent
  // Points over the reference's, on the same requests.
  FigureWithInterval over_reference;
};

// An ablation beside the policy that it lacks a part of, on the same requests.
struct MixedAblation {
  std::string whole;  // the policy's name
  RateRatios over_whole;
  std::optional<FigureWithInterval> points_over_whole;  // of accuracy, where both were judged
};

// What routing adds to the wait for the first token: over the same requests asked of the same
// model (role and weights) directly and plainly, in the same run. Where the small model answers,
// its look at the prompt is not lost: the answer goes on from there.
struct AddedWait {
  int64_t compared = 0;      // answers, of all repeats
  FigureWithInterval ms;     // mean
  FigureWithInterval share;  // of these requests' whole time, 0..1
};

struct MixedRow {
  std::string name;
  ConfigurationGroup group = ConfigurationGroup::kStatic;
  LoadSummary summary;  // of all repeats together
  RateRatios over_reference;
  std::optional<MixedAccuracy> accuracy;
  std::optional<MixedAblation> ablation;  // of one whose policy is among the rows
  std::optional<AddedWait> added_wait;    // of one that routes, if its models were asked directly
  double decide_us = 0;                   // RoutingPolicy::Decide(), the median; 0: no policy
  double bytes_per_request = 0;
  double bytes_per_512_tokens = 0;  // of output, prompts' steps included
};

// One row a configuration. Intervals are of the percentile bootstrap with both repeats and requests
// drawn with replacement, the same for both sides of a ratio: what slows the machine for a while,
// and what makes a prompt slow, hits both. Those of the total rate draw repeats alone.
// `grades` may be empty: nothing was judged.
std::vector<MixedRow> SummariseMixed(const std::vector<MixedConfiguration>& configurations,
                                     const std::vector<ConfigurationRuns>& runs,
                                     const std::vector<MixedGrades>& grades, const Prices& prices);

// The parts of SummariseMixed that are of two configurations alone; for tests.
RateRatios CompareRates(const ConfigurationRuns& runs, const ConfigurationRuns& reference);
// By the name of the configuration that asks a model directly: "small", "large-w8a16".
using DirectRuns = std::map<std::string, const ConfigurationRuns*>;
std::optional<AddedWait> CompareWaits(const ConfigurationRuns& runs, const DirectRuns& direct);
std::optional<MixedAccuracy> CompareAccuracy(const MixedGrades& grades,
                                             const MixedGrades& reference);

}  // namespace aio

#endif  // AIO_APP_MIXED_FIGURES_H_
