#ifndef AIO_PAPER_COMPARISON_H_
#define AIO_PAPER_COMPARISON_H_

#include <string>
#include <vector>

#include "paper/rounded.h"

namespace aio {

// A published number beside the same computed from other published numbers.
struct Comparison {
  std::string table;   // "Table 4"
  std::string row;     // "A, aio"
  std::string figure;  // "accuracy" (percent), "tokens/s", "ms", "TB", "% of time"
  Rounded published;
  Rounded recomputed;
  std::string how;  // from what it was computed

  // What rounding of the published numbers explains.
  double Allowed() const { return published.slack() + recomputed.slack(); }
  double Difference() const { return recomputed.value - published.value; }
  bool Follows() const { return CanBeEqual(published, recomputed); }
};

using Comparisons = std::vector<Comparison>;

}  // namespace aio

#endif  // AIO_PAPER_COMPARISON_H_
