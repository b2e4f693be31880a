// What the paper's confusion matrix says of its probe.
#ifndef AIO_PAPER_PROBE_TABLE_H_
#define AIO_PAPER_PROBE_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/clopper_pearson.h"
#include "paper/comparison.h"
#include "paper/paper_tables.h"

namespace aio {

// `right` of `of`, with the exact 95 % interval; shares, not percent.
struct CountedShare {
  int64_t right = 0;
  int64_t of = 0;
  double share = 0;  // 0 of none
  Interval interval;
};

struct ProbeLabelFigures {
  std::string label;
  CountedShare recall;     // of the queries of this label
  CountedShare precision;  // of the queries said to be of it
};

struct ProbeTable {
  CountedShare accuracy;
  std::vector<ProbeLabelFigures> labels;
  Comparison overall;
};

ProbeTable MeasureProbeTable(const PaperTables& tables);

}  // namespace aio

#endif  // AIO_PAPER_PROBE_TABLE_H_
