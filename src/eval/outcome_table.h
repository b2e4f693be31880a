// Tables of what a small and a large model made of the same queries: for studies of routing that
// run neither.
//
//   CSV         with a header: a column "prompt" and one for each model. Without other names being
//               given, the models' are the first two beside "prompt", the small model's before the
//               large one's (RouteLLM's tables are so).
//   JSON lines  {"prompt": "...", "small": ..., "large": ...}, or other names likewise given
//
// An outcome is true or false, or a number from 0 (wrong) to 1 (right).
#ifndef AIO_EVAL_OUTCOME_TABLE_H_
#define AIO_EVAL_OUTCOME_TABLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

struct OutcomeQuery {
  std::string prompt;
  double small = 0;  // 0..1
  double large = 0;
};

// Names of columns or members; empty: as said above.
struct OutcomeColumns {
  std::string small;
  std::string large;
};

struct OutcomeTable {
  std::string small;  // what the table calls them
  std::string large;
  std::vector<OutcomeQuery> queries;
  int64_t rows = 0;                  // read; those that are not in `queries` were left out:
  int64_t duplicates = 0;            // the same prompt with the same outcomes, again
  int64_t contradictions = 0;        // the same prompt with other outcomes: none of them is kept
  std::vector<std::string> skipped;  // of these, the first: "file: line 17: ..."
};

// A file (.csv, .jsonl, .json), or a folder of such, in the order of their names. Errors name file,
// line and column.
Result<OutcomeTable> ReadOutcomeTable(const std::string& path, const OutcomeColumns& columns);

// One file's text; `source` ends in its extension.
Result<OutcomeTable> ParseOutcomeTable(std::string_view text, const std::string& source,
                                       const OutcomeColumns& columns);

}  // namespace aio

#endif  // AIO_EVAL_OUTCOME_TABLE_H_
