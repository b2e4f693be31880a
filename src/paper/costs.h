// The paper's figures of overhead and memory traffic.
#ifndef AIO_PAPER_COSTS_H_
#define AIO_PAPER_COSTS_H_

#include <string>
#include <vector>

#include "paper/comparison.h"
#include "paper/paper_tables.h"

namespace aio {

struct OverheadFigures {
  Comparisons comparisons;  // the total and its share
  // A generation of `tokens` at the mean speed over tasks.
  struct Generation {
    std::string model;
    int tokens = 0;
    double seconds = 0;
    double share_pct = 0;  // that the overhead is of it and itself
  };
  std::vector<Generation> generations;
  double tokens_in_reported_generation = 0;  // of the large model
  // One token of the small model, decoding, against the pass of the probe.
  double small_step_ms = 0;
  double probe_pass_ms = 0;
};

struct TrafficFigures {
  Comparisons comparisons;
  struct Model {
    std::string name;
    double weights_gb = 0;                       // read per token, as published
    double shape_gb = 0;                         // by the model's shape
    double gb_per_s_low = 0, gb_per_s_high = 0;  // over tasks, at the published tokens/s
  };
  std::vector<Model> models;  // small, large
  double lighter = 0;         // weights of the large model over the small one's
  double faster_low = 0,
         faster_high = 0;  // small model's tokens/s over the large one's, over tasks
};

OverheadFigures MeasureOverhead(const PaperTables& tables);
TrafficFigures MeasureTraffic(const PaperTables& tables);

// Mean over tasks of the time of one token, ms.
double MeanStepMs(const PaperTables& tables, std::string_view configuration);

}  // namespace aio

#endif  // AIO_PAPER_COSTS_H_
