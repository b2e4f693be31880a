#include <nlohmann/json.hpp>
#include <string>

#include "eval/calibration_json.h"
#include "eval/calibration_output.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const Interval& interval) { return Json::array({interval.low, interval.high}); }

Json DataJson(const QuerySet& set) {
  Json data = Json::array();
  for (const DataSetUse& use : set.data_sets) {
    data.push_back({{"name", use.name},
                    {"side", DataSideName(use.side)},
                    {"rows", use.rows},
                    {"fit", use.used[0]},
                    {"tune", use.used[1]},
                    {"held_out", use.used[2]},
                    {"sha256", use.sha256}});
  }
  return data;
}

Json SkippedJson(const QuerySet& set) {
  Json skipped = Json::array();
  for (const SkippedRow& row : set.skipped) {
    skipped.push_back({{"fault", RowFaultName(row.fault)},
                       {"file", row.file},
                       {"line", row.line},
                       {"detail", row.detail}});
  }
  return skipped;
}

Json LabelsJson(const std::vector<std::string>& names, const ProbeMetrics& metrics) {
  Json labels = Json::array();
  for (size_t i = 0; i < names.size(); ++i) {
    labels.push_back({{"label", names[i]},
                      {"queries", metrics.labels[i].count},
                      {"precision", metrics.labels[i].precision},
                      {"recall", metrics.labels[i].recall},
                      {"recall_interval", ToJson(metrics.labels[i].recall_interval)}});
  }
  return labels;
}

Json MetricsJson(const std::vector<std::string>& names, const ProbeMetrics& metrics) {
  Json bins = Json::array();
  for (const ReliabilityBin& bin : metrics.reliability) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"count", bin.count},
                    {"confidence", bin.confidence},
                    {"accuracy", bin.accuracy}});
  }
  Json risk = Json::array();
  for (const RiskPoint& point : metrics.risk_coverage) {
    risk.push_back(
        {{"coverage", point.coverage}, {"risk", point.risk}, {"entropy", point.entropy}});
  }
  Json entropies = Json::array();
  for (const EntropyBin& bin : metrics.entropies) {
    entropies.push_back(
        {{"low", bin.low}, {"high", bin.high}, {"right", bin.right}, {"wrong", bin.wrong}});
  }
  return {{"accuracy", metrics.accuracy},
          {"ece", metrics.ece},
          {"ece_interval", ToJson(metrics.ece_interval)},
          {"nll", metrics.nll},
          {"brier", metrics.brier},
          {"mean_confidence", metrics.mean_confidence},
          {"mean_entropy", metrics.mean_entropy},
          {"confusion", metrics.confusion},
          {"labels", LabelsJson(names, metrics)},
          {"reliability", bins},
          {"entropies", entropies},
          {"risk_coverage", risk},
          {"area_under_risk_coverage", metrics.area_under_risk_coverage}};
}

Json ScalingsJson(const CalibrationReport& report) {
  Json fits = Json::array();
  for (size_t i = 0; i < report.scalings.size(); ++i) {
    const ScalingFit& fit = report.scalings[i];
    fits.push_back({{"bias_from", BiasKindName(fit.bias)},
                    {"bias", fit.scaling.bias},
                    {"temperature", fit.scaling.temperature},
                    {"fit_nll", fit.fit_nll},
                    {"tune_nll", fit.tune_nll},
                    {"held_out_nll", fit.held_out_nll},
                    {"chosen", i == report.chosen_scaling}});
  }
  return fits;
}

Json FiguresJson(const std::vector<std::string>& names, const RoutingFigures& figures) {
  Json labels = Json::array();
  for (size_t i = 0; i < names.size(); ++i) {
    const LabelLoss& label = figures.labels.size() > i ? figures.labels[i] : LabelLoss{};
    labels.push_back({{"label", names[i]},
                      {"queries", label.queries},
                      {"losing", label.losing},
                      {"loss", label.loss},
                      {"loss_upper", label.loss_upper}});
  }
  return {{"accuracy", figures.accuracy},
          {"loss", figures.loss},
          {"loss_upper", figures.loss_upper},
          {"tokens_per_second", figures.tokens_per_second},
          {"tokens_per_second_mean", figures.tokens_per_second_mean},
          {"small_share", figures.small_share},
          {"labels", labels}};
}

Json GridJson(const GridSearch& grid) {
  return {
      {"queries", grid.queries}, {"entropy_max", grid.entropy_max}, {"accuracy", grid.accuracy}};
}

Json RowsJson(const RowsNeeded& needed) {
  const auto number = [](const std::optional<int>& rows) {
    return rows ? Json(*rows) : Json(nullptr);
  };
  return {{"at_rates_seen", number(needed.at_rates_seen)},
          {"if_never_wrong", number(needed.if_never_wrong)}};
}

Json RoutingJson(const std::vector<std::string>& names, const CalibrationReport& report) {
  const RoutingReport& routing = *report.routing;
  Json points = Json::array();
  for (size_t i = 0; i < routing.points.size(); ++i) {
    const FrontPoint& point = routing.points[i];
    Json json = {{"name", point.name},
                 {"group", point.group},
                 {"on_front", point.on_front},
                 {"chosen", routing.chosen == i}};
    if (point.candidate) {
      json["entropy_max"] = point.candidate->entropy_max;
      json["lambda"] = point.candidate->lambda;
    }
    json["held_out"] = FiguresJson(names, point.held_out);
    points.push_back(std::move(json));
  }
  Json arms = Json::array();
  for (const Arm& arm : routing.arms.arms) arms.push_back(arm.Name());
  return {{"arms", arms},
          {"mix", routing.mix},
          {"loss_max", report.options.loss_max},
          {"confidence", report.options.confidence},
          {"bound", BoundMethodName(report.options.bound)},
          {"oracle_accuracy", routing.oracle_accuracy},
          {"grid_search", GridJson(routing.grid)},
          {"grid_search_uncalibrated", GridJson(routing.grid_uncalibrated)},
          {"rows_needed", routing.rows_needed ? RowsJson(*routing.rows_needed) : Json(nullptr)},
          {"points", points}};
}

}  // namespace

Json CalibrationObject(const CalibrationInput& input, const CalibrationReport& report,
                       const CalibrationSubject& subject) {
  const std::vector<std::string>& names = input.set.labels;
  Json json = {
      {"date", subject.date},
      {"probe", subject.probe},
      {"small", {{"model", subject.small_model}, {"fingerprint", subject.small_fingerprint}}},
      {"large", {{"model", subject.large_model}, {"fingerprint", subject.large_fingerprint}}},
      {"labels", names},
      {"split", input.set.split_by_side ? "by side" : "by hash"},
      {"data", DataJson(input.set)},
      {"skipped", SkippedJson(input.set)},
      {"not_probed", report.not_probed},
      {"scalings", ScalingsJson(report)},
      {"before", MetricsJson(names, report.before)},
      {"after", MetricsJson(names, report.after)},
      {"entropy_max", report.entropy_max}};
  if (report.routing) json["routing"] = RoutingJson(names, report);
  return json;
}

std::string CalibrationJson(const CalibrationInput& input, const CalibrationReport& report,
                            const CalibrationSubject& subject) {
  // Names of files may be any bytes.
  return CalibrationObject(input, report, subject)
      .dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace aio
