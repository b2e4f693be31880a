#include "paper/costs.h"

#include <algorithm>
#include <limits>

namespace aio {

namespace {

Rounded Ms(const PaperTables& tables, double ms) {
  return Rounded::Printed(ms, tables.decimals.overhead_ms);
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

TrafficFigures::Model ModelTraffic(const PaperTables& tables, const PaperModel& model,
                                   std::string_view configuration) {
  Range range;
  for (const std::string& task : tables.figures.tasks) {
    range.Add(model.weights_gb * tables.Tps(configuration, task).value);
  }
  return {model.name, model.weights_gb, model.ShapeGb(), range.low, range.high};
}

}  // namespace

double MeanStepMs(const PaperTables& tables, std::string_view configuration) {
  double sum = 0;
  for (const std::string& task : tables.figures.tasks) {
    sum += 1000 / tables.Tps(configuration, task).value;
  }
  return sum / static_cast<double>(tables.figures.tasks.size());
}

OverheadFigures MeasureOverhead(const PaperTables& tables) {
  const PaperOverhead& overhead = tables.overhead;
  OverheadFigures out;
  const Rounded total = Ms(tables, overhead.total_ms);
  const Rounded sum = Ms(tables, overhead.template_ms) + Ms(tables, overhead.probe_prefill_ms) +
                      Ms(tables, overhead.routing_ms) + Ms(tables, overhead.switch_ms);
  out.comparisons.push_back({"Overhead", "total", "ms", total, sum, "sum of its four parts"});
  const Rounded share = total * (100 / overhead.generation_ms);
  out.comparisons.push_back({"Overhead", "share", "% of time",
                             Rounded::Printed(overhead.share_pct, tables.decimals.overhead_share),
                             share, "total / the generation time given"});
  for (const auto& [model, row] :
       {std::pair{&tables.small, kStaticSmall}, std::pair{&tables.large, kStaticLarge}}) {
    const double ms = MeanStepMs(tables, row) * tables.traffic.tokens;
    out.generations.push_back({model->name, tables.traffic.tokens, ms / 1000,
                               100 * overhead.total_ms / (ms + overhead.total_ms)});
  }
  out.tokens_in_reported_generation = overhead.generation_ms / MeanStepMs(tables, kStaticLarge);
  out.small_step_ms = MeanStepMs(tables, kStaticSmall);
  out.probe_pass_ms = overhead.probe_prefill_ms;
  return out;
}

TrafficFigures MeasureTraffic(const PaperTables& tables) {
  const PaperTraffic& traffic = tables.traffic;
  TrafficFigures out;
  const auto add = [&](const char* row, double per_token_gb, double generation_tb) {
    const Rounded token = Rounded::Printed(per_token_gb, tables.decimals.per_token_gb);
    out.comparisons.push_back({"Traffic", row, "TB",
                               Rounded::Printed(generation_tb, tables.decimals.per_generation_tb),
                               token * (traffic.tokens / 1000.0), "GB a token * tokens"});
  };
  add("small", traffic.small_per_token_gb, traffic.small_tb);
  add("large", traffic.large_per_token_gb, traffic.large_tb);
  out.models = {ModelTraffic(tables, tables.small, kStaticSmall),
                ModelTraffic(tables, tables.large, kStaticLarge)};
  out.lighter = tables.large.weights_gb / tables.small.weights_gb;
  Range faster;
  for (const std::string& task : tables.figures.tasks) {
    faster.Add(tables.Tps(kStaticSmall, task).value / tables.Tps(kStaticLarge, task).value);
  }
  out.faster_low = faster.low;
  out.faster_high = faster.high;
  return out;
}

}  // namespace aio
