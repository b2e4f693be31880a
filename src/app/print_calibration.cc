#include "app/print_calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace aio {

namespace {

constexpr size_t kSkippedShown = 10;

class CalibrationPrinter {
 public:
  CalibrationPrinter(const CalibrationInput& input, const CalibrationReport& report)
      : input_(input), report_(report), labels_(input.set.labels) {}

  std::string Format(const CalibrationSubject& subject) {
    Add("probe of {} ({}), {}\n\n", subject.small_model, subject.probe, subject.date);
    AddData();
    AddSkipped();
    AddScalings();
    AddMetrics();
    AddConfusion();
    AddRisk();
    if (report_.routing) AddRouting(*report_.routing);
    return std::move(text_);
  }

 private:
  template <typename... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...);
  }

  void AddData() {
    Add("{:<24} {:>6} {:>7} {:>7} {:>7} {:>9}\n", "data", "side", "rows", "fit", "tune",
        "held out");
    for (const DataSetUse& set : input_.set.data_sets) {
      Add("{:<24} {:>6} {:>7} {:>7} {:>7} {:>9}\n", set.name, DataSideName(set.side), set.rows,
          set.used[0], set.used[1], set.used[2]);
    }
    if (report_.not_probed > 0) {
      Add("{} queries could not be probed, such as: {}\n", report_.not_probed,
          report_.not_probed_example);
    }
  }

  void AddSkipped() {
    const std::vector<SkippedRow>& skipped = input_.set.skipped;
    if (skipped.empty()) return;
    Add("left out:");
    for (const RowFault fault :
         {RowFault::kUnreadable, RowFault::kUnlabelled, RowFault::kUnknownLabel,
          RowFault::kDuplicate, RowFault::kContradiction}) {
      const int count = input_.set.CountSkipped(fault);
      if (count > 0) Add(" {} {};", count, RowFaultName(fault));
    }
    Add("\n");
    for (size_t i = 0; i < std::min(kSkippedShown, skipped.size()); ++i) {
      const SkippedRow& row = skipped[i];
      Add("  {}: line {}: {}: {}\n", row.file, row.line, RowFaultName(row.fault), row.detail);
    }
    if (skipped.size() > kSkippedShown) {
      Add("  and {} more (--json lists all)\n", skipped.size() - kSkippedShown);
    }
  }

  void AddScalings() {
    Add("\n{:<14}", "bias");
    for (const std::string& label : labels_) Add(" {:>10}", label);
    Add(" {:>12} {:>10} {:>10} {:>15}\n", "temperature", "fit, nats", "tune, nats",
        "held out, nats");
    for (size_t i = 0; i < report_.scalings.size(); ++i) {
      const ScalingFit& fit = report_.scalings[i];
      Add("{:<14}", BiasKindName(fit.bias));
      for (const double bias : fit.scaling.bias) Add(" {:>10.3f}", bias);
      Add(" {:>12.3f} {:>10.4f} {:>10.4f} {:>15.4f}{}\n", fit.scaling.temperature, fit.fit_nll,
          fit.tune_nll, fit.held_out_nll, i == report_.chosen_scaling ? "  taken" : "");
    }
  }

  void AddMetrics() {
    Add("\n{:<12} {:>10} {:>9} {:>20} {:>9} {:>9} {:>11} {:>9}\n", "held out", "accuracy", "ECE",
        "95 %", "nats", "Brier", "confidence", "entropy");
    for (const auto& [name, metrics] :
         {std::pair{"before", &report_.before}, std::pair{"after", &report_.after}}) {
      Add("{:<12} {:>8.2f} % {:>9.4f} {:>20} {:>9.4f} {:>9.4f} {:>11.4f} {:>9.4f}\n", name,
          100 * metrics->accuracy, metrics->ece,
          fmt::format("{:.4f} to {:.4f}", metrics->ece_interval.low, metrics->ece_interval.high),
          metrics->nll, metrics->brier, metrics->mean_confidence, metrics->mean_entropy);
    }
  }

  void AddConfusion() {
    Add("\n{:<12}", "truth, said");
    for (const std::string& label : labels_) Add(" {:>8}", label);
    Add(" {:>10} {:>9} {:>16}\n", "precision", "recall", "95 %");
    for (size_t i = 0; i < labels_.size(); ++i) {
      const LabelFigures& figures = report_.after.labels[i];
      Add("{:<12}", labels_[i]);
      for (const int count : report_.after.confusion[i]) Add(" {:>8}", count);
      Add(" {:>8.1f} % {:>7.1f} % {:>16}\n", 100 * figures.precision, 100 * figures.recall,
          fmt::format("{:.1f} to {:.1f}", 100 * figures.recall_interval.low,
                      100 * figures.recall_interval.high));
    }
  }

  // The curve at a few coverages.
  void AddRisk() {
    Add("\nwrong among the surest:");
    for (const double coverage : {0.5, 0.8, 0.9, 0.95, 0.99, 1.0}) {
      const auto& curve = report_.after.risk_coverage;
      const auto point = std::find_if(curve.begin(), curve.end(), [&](const RiskPoint& p) {
        return p.coverage >= coverage - 1e-9;
      });
      if (point == curve.end()) continue;
      Add(" {:.0f} %: {:.2f} %;", 100 * point->coverage, 100 * point->risk);
    }
    Add("\n");
  }

  void AddPoint(const FrontPoint& point, std::string_view note) {
    const RoutingFigures& figures = point.held_out;
    Add("{:<42} {:>9.2f} {:>7.2f} {:>8.2f} {:>9.2f} {:>8.2f} {:>8.1f} %{}\n", point.name,
        figures.accuracy, figures.loss, figures.loss_upper, figures.tokens_per_second,
        figures.tokens_per_second_mean, 100 * figures.small_share, note);
  }

  void AddRouting(const RoutingReport& routing) {
    Add("\nrouting on the held-out queries by {}: oracle {:.2f} %; loss at most, {:g} % ({})\n",
        input_.arms->source, routing.oracle_accuracy, 100 * report_.options.confidence,
        BoundMethodName(report_.options.bound));
    Add("tau by grid search over {} queries for accuracy: {:.3g} nats calibrated, {:.3g} not\n",
        routing.grid.queries, routing.grid.entropy_max, routing.grid_uncalibrated.entropy_max);
    Add("{:<42} {:>9} {:>7} {:>8} {:>9} {:>8} {:>10}\n", "policy", "accuracy", "loss", "at most",
        "tokens/s", "mean", "on small");
    // Points that route alike are one line.
    std::set<std::tuple<double, double, double>> seen;
    for (size_t i = 0; i < routing.points.size(); ++i) {
      const FrontPoint& point = routing.points[i];
      const bool chosen = routing.chosen == i;
      const RoutingFigures& figures = point.held_out;
      const bool is_new =
          seen.insert({figures.accuracy, figures.tokens_per_second, figures.loss_upper}).second;
      const bool shown = chosen || !point.candidate || (point.on_front && is_new);
      if (shown) AddPoint(point, chosen ? "  taken" : point.on_front ? "  front" : "");
    }
    if (!routing.chosen) Add("{}\n", DescribeRowsNeeded(report_));
  }

  const CalibrationInput& input_;
  const CalibrationReport& report_;
  const std::vector<std::string>& labels_;
  std::string text_;
};

}  // namespace

std::string FormatCalibration(const CalibrationInput& input, const CalibrationReport& report,
                              const CalibrationSubject& subject) {
  return CalibrationPrinter(input, report).Format(subject);
}

void PrintCalibration(const CalibrationInput& input, const CalibrationReport& report,
                      const CalibrationSubject& subject) {
  fmt::print("{}", FormatCalibration(input, report, subject));
}

}  // namespace aio
