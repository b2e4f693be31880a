// The sections that put published and recomputed figures side by side.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "paper/report_sections.h"

namespace aio {

namespace {

// Where the paper's numbers allow anything between two ends, not one number and its rounding.
bool IsRange(const Rounded& figure) {
  return std::abs((figure.high - figure.value) - (figure.value - figure.low)) > 1e-3;
}

// From the published number to the recomputed one; of a range, to its nearer end.
double Difference(const Comparison& comparison) {
  if (!IsRange(comparison.recomputed)) return comparison.Difference();
  const double published = comparison.published.value;
  return std::clamp(published, comparison.recomputed.low, comparison.recomputed.high) - published;
}

std::string Recomputed(const Rounded& figure) {
  if (!IsRange(figure)) return fmt::format("{:.3f}", figure.value);
  return fmt::format("{:.3f} to {:.3f}", figure.low, figure.high);
}

double Allowed(const Comparison& comparison) {
  return IsRange(comparison.recomputed) ? comparison.published.slack() : comparison.Allowed();
}

std::string Percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string Share(const CountedShare& share) {
  return fmt::format("{} of {}", share.right, share.of);
}

std::string Interval95(const CountedShare& share) {
  return fmt::format("{:.1f} to {:.1f}", 100 * share.interval.low, 100 * share.interval.high);
}

struct Tally {
  int cells = 0, follow = 0;
};

// By table. A cell follows if one of the places that it could come from gives it.
std::map<std::string, Tally> TallyTables(const Comparisons& comparisons) {
  std::map<std::tuple<std::string, std::string, std::string>, bool> cells;
  for (const Comparison& comparison : comparisons) {
    bool& follows = cells[{comparison.table, comparison.row, comparison.figure}];
    follows = follows || comparison.Follows();
  }
  std::map<std::string, Tally> tallies;
  for (const auto& [cell, follows] : cells) {
    Tally& tally = tallies[std::get<0>(cell)];
    ++tally.cells;
    if (follows) ++tally.follow;
  }
  return tallies;
}

// "ceval 1.57, mmlu 2.11"
std::string LossesOver(const std::vector<ExpectedTask>& tasks, double points) {
  std::string list;
  for (const ExpectedTask& task : tasks) {
    const double loss = task.oracle.value - task.published.value;
    if (loss < points) continue;
    list += fmt::format("{}{} {:.2f}", list.empty() ? "" : ", ", task.task, loss);
  }
  return list.empty() ? "none" : list;
}

}  // namespace

std::string SignedNumber(double value, int decimals) {
  const double unit = std::pow(10.0, -decimals);
  return fmt::format("{:+.{}f}", std::abs(value) < unit / 2 ? 0.0 : value, decimals);
}

ReportTable ComparisonTable(const Comparisons& comparisons) {
  ReportTable table = {
      {"cell", "figure", "from", "published", "recomputed", "difference", "rounding", "follows"},
      3,
      {}};
  for (const Comparison& comparison : comparisons) {
    table.rows.push_back(
        {comparison.row, comparison.figure, comparison.how,
         fmt::format("{:.2f}", comparison.published.value), Recomputed(comparison.recomputed),
         SignedNumber(Difference(comparison), 3), fmt::format("{:.3f}", Allowed(comparison)),
         comparison.Follows() ? "yes" : "NO"});
  }
  return table;
}

ReportSection SummarySection(const Reproduction& reproduction) {
  const PaperTables& tables = reproduction.tables;
  ReportSection section = {"What was recomputed", {}};
  section.blocks.emplace_back(
      fmt::format("{}, {}, {} ({}). {}; {}. Figures: {}, SHA-256 {}.", tables.source.reference,
                  tables.source.title, tables.source.date, tables.source.url, tables.setting.device,
                  tables.setting.software, tables.file, tables.sha256.substr(0, 16)));
  section.blocks.emplace_back(
      "Each published cell that other published cells imply is computed from those. It follows if "
      "some numbers that round to the printed ones give one that rounds to it; \"rounding\" is the "
      "greatest difference that this explains.");
  ReportTable table = {{"table", "cells", "follow", "do not"}, 1, {}};
  for (const auto& [name, tally] : TallyTables(reproduction.AllComparisons())) {
    table.rows.push_back({name, fmt::to_string(tally.cells), fmt::to_string(tally.follow),
                          fmt::to_string(tally.cells - tally.follow)});
  }
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(
      "A cell that could come from several places follows if one of them gives it.");
  return section;
}

ReportSection ProbeSection(const Reproduction& reproduction) {
  const ProbeTable& probe = reproduction.probe;
  ReportSection section = {"Table 2: the probe", {}};
  section.blocks.emplace_back(ComparisonTable({probe.overall}));
  ReportTable table = {{"label", "recall", "", "95 %", "precision", "", "95 %"}, 1, {}};
  for (const ProbeLabelFigures& label : probe.labels) {
    table.rows.push_back({label.label, Percent(label.recall.share), Share(label.recall),
                          Interval95(label.recall), Percent(label.precision.share),
                          Share(label.precision), Interval95(label.precision)});
  }
  table.rows.push_back(
      {"all", Percent(probe.accuracy.share), Share(probe.accuracy), Interval95(probe.accuracy)});
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(
      "Intervals are exact (Clopper and Pearson), for independent queries.");
  return section;
}

ReportSection ComputedRowsSection(const Reproduction& reproduction) {
  ReportSection section = {"Tables 1 and 3: short prompts, the random and the oracle row", {}};
  section.blocks.emplace_back(ComparisonTable(reproduction.long_table));
  section.blocks.emplace_back(ComparisonTable(reproduction.random_row));
  section.blocks.emplace_back(ComparisonTable(reproduction.oracle_row));
  return section;
}

ReportSection ExpectedSection(const Reproduction& reproduction) {
  ReportSection section = {"Table 3: the A-IO row against Table 2", {}};
  section.blocks.emplace_back(
      "The paper folds its probe's errors into the A-IO row as an expectation. Here each task's "
      "requests are sent where Table 2 says that the probe sends its intent, and take the figures "
      "that Table 3 has there: first under the policy as stated (prompt lookup for all that is not "
      "code), then with prompt lookup only where Table 3 shows it more accurate.");
  section.blocks.emplace_back(ComparisonTable(reproduction.expected_row));
  ReportTable table = {
      {"points below the oracle row", "published", "policy as stated", "PLD where it helps"},
      1,
      {}};
  double sums[3] = {0, 0, 0};
  for (const ExpectedTask& task : reproduction.expected) {
    const double losses[3] = {task.oracle.value - task.published.value,
                              task.oracle.value - task.stated.accuracy.value,
                              task.oracle.value - task.where_it_helps.accuracy.value};
    std::vector<std::string> row = {task.task};
    for (size_t i = 0; i < 3; ++i) {
      sums[i] += losses[i];
      row.push_back(fmt::format("{:.2f}", losses[i]));
    }
    table.rows.push_back(std::move(row));
  }
  std::vector<std::string> mean = {"mean"};
  for (const double sum : sums) {
    mean.push_back(fmt::format("{:.2f}", sum / static_cast<double>(reproduction.expected.size())));
  }
  table.rows.push_back(std::move(mean));
  section.blocks.emplace_back(std::move(table));
  const double claimed = reproduction.tables.confusion.below_oracle_points_max;
  section.blocks.emplace_back(
      fmt::format("Claimed: less than {:.1f} points below the oracle. Tasks whose published rows "
                  "differ by as much or more: {}.",
                  claimed, LossesOver(reproduction.expected, claimed)));
  return section;
}

ReportSection MixesSection(const Reproduction& reproduction) {
  const LongContextTps& long_tps = reproduction.long_tps;
  ReportSection section = {"Table 4: mixed workloads", {}};
  if (long_tps.small && long_tps.large) {
    section.blocks.emplace_back(fmt::format(
        "No speed is published for long prompts. The static rows of {} imply {:.2f} tokens/s "
        "({:.2f} to {:.2f}) on the large and {:.2f} on the small model; the speeds of those two "
        "rows are therefore not checked but used. A-IO sends long prompts to the large model.",
        long_tps.mix, long_tps.large->value, long_tps.large->low, long_tps.large->high,
        long_tps.small->value));
  }
  section.blocks.emplace_back(ComparisonTable(reproduction.mixes));
  section.blocks.emplace_back(
      "The published throughput is the mean of the requests' tokens/s. Who waits for one answer "
      "after the other, each of as many tokens, gets the harmonic mean:");
  ReportTable harmonic = {{"mix, row", "arithmetic", "harmonic"}, 1, {}};
  for (const Reproduction::HarmonicRow& row : reproduction.harmonic) {
    harmonic.rows.push_back({fmt::format("{}, {}", row.mix, row.configuration),
                             fmt::format("{:.2f}", row.arithmetic),
                             fmt::format("{:.2f}", row.harmonic)});
  }
  section.blocks.emplace_back(std::move(harmonic));
  ReportTable gains = {{"A-IO over static large", "published", "arithmetic", "harmonic",
                        "harmonic, policy as stated, Table 2's labels"},
                       1,
                       {}};
  for (const MixGain& gain : reproduction.gains) {
    gains.rows.push_back(
        {gain.mix, fmt::format("{:.3f}", gain.published), fmt::format("{:.3f}", gain.arithmetic),
         fmt::format("{:.3f}", gain.harmonic), fmt::format("{:.3f}", gain.expected_harmonic)});
  }
  section.blocks.emplace_back(std::move(gains));
  return section;
}

ReportSection AblationsSection(const Reproduction& reproduction) {
  ReportSection section = {
      fmt::format("Table 5: ablations on mix {}", reproduction.tables.ablation_scenario), {}};
  section.blocks.emplace_back(ComparisonTable(reproduction.ablations));
  section.blocks.emplace_back(
      "How often the entropy fallback acts is not published. Without it no request leaves the "
      "small model, and some join: so the range is from Table 2's routing to every short request "
      "on the small model, task by task.");
  return section;
}

ReportSection CountsSection(const Reproduction& reproduction) {
  ReportSection section = {"Accuracies as counts of items", {}};
  const std::vector<CountCheck>& counts = reproduction.counts;
  const auto possible =
      std::count_if(counts.begin(), counts.end(), [](const CountCheck& c) { return c.possible; });
  std::string sizes;
  for (const auto& [name, task] : reproduction.tables.tasks) {
    if (!task.items) continue;
    sizes += fmt::format("{}{} of {}", sizes.empty() ? "" : ", ", task.name, *task.items);
  }
  section.blocks.emplace_back(fmt::format(
      "An accuracy on n items answered once each is k/n. With the usual sizes ({}), {} of {} "
      "published accuracies are such a number, rounded or cut off; the others are not:",
      sizes, possible, counts.size()));
  ReportTable table = {{"row, task", "published", "nearest count", "that is"}, 1, {}};
  for (const CountCheck& check : counts) {
    if (check.possible) continue;
    table.rows.push_back({fmt::format("{}, {}", check.configuration, check.task),
                          fmt::format("{:.2f}", check.published),
                          fmt::format("{} of {}", check.nearest, check.items),
                          fmt::format("{:.2f}", check.nearest_percent)});
  }
  section.blocks.emplace_back(std::move(table));
  return section;
}

}  // namespace aio
