#include "app/print_simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "sim/fit_device.h"
#include "sim/paper_fit.h"

namespace aio {

namespace {

std::string Percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

// Three digits that mean something, whatever the size.
std::string Number(double value) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  return fmt::format("{:.{}f}", value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4);
}

std::string Time(double ms) { return ms >= 10'000 ? Number(ms / 1000) + " s" : Number(ms) + " ms"; }

// Of nothing there is no median.
std::string Time(const Percentiles& of, double ms) { return of.count > 0 ? Time(ms) : "-"; }

std::string Usd(const SimSummary& summary) {
  return summary.usd > 0 && summary.usd_per_million_tokens > 0
             ? Number(summary.usd_per_million_tokens)
             : "-";
}

// Columns as wide as their widest cell, the first to the left.
class Table {
 public:
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string Format() const {
    std::vector<size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()), 0);
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        line += i == 0 ? fmt::format("{:<{}}", row[i], widths[i])
                       : fmt::format("  {:>{}}", row[i], widths[i]);
      }
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string PoolText(const SimulatedPool& pool) {
  std::string text = fmt::format("{} x {}{}", pool.devices, pool.device.title,
                                 pool.graph ? ", graphs" : ", eager");
  if (!pool.holds[kSimSmall]) text += ", large model";
  if (!pool.holds[kSimLarge]) text += ", small model";
  if (pool.phase == PoolPhase::kPrefill) text += ", prompts";
  if (pool.phase == PoolPhase::kDecode) text += ", answers";
  return text;
}

std::string Head(const SimReport& report) {
  std::string text;
  const SimulationSetup& setup = report.scenario.setup;
  for (const SimulatedPool& pool : setup.pools) text += PoolText(pool) + "\n";
  text += fmt::format("{} ({}) and {} ({})\n", setup.roles[kSimSmall].name,
                      SimWeightsName(setup.roles[kSimSmall].weights), setup.roles[kSimLarge].name,
                      SimWeightsName(setup.roles[kSimLarge].weights));
  return text + DescribeTraffic(report.scenario.traffic) + "\n";
}

std::string Trust(const SimulationSetup& setup) {
  std::string text;
  std::vector<std::string> said;
  for (const SimulatedPool& pool : setup.pools) {
    if (std::find(said.begin(), said.end(), pool.device.name) != said.end()) continue;
    said.push_back(pool.device.name);
    const ProfileTrust trust = TrustOf(pool.device, pool.graph);
    const std::vector<DeviceProfile>& built_in = KnownDevices();
    const bool is_built_in =
        std::any_of(built_in.begin(), built_in.end(),
                    [&](const DeviceProfile& one) { return one.name == pool.device.name; });
    if (trust.steps == 0) {
      text += fmt::format("{}: nobody has published steps of it in this mode to check against\n",
                          pool.device.name);
      continue;
    }
    text += fmt::format(
        "{}: {} published or measured steps, {} of them fitted to; median error {}, worst {:+.0f} "
        "%{}\n",
        pool.device.name, trust.steps, trust.fitted_to, Percent(trust.median_error),
        100 * trust.worst_error,
        is_built_in ? " (`aio simulate --show-device " + pool.device.name + "`)" : "");
  }
  return text;
}

struct Line {
  const char* name;
  std::string (*value)(const SimSummary& summary);
};

const std::vector<Line>& Lines() {
  static const std::vector<Line> lines = {
      {"requests answered",
       [](const SimSummary& s) { return fmt::format("{} of {}", s.answered, s.requests); }},
      {"simulated time", [](const SimSummary& s) { return Number(s.seconds) + " s"; }},
      {"requests/s", [](const SimSummary& s) { return Number(s.requests_per_second); }},
      {"answer tokens/s", [](const SimSummary& s) { return Number(s.tokens_per_second); }},
      {"TTFT p50",
       [](const SimSummary& s) { return Time(s.first_token_ms, s.first_token_ms.p50); }},
      {"TTFT p99",
       [](const SimSummary& s) { return Time(s.first_token_ms, s.first_token_ms.p99); }},
      {"TPOT p50", [](const SimSummary& s) { return Time(s.per_token_ms, s.per_token_ms.p50); }},
      {"TPOT p99", [](const SimSummary& s) { return Time(s.per_token_ms, s.per_token_ms.p99); }},
      {"end to end p50",
       [](const SimSummary& s) { return Time(s.end_to_end_ms, s.end_to_end_ms.p50); }},
      {"end to end p99",
       [](const SimSummary& s) { return Time(s.end_to_end_ms, s.end_to_end_ms.p99); }},
      {"queue p99", [](const SimSummary& s) { return Time(s.queue_ms, s.queue_ms.p99); }},
      {"probe p50",
       [](const SimSummary& s) {
         return s.probe_ms.count == 0 ? std::string("-") : Time(s.probe_ms.p50);
       }},
      {"within targets", [](const SimSummary& s) { return Percent(s.good_share); }},
      {"goodput, requests/s", [](const SimSummary& s) { return Number(s.goodput); }},
      {"small model", [](const SimSummary& s) { return Percent(s.small_share); }},
      {"expected accuracy",
       [](const SimSummary& s) {
         return s.accuracy ? fmt::format("{:.2f} %", *s.accuracy) : std::string("-");
       }},
      {"GB read a token", [](const SimSummary& s) { return Number(s.gb_per_token); }},
      {"devices busy", [](const SimSummary& s) { return Percent(s.busy_share); }},
      {"bandwidth used", [](const SimSummary& s) { return Percent(s.bandwidth_share); }},
      {"prompt KV found", [](const SimSummary& s) { return Percent(s.prefix_share); }},
      {"preemptions", [](const SimSummary& s) { return std::to_string(s.preemptions); }},
      {"USD a million tokens", [](const SimSummary& s) { return Usd(s); }},
  };
  return lines;
}

std::string FormatRuns(const std::vector<const ScenarioResult*>& results) {
  Table table;
  std::vector<std::string> heads = {""};
  for (const ScenarioResult* result : results) heads.push_back(result->name);
  table.Add(heads);
  for (const Line& line : Lines()) {
    std::vector<std::string> cells = {line.name};
    bool is_known = false;
    for (const ScenarioResult* result : results) {
      cells.push_back(line.value(result->summary));
      is_known |= cells.back() != "-";
    }
    if (is_known) table.Add(std::move(cells));
  }
  return table.Format();
}

std::string FormatSweep(const SimReport& report) {
  Table table;
  table.Add({"", "tokens/s", "TTFT p50", "TTFT p99", "TPOT p50", "good", "small", "GB/token",
             "busy", "accuracy", "USD/M", "failed"});
  for (const ScenarioResult& run : report.runs) {
    const SimSummary& s = run.summary;
    table.Add({run.name, Number(s.tokens_per_second), Time(s.first_token_ms, s.first_token_ms.p50),
               Time(s.first_token_ms, s.first_token_ms.p99),
               Time(s.per_token_ms, s.per_token_ms.p50), Percent(s.good_share),
               Percent(s.small_share), Number(s.gb_per_token), Percent(s.busy_share),
               s.accuracy ? fmt::format("{:.2f} %", *s.accuracy) : "-", Usd(s),
               std::to_string(s.failed)});
  }
  return table.Format();
}

std::string FormatAnswer(const LimitQuestion& question, const LimitAnswer& answer) {
  Table table;
  std::vector<std::string> heads = {question.what};
  for (const LimitCondition& condition : question.conditions) heads.push_back(condition.Text());
  heads.emplace_back("holds");
  table.Add(heads);
  for (const LimitTry& tried : answer.tries) {
    std::vector<std::string> cells = {Number(tried.value)};
    for (const LimitCondition& condition : question.conditions) {
      const auto value = condition.Value(tried.summary);
      cells.push_back(value ? Number(*value) : "-");
    }
    cells.emplace_back(tried.holds ? "yes" : "no");
    table.Add(std::move(cells));
  }
  const std::string found =
      answer.value > 0 ? fmt::format("{} {}: {}{}\n", question.most ? "max" : "min", question.what,
                                     Number(answer.value),
                                     answer.is_open ? " or beyond: all that were tried hold" : "")
                       : "none of the values that were tried will do\n";
  return table.Format() + found;
}

std::string FormatComparison(const PolicyComparisons& comparison) {
  std::string text;
  for (const PolicyComparison& other : comparison.others) {
    Table table;
    table.Add({"", comparison.first, other.policy, "difference", "95 % interval", ""});
    for (const ComparedMetric& metric : other.metrics) {
      table.Add({metric.name, Number(metric.first), Number(metric.other),
                 fmt::format("{}{}", metric.difference > 0 ? "+" : "", Number(metric.difference)),
                 fmt::format("{} to {}", Number(metric.interval.low), Number(metric.interval.high)),
                 metric.is_sure() ? "" : "may be chance"});
    }
    text += table.Format() + "\n";
  }
  return text + fmt::format("{} draws of the requests, the same for all policies\n",
                            comparison.repetitions);
}

}  // namespace

std::string FormatSimulation(const SimReport& report) {
  std::string text = Head(report) + "\n";
  if (report.comparison) {
    text += FormatComparison(*report.comparison);
  } else if (report.question && report.answer) {
    text += FormatAnswer(*report.question, *report.answer);
  } else if (!report.sweep.empty()) {
    text += FormatSweep(report);
  } else {
    std::vector<const ScenarioResult*> results;
    for (const ScenarioResult& run : report.runs) results.push_back(&run);
    if (report.against) results.push_back(&*report.against);
    text += FormatRuns(results);
    // Of runs that answered the same.
    if (report.against && !report.runs.empty() && report.runs[0].summary.failed == 0 &&
        report.against->summary.failed == 0) {
      const double saved =
          1 - report.runs[0].summary.gb / std::max(report.against->summary.gb, 1e-9);
      text += fmt::format("bytes saved against the large model for all: {}\n", Percent(saved));
    }
    for (const ScenarioResult* run : results) {
      if (run->summary.first_fault.empty()) continue;
      text += fmt::format("{}: {} failed, such as: {}\n", run->name, run->summary.failed,
                          run->summary.first_fault);
    }
  }
  for (const ScenarioResult& run : report.runs) {
    if (run.summary.shortened == 0) continue;
    text += fmt::format(
        "{}: {} of {} requests were longer than the models' context of {} tokens, "
        "and were cut to it\n",
        run.name, run.summary.shortened, run.summary.requests, ContextOf(report.scenario.setup));
  }
  return text + "\n" + Trust(report.scenario.setup) + std::string(kSimValidation) + "\n";
}

namespace {

// The paper's published speeds beside what the fit to them says.
std::string FormatPaperFit(const DeviceProfile& device) {
  const auto tables = EmbeddedPaperTables();
  const auto fit = tables.ok() ? FitToPaper(*tables, device) : tables.status();
  if (!fit.ok()) return fit.status().message() + "\n";
  Table table;
  table.Add({"of the paper", "tokens/s", "fit", "error", "fitted"});
  for (const FittedSpeed& speed : fit->speeds) {
    table.Add({speed.what, Number(speed.published), Number(speed.fitted),
               fmt::format("{:+.1f} %", 100 * speed.error()), speed.was_fitted_to ? "yes" : ""});
  }
  return fmt::format("{}a step {:.1f} us, a layer {:.1f} us, KV copied at {:.2f} GB/s\n",
                     table.Format(), fit->step_us, fit->layer_us, fit->kv_copy_gb_per_s);
}

// So that what is printed is a profile.
std::string AsComments(const std::string& text) {
  std::string comments;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    comments += end == begin ? "#\n" : "# " + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return comments;
}

}  // namespace

std::string FormatDevice(const DeviceProfile& device) {
  const std::string text = DeviceProfileToml(device);
  std::string beside;
  if (device.name == kPaperDevice) beside += "\n" + FormatPaperFit(device);
  if (device.measured.empty()) return text + AsComments(beside + "\nno measured steps\n");
  Table table;
  table.Add({"model", "weights", "mode", "rows", "context", "measured ms", "profile ms", "error",
             "fitted"});
  for (const StepResidual& residual : Residuals(device)) {
    const MeasuredStep& step = *residual.step;
    table.Add({step.model, std::string(SimWeightsName(step.weights)),
               fmt::format("{}{}", step.graph ? "graph" : "eager", step.prompt ? ", prompt" : ""),
               std::to_string(step.rows), std::to_string(step.context), Number(step.ms),
               Number(residual.predicted_ms), fmt::format("{:+.1f} %", 100 * residual.error()),
               step.fitted_to ? "yes" : ""});
  }
  return text + AsComments(beside + "\n" + table.Format());
}

std::string FormatDevices() {
  Table table;
  table.Add({"name", "memory GB", "GB/s", "TFLOPS F16", "steps", "median error", "title"});
  for (const DeviceProfile& device : KnownDevices()) {
    const ProfileTrust trust = TrustOf(device, device.plays_graphs);
    table.Add({device.name, Number(device.memory_gb.value), Number(device.read_gb_per_s.value),
               Number(device.f16_tflops.value), std::to_string(trust.steps),
               trust.steps > 0 ? Percent(trust.median_error) : "-", device.title});
  }
  return table.Format();
}

}  // namespace aio
