#include "app/print_mixed.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/run_environment.h"
#include "traffic/load_json.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

class MixedPrinter {
 public:
  explicit MixedPrinter(const MixedReport& report) : report_(report) {
    for (const MixedRow& row : report.rows) width_ = std::max(width_, row.name.size());
  }

  std::string Format() {
    AddHead();
    AddRates();
    AddAblations();
    AddLatencies();
    AddOverhead();
    AddCosts();
    return std::move(text_);
  }

 private:
  template <typename... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...);
  }
  void AddName(std::string_view name) { Add("{:<{}}", name, width_ + 2); }

  void AddHead() {
    Add("workload {}:", report_.workload);
    const char* separator = " ";
    for (const auto& [task, count] : report_.tasks) {
      Add("{}{} {}", separator, count, task);
      separator = ", ";
    }
    Add("; {}; {} repeats; seed {}\n", report_.arrivals, report_.repeat, report_.seed);
    if (!report_.note.empty()) Add("{}\n", report_.note);
    if (report_.labels_given) Add("the probe runs, and its answer is the given label\n");
    Add("\n");
  }

  static FigureWithInterval Times(FigureWithInterval figure, double factor) {
    figure.value *= factor;
    if (figure.interval) {
      figure.interval = Interval{figure.interval->low * factor, figure.interval->high * factor};
    }
    return figure;
  }

  static std::string WithInterval(const FigureWithInterval& figure) {
    if (!figure.interval) return fmt::format("{:.2f}", figure.value);
    return fmt::format("{:.2f} [{:.2f}, {:.2f}]", figure.value, figure.interval->low,
                       figure.interval->high);
  }

  static std::string AccuracyText(const std::optional<MixedAccuracy>& accuracy) {
    if (!accuracy) return "-";
    return fmt::format("{:.1f} [{:.1f}, {:.1f}]", accuracy->percent, accuracy->interval.low,
                       accuracy->interval.high);
  }

  static std::string PointsText(const std::optional<MixedAccuracy>& accuracy) {
    return accuracy ? PointsText(accuracy->over_reference) : "-";
  }
  static std::string PointsText(const FigureWithInterval& points) {
    if (!points.interval) return fmt::format("{:+.1f}", points.value);
    return fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]", points.value, points.interval->low,
                       points.interval->high);
  }

  void AddRates() {
    AddName("tokens/s");
    Add("{:>8} {:>8} {:>8}  {:<20} {:<20} {:<20} {:<20} {:<22} {:>6} {:>6}\n", "mean", "harmonic",
        "wall", "x large, mean", "x large, harmonic", "x large, wall", "accuracy %",
        "points over large", "small%", "errors");
    for (const MixedRow& row : report_.rows) {
      const LoadSummary& summary = row.summary;
      const auto answered = std::max<int64_t>(1, summary.requests - summary.errors);
      AddName(row.name);
      Add("{:>8.1f} {:>8.1f} {:>8.1f}  {:<20} {:<20} {:<20} {:<20} {:<22} {:>6.0f} {:>6}\n",
          summary.rates.arithmetic, summary.rates.harmonic, summary.rates.total,
          WithInterval(row.over_reference.arithmetic), WithInterval(row.over_reference.harmonic),
          WithInterval(row.over_reference.total), AccuracyText(row.accuracy),
          PointsText(row.accuracy),
          100.0 * static_cast<double>(summary.small_answers) / static_cast<double>(answered),
          summary.errors);
    }
    Add("\n");
  }

  void AddAblations() {
    bool first = true;
    for (const MixedRow& row : report_.rows) {
      if (!row.ablation) continue;
      if (first) {
        AddName("over the whole policy");
        Add("{:<20} {:<20} {:<20} {}\n", "mean", "harmonic", "wall", "points of accuracy");
        first = false;
      }
      const MixedAblation& ablation = *row.ablation;
      AddName(row.name);
      Add("{:<20} {:<20} {:<20} {}\n", WithInterval(ablation.over_whole.arithmetic),
          WithInterval(ablation.over_whole.harmonic), WithInterval(ablation.over_whole.total),
          ablation.points_over_whole ? PointsText(*ablation.points_over_whole) : "-");
    }
    if (!first) Add("\n");
  }

  void AddPercentiles(const Percentiles& p) {
    Add(" | {:>7.1f} {:>7.1f} {:>7.1f} {:>7.1f}", p.p50, p.p90, p.p95, p.p99);
  }

  void AddLatencies() {
    AddName("ms, percentiles");
    for (const char* what : {"first token", "per token", "end to end"}) Add(" | {:<31}", what);
    Add("\n");
    AddName("");
    for (int i = 0; i < 3; ++i) Add(" | {:>7} {:>7} {:>7} {:>7}", "50", "90", "95", "99");
    Add("\n");
    for (const MixedRow& row : report_.rows) {
      AddName(row.name);
      AddPercentiles(row.summary.first_token_ms);
      AddPercentiles(row.summary.per_token_ms);
      AddPercentiles(row.summary.end_to_end_ms);
      Add("\n");
    }
    double late = 0;
    for (const MixedRow& row : report_.rows) late = std::max(late, row.summary.sender_late_ms.max);
    Add("the sender was late by {:.1f} ms at most; latencies count from the intended arrival\n\n",
        late);
  }

  void AddOverhead() {
    AddName("mean ms");
    Add("{:>8} {:>8} {:>8} {:>8} {:>8} {:>10} {:>9} {:>12} {:>14} {:>24} {:>24}\n", "probe",
        "queue", "prompt", "decode", "other", "decide us", "routing%", "MB/request",
        "GB/512 tokens", "added wait ms", "added %");
    for (const MixedRow& row : report_.rows) {
      const OverheadMs& overhead = row.summary.overhead;
      AddName(row.name);
      const auto& added = row.added_wait;
      Add("{:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f} {:>10.2f} {:>9.2f} {:>12.1f} {:>14.2f} "
          "{:>24} "
          "{:>24}\n",
          overhead.probe, overhead.queue, overhead.prompt, overhead.decode, overhead.other,
          row.decide_us, 100 * overhead.share, row.bytes_per_request / 1e6,
          row.bytes_per_512_tokens / 1e9, added ? WithInterval(added->ms) : "-",
          added ? WithInterval(Times(added->share, 100)) : "-");
    }
  }

  void AddCosts() {
    if (report_.rows.empty() || !report_.rows.front().summary.costs) return;
    Add("\n");
    AddName("costs");
    Add("{:>14} {:>20} {:>14} {:>14}\n", "price", "price/1e6 tokens", "J", "J/token");
    for (const MixedRow& row : report_.rows) {
      const Costs& costs = *row.summary.costs;
      AddName(row.name);
      Add("{:>14.6f} {:>20.4f} {:>14.1f} {:>14.3f}\n", costs.price, costs.price_per_million_tokens,
          costs.joules, costs.joules_per_token);
    }
  }

  const MixedReport& report_;
  size_t width_ = 16;
  std::string text_;
};

Json ToJson(const FigureWithInterval& figure) {
  Json json = {{"value", figure.value}};
  if (figure.interval) json["interval"] = {figure.interval->low, figure.interval->high};
  return json;
}

Json ToJson(const RateRatios& ratios) {
  return {{"arithmetic_mean", ToJson(ratios.arithmetic)},
          {"harmonic_mean", ToJson(ratios.harmonic)},
          {"wall_clock", ToJson(ratios.total)}};
}

Json ToJson(const MixedRow& row) {
  Json json = {{"configuration", row.name}, {"group", ConfigurationGroupName(row.group)}};
  json["over_large"] = ToJson(row.over_reference);
  if (row.ablation) {
    json["whole"] = row.ablation->whole;
    json["over_whole"] = ToJson(row.ablation->over_whole);
    if (row.ablation->points_over_whole) {
      json["points_over_whole"] = ToJson(*row.ablation->points_over_whole);
    }
  }
  if (row.accuracy) {
    const MixedAccuracy& accuracy = *row.accuracy;
    json["accuracy"] = {{"judged", accuracy.judged},
                        {"percent", accuracy.percent},
                        {"interval", {accuracy.interval.low, accuracy.interval.high}},
                        {"points_over_large", ToJson(accuracy.over_reference)}};
  }
  json["decide_us"] = row.decide_us;
  if (row.added_wait) {
    json["added_wait"] = {{"compared", row.added_wait->compared},
                          {"ms", ToJson(row.added_wait->ms)},
                          {"share", ToJson(row.added_wait->share)}};
  }
  json["bytes_per_request"] = row.bytes_per_request;
  json["bytes_per_512_tokens"] = row.bytes_per_512_tokens;
  json["load"] = Json::parse(SummaryJson(row.summary));
  return json;
}

Json ToJson(const MixedReport& report) {
  Json tasks = Json::object();
  for (const auto& [task, count] : report.tasks) tasks[task] = count;
  Json rows = Json::array();
  for (const MixedRow& row : report.rows) rows.push_back(ToJson(row));
  return {{"workload", report.workload},
          {"note", report.note},
          {"tasks", std::move(tasks)},
          {"arrivals", report.arrivals},
          {"repeat", report.repeat},
          {"seed", report.seed},
          {"labels_given", report.labels_given},
          {"confidence", kFigureConfidence},
          {"configurations", std::move(rows)}};
}

std::string PercentilesLine(std::string_view name, const Percentiles& p) {
  return fmt::format("{:<24} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f}\n", name, p.mean,
                     p.p50, p.p90, p.p95, p.p99, p.max);
}

}  // namespace

std::vector<std::pair<std::string, int64_t>> CountTasks(const Workload& workload) {
  std::vector<std::pair<std::string, int64_t>> counts;
  for (const WorkloadRequest& asked : workload.requests) {
    const std::string name =
        asked.context > 0 ? fmt::format("{} @{}", asked.task, asked.context) : asked.task;
    const auto known = std::find_if(counts.begin(), counts.end(),
                                    [&](const auto& count) { return count.first == name; });
    if (known == counts.end()) {
      counts.emplace_back(name, 1);
    } else {
      ++known->second;
    }
  }
  return counts;
}

std::string FormatMixed(const MixedReport& report) { return MixedPrinter(report).Format(); }

std::string MixedJson(const std::vector<MixedReport>& reports) {
  Json workloads = Json::array();
  for (const MixedReport& report : reports) workloads.push_back(ToJson(report));
  const Json json = {{"command", CommandLine()}, {"workloads", std::move(workloads)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string FormatLoad(const LoadSummary& summary) {
  std::string text = fmt::format(
      "{} requests, {} errors, {} prompt tokens, {} output tokens in {:.1f} s\n"
      "tokens/s: {:.1f} mean of requests, {:.1f} harmonic mean, {:.1f} wall clock\n\n",
      summary.requests, summary.errors, summary.prompt_tokens, summary.output_tokens,
      summary.seconds, summary.rates.arithmetic, summary.rates.harmonic, summary.rates.total);
  text += fmt::format("{:<24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "ms", "mean", "p50", "p90",
                      "p95", "p99", "max");
  text += PercentilesLine("first token", summary.first_token_ms);
  text += PercentilesLine("per token", summary.per_token_ms);
  text += PercentilesLine("between token events", summary.token_gap_ms);
  text += PercentilesLine("end to end", summary.end_to_end_ms);
  text += PercentilesLine("sender late", summary.sender_late_ms);
  if (summary.costs) {
    text += fmt::format("\nprice {:.6f} ({:.4f} a million tokens), {:.1f} J ({:.3f} a token)\n",
                        summary.costs->price, summary.costs->price_per_million_tokens,
                        summary.costs->joules, summary.costs->joules_per_token);
  }
  return text;
}

}  // namespace aio
