#include "eval/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "eval/choose_policy.h"

namespace aio {

namespace {

// Without an arm table: the threshold that keeps so much of what is rightly called code.
constexpr double kKeptOfSmall = 0.99;

// One split's queries, as scores and as the study sees them.
struct SplitData {
  std::vector<LabelledLogits> logits;
  std::vector<StudyQuery> queries;
};

class Calibrator {
 public:
  Calibrator(const CalibrationInput& input, const CalibrationOptions& options)
      : input_(input), labels_(static_cast<int>(input.set.labels.size())) {
    report_.options = options;
    if (report_.options.mix.empty()) report_.options.mix.assign(labels_, 1.0 / labels_);
    const auto& names = input.set.labels;
    const auto small = std::find(names.begin(), names.end(), options.small_label);
    report_.small_label = small == names.end() ? 0 : static_cast<size_t>(small - names.begin());
  }

  Result<CalibrationReport> Run() {
    AIO_RETURN_IF_ERROR(Collect());
    FitScalings();
    report_.before =
        MeasureProbe(Predict(LogitScaling::None(labels_), Of(Split::kHeldOut).logits), labels_);
    const std::vector<Prediction> predictions =
        Predict(report_.scaling().scaling, Of(Split::kHeldOut).logits);
    report_.after = MeasureProbe(predictions, labels_);
    DescribeTraffic(predictions);
    report_.entropy_max = EntropyThatKeeps(kKeptOfSmall);
    if (input_.arms) AIO_RETURN_IF_ERROR(StudyRouting());
    return std::move(report_);
  }

 private:
  SplitData& Of(Split split) { return splits_[static_cast<size_t>(split)]; }

  int GroupOf(int label, const std::string& task) {
    const StudyGroup group{label, task};
    auto it = std::find(groups_.begin(), groups_.end(), group);
    if (it == groups_.end()) it = groups_.insert(it, group);
    return static_cast<int>(it - groups_.begin());
  }

  Status Collect() {
    for (size_t i = 0; i < input_.set.queries.size(); ++i) {
      const CalibrationQuery& query = input_.set.queries[i];
      const ProbedQuery& probed = input_.probed[i];
      if (!probed.ok() || probed.prompt_tokens > input_.probe_prompt_tokens_max) {
        ++report_.not_probed;
        report_.not_probed_example =
            probed.ok() ? fmt::format("{} tokens", probed.prompt_tokens) : probed.fault;
        continue;
      }
      const auto& names = input_.set.labels;
      const int label =
          static_cast<int>(std::find(names.begin(), names.end(), query.intent) - names.begin());
      SplitData& split = Of(query.split);
      split.logits.push_back({.logits = probed.logits, .label = label, .weight = 1});
      split.queries.push_back({.label = label,
                               .group = GroupOf(label, query.task),
                               .probabilities = {},
                               .entropy = 0,
                               .prompt_tokens = probed.prompt_tokens});
    }
    for (const Split split : kSplits) AIO_RETURN_IF_ERROR(SetWeights(split));
    return Status::Ok();
  }

  // Labels count by the mix, whatever their numbers.
  Status SetWeights(Split split) {
    std::vector<int> counts(labels_, 0);
    for (const LabelledLogits& query : Of(split).logits) ++counts[query.label];
    for (int label = 0; label < labels_; ++label) {
      if (counts[label] > 0) continue;
      return InvalidArgument(
          fmt::format("no query with intent '{}' of the {} split could be "
                      "probed: {}",
                      input_.set.labels[label], SplitName(split), report_.not_probed_example));
    }
    const auto all = static_cast<double>(Of(split).logits.size());
    for (LabelledLogits& query : Of(split).logits) {
      query.weight = std::max(1e-9, report_.options.mix[query.label] * all / counts[query.label]);
    }
    return Status::Ok();
  }

  void AddScaling(BiasKind kind, LogitScaling scaling) {
    ScalingFit fit;
    fit.bias = kind;
    fit.scaling = std::move(scaling);
    const auto smoothed = [&](Split split) {
      const std::vector<LabelledLogits>& queries = Of(split).logits;
      return NegativeLogLikelihood(fit.scaling, queries, UnseenErrorShare(queries.size()));
    };
    fit.fit_nll = smoothed(Split::kFit);
    fit.tune_nll = smoothed(Split::kTune);
    fit.held_out_nll = NegativeLogLikelihood(fit.scaling, Of(Split::kHeldOut).logits);
    report_.scalings.push_back(std::move(fit));
  }

  void FitScalings() {
    const std::vector<LabelledLogits>& fit = Of(Split::kFit).logits;
    AddScaling(BiasKind::kUnscaled, LogitScaling::None(labels_));
    AddScaling(BiasKind::kNone, FitTemperature(fit, LogitScaling::None(labels_).bias));
    if (!input_.content_free.empty()) {
      AddScaling(BiasKind::kContentFree, FitTemperature(fit, ContentFreeBias(input_.content_free)));
    }
    AddScaling(BiasKind::kFitted, FitBiasAndTemperature(fit));
    const auto best = std::min_element(
        report_.scalings.begin(), report_.scalings.end(),
        [](const ScalingFit& a, const ScalingFit& b) { return a.tune_nll < b.tune_nll; });
    report_.chosen_scaling = static_cast<size_t>(best - report_.scalings.begin());
  }

  // What a drift guard compares live requests with.
  void DescribeTraffic(const std::vector<Prediction>& predictions) {
    report_.said_shares.assign(labels_, 0);
    double weights = 0;
    double squares = 0;
    for (const Prediction& p : predictions) {
      const double deviation = p.entropy - report_.after.mean_entropy;
      weights += p.weight;
      squares += p.weight * deviation * deviation;
      report_.said_shares[p.said] += p.weight;
    }
    for (double& share : report_.said_shares) share /= weights;
    report_.entropy_sd = std::sqrt(squares / weights);
  }

  // The smallest threshold that the share `kept` of the tuning queries which are rightly given the
  // small model's label passes.
  double EntropyThatKeeps(double kept) {
    std::vector<double> entropies;
    for (const Prediction& p : Predict(report_.scaling().scaling, Of(Split::kTune).logits)) {
      if (p.right() && p.said == static_cast<int>(report_.small_label)) {
        entropies.push_back(p.entropy);
      }
    }
    if (entropies.empty()) return 0;
    std::sort(entropies.begin(), entropies.end());
    const double rank = std::ceil(kept * static_cast<double>(entropies.size())) - 1;
    return entropies[static_cast<size_t>(std::max(0.0, rank))];
  }

  std::vector<StudyQuery> Seen(Split split, const LogitScaling& scaling) {
    std::vector<StudyQuery> queries = Of(split).queries;
    const std::vector<Prediction> predictions = Predict(scaling, Of(split).logits);
    for (size_t i = 0; i < queries.size(); ++i) {
      queries[i].probabilities = predictions[i].probabilities;
      queries[i].entropy = predictions[i].entropy;
    }
    return queries;
  }

  Status StudyRouting() {
    std::vector<StudyGroup> held_out;
    for (const StudyQuery& query : Of(Split::kHeldOut).queries) {
      const StudyGroup& group = groups_[query.group];
      if (std::find(held_out.begin(), held_out.end(), group) == held_out.end()) {
        held_out.push_back(group);
      }
    }
    AIO_ASSIGN_OR_RETURN(
        StudyArms arms,
        ResolveArms(*input_.arms, {input_.set.labels, report_.options.mix, groups_, held_out}));
    const LogitScaling raw = LogitScaling::None(labels_);
    const LogitScaling& scaled = report_.scaling().scaling;
    PolicyChoiceInput choice{.arms = std::move(arms),
                             .fit = Seen(Split::kFit, scaled),
                             .tune = Seen(Split::kTune, scaled),
                             .held_out = Seen(Split::kHeldOut, scaled),
                             .fit_uncalibrated = Seen(Split::kFit, raw),
                             .tune_uncalibrated = Seen(Split::kTune, raw),
                             .held_out_uncalibrated = Seen(Split::kHeldOut, raw)};
    report_.routing = ChoosePolicy(std::move(choice), report_.options);
    const RoutingReport& routing = *report_.routing;
    if (routing.chosen)
      report_.entropy_max = routing.points[*routing.chosen].candidate->entropy_max;
    return Status::Ok();
  }

  const CalibrationInput& input_;
  const int labels_;
  CalibrationReport report_;
  std::array<SplitData, 3> splits_;
  std::vector<StudyGroup> groups_;
};

}  // namespace

Result<CalibrationReport> Calibrate(const CalibrationInput& input,
                                    const CalibrationOptions& options) {
  return Calibrator(input, options).Run();
}

}  // namespace aio
