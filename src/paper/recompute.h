// The paper's derived tables computed again from those that they derive from.
#ifndef AIO_PAPER_RECOMPUTE_H_
#define AIO_PAPER_RECOMPUTE_H_

#include <optional>
#include <string>
#include <vector>

#include "paper/comparison.h"
#include "paper/mix_figures.h"
#include "paper/paper_tables.h"

namespace aio {

// Table 3's random row as the mean of the static rows, and its oracle ("theoretical") row as the
// most accurate of the unquantised configurations of each task.
Comparisons RecomputeRandomRow(const PaperTables& tables);
Comparisons RecomputeOracleRow(const PaperTables& tables);

// Table 1's short prompts, which Table 3 has too.
Comparisons RecomputeLongTable(const PaperTables& tables);

// Table 4: each mix and row, accuracy and arithmetic mean of tokens/s. What cannot be computed
// (no speed for long prompts) is left out.
Comparisons RecomputeMixes(const PaperTables& tables, const LongContextTps& long_tps);

// Table 5.
Comparisons RecomputeAblations(const PaperTables& tables, const LongContextTps& long_tps);

// A task under the paper's policy when the probe errs as its confusion matrix says, beside the
// A-IO row.
struct ExpectedTask {
  std::string task;
  MixFigures stated;          // the policy as stated: prompt lookup for all of QA and math
  MixFigures where_it_helps;  // prompt lookup where Table 3 shows it more accurate
  Rounded oracle;             // percent, the oracle row's
  Rounded published;          // percent, the A-IO row's
  Rounded published_tps;
};
std::vector<ExpectedTask> ExpectTasks(const PaperTables& tables);
Comparisons CompareExpected(const std::vector<ExpectedTask>& tasks);

// How much faster than static large a mix is.
struct MixGain {
  std::string mix;
  double published = 0;          // quotient of the published means
  double arithmetic = 0;         // from the A-IO row
  double harmonic = 0;           // the same, as a user waits
  double expected_harmonic = 0;  // the policy as stated with the confusion matrix
};
std::vector<MixGain> MixGains(const PaperTables& tables, const LongContextTps& long_tps);

}  // namespace aio

#endif  // AIO_PAPER_RECOMPUTE_H_
