#include "paper/reproduction.h"

#include <utility>

namespace aio {

namespace {

std::vector<Reproduction::HarmonicRow> HarmonicRows(const PaperTables& tables,
                                                    const LongContextTps& long_tps) {
  std::vector<Reproduction::HarmonicRow> rows;
  for (const auto& [name, mix] : tables.mixes) {
    for (const std::string_view row : {kStaticSmall, kStaticLarge, kRandomRow, kAioRow}) {
      const MixRouting rule = row == kRandomRow ? EitherStatic() : Always(tables, row);
      const auto figures = FiguresOfMix(tables, long_tps, mix, rule);
      if (!figures) continue;
      rows.push_back({name, std::string(row), figures->tps.value, figures->tps_harmonic.value});
    }
  }
  return rows;
}

}  // namespace

Reproduction Reproduce(PaperTables given, std::optional<MeasuredTables> measured) {
  Reproduction out;
  out.tables = std::move(given);
  const PaperTables& tables = out.tables;
  out.long_tps = SolveLongContextTps(tables);
  out.probe = MeasureProbeTable(tables);
  out.long_table = RecomputeLongTable(tables);
  out.random_row = RecomputeRandomRow(tables);
  out.oracle_row = RecomputeOracleRow(tables);
  out.expected = ExpectTasks(tables);
  out.expected_row = CompareExpected(out.expected);
  out.mixes = RecomputeMixes(tables, out.long_tps);
  out.harmonic = HarmonicRows(tables, out.long_tps);
  out.gains = MixGains(tables, out.long_tps);
  out.ablations = RecomputeAblations(tables, out.long_tps);
  out.overhead = MeasureOverhead(tables);
  out.traffic = MeasureTraffic(tables);
  out.steps = FitStepModel(tables);
  out.routing_gains = RoutingGains(tables, out.steps.with_probe_pass);
  out.counts = CheckCounts(tables);
  out.measured = std::move(measured);
  return out;
}

Comparisons Reproduction::AllComparisons() const {
  Comparisons all = long_table;
  all.push_back(probe.overall);
  for (const Comparisons* some : {&random_row, &oracle_row, &expected_row, &mixes, &ablations,
                                  &overhead.comparisons, &traffic.comparisons}) {
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

}  // namespace aio
