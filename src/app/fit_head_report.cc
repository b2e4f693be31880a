#include "app/fit_head_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace aio {

namespace {

void PrintDepths(const HeadReport& report) {
  fmt::print("layers       l2   tuning: right   log loss   test: right   log loss\n");
  for (size_t i = 0; i < report.fits.by_depth.size(); ++i) {
    const HeadFit& fit = report.fits.by_depth[i];
    fmt::print("{:>6}   {:>6}   {:>11.2f} %   {:>8.4f}", fit.head.layers, fit.l2,
               100 * fit.tuned.accuracy(), fit.tuned.log_loss);
    if (!report.tested.empty()) {
      fmt::print("   {:>9.2f} %   {:>8.4f}", 100 * report.tested[i].accuracy(),
                 report.tested[i].log_loss);
    }
    fmt::print("{}\n", static_cast<int>(i) == report.chosen ? "  <- chosen" : "");
  }
}

void PrintDissent(const HeadReport& report) {
  fmt::print(
      "\nwindows of {} tokens; a text is in doubt when one says with more than the bound "
      "that it\nis about something else:\n",
      report.fits.by_depth[report.chosen].head.window_tokens);
  for (size_t label = 0; label < report.dissent.size(); ++label) {
    const DissentFigures& figures = report.dissent[label];
    fmt::print("  {:<8} bound {:.4f}; in doubt {} of {} test texts", report.labels[label],
               figures.bound, figures.doubted, figures.texts);
    if (figures.mixed > 0) {
      fmt::print("; of {} mixed texts {} taken for it, {} of them not in doubt", figures.mixed,
                 figures.mixed_taken, figures.mixed_undoubted);
    }
    fmt::print("\n");
  }
}

}  // namespace

void PrintReport(const HeadReport& report) {
  fmt::print("{}: fitted to {} texts, {} to choose by\n\n", report.model, report.rows_fitted,
             report.rows_tuned);
  PrintDepths(report);
  if (report.tested.empty()) return;
  const int texts = report.tested.front().texts;
  if (report.template_right >= 0) {
    fmt::print("\nthe template: {} of the {} test texts right, {:.2f} %\n", report.template_right,
               texts, 100.0 * report.template_right / texts);
  }
  PrintDissent(report);
}

nlohmann::ordered_json HeadReportJson(const HeadReport& report) {
  nlohmann::ordered_json json = {{"model", report.model},
                                 {"rows_fitted", report.rows_fitted},
                                 {"rows_tuned", report.rows_tuned},
                                 {"depths", nlohmann::ordered_json::array()}};
  for (size_t i = 0; i < report.fits.by_depth.size(); ++i) {
    const HeadFit& fit = report.fits.by_depth[i];
    nlohmann::ordered_json depth = {{"layers", fit.head.layers},
                                    {"l2", fit.l2},
                                    {"tuned_accuracy", fit.tuned.accuracy()},
                                    {"tuned_log_loss", fit.tuned.log_loss}};
    if (!report.tested.empty()) {
      depth["test_accuracy"] = report.tested[i].accuracy();
      depth["test_log_loss"] = report.tested[i].log_loss;
    }
    json["depths"].push_back(std::move(depth));
  }
  json["chosen_layers"] = report.fits.by_depth[report.chosen].head.layers;
  if (!report.tested.empty()) json["test_texts"] = report.tested.front().texts;
  if (report.template_right >= 0) json["template_right"] = report.template_right;
  for (size_t label = 0; label < report.dissent.size(); ++label) {
    const DissentFigures& figures = report.dissent[label];
    json["dissent"][report.labels[label]] = {{"bound", figures.bound},
                                             {"test_texts", figures.texts},
                                             {"test_doubted", figures.doubted},
                                             {"mixed_texts", figures.mixed},
                                             {"mixed_taken", figures.mixed_taken},
                                             {"mixed_undoubted", figures.mixed_undoubted}};
  }
  return json;
}

}  // namespace aio
