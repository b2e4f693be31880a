// Everything that `aio reproduce` computes.
#ifndef AIO_PAPER_REPRODUCTION_H_
#define AIO_PAPER_REPRODUCTION_H_

#include <optional>
#include <string>
#include <vector>

#include "paper/comparison.h"
#include "paper/costs.h"
#include "paper/granularity.h"
#include "paper/mix_figures.h"
#include "paper/paper_tables.h"
#include "paper/probe_table.h"
#include "paper/recompute.h"
#include "paper/step_model.h"

namespace aio {

struct Reproduction {
  PaperTables tables;
  LongContextTps long_tps;
  ProbeTable probe;
  Comparisons long_table, random_row, oracle_row;
  std::vector<ExpectedTask> expected;
  Comparisons expected_row;
  Comparisons mixes;
  // The same mixes and rows, as a user waits.
  struct HarmonicRow {
    std::string mix, configuration;
    double arithmetic = 0, harmonic = 0;  // tokens/s
  };
  std::vector<HarmonicRow> harmonic;
  std::vector<MixGain> gains;
  Comparisons ablations;
  OverheadFigures overhead;
  TrafficFigures traffic;
  StepModel steps;
  std::vector<RoutingGain> routing_gains;  // by steps.with_probe_pass
  std::vector<CountCheck> counts;
  std::optional<MeasuredTables> measured;

  // Of all the above, in the order of the report.
  Comparisons AllComparisons() const;
};

Reproduction Reproduce(PaperTables tables, std::optional<MeasuredTables> measured);

}  // namespace aio

#endif  // AIO_PAPER_REPRODUCTION_H_
