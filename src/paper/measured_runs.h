// What `aio eval` and `aio bench mixed` measured, in the layout of the paper's tables.
#ifndef AIO_PAPER_MEASURED_RUNS_H_
#define AIO_PAPER_MEASURED_RUNS_H_

#include <string>
#include <vector>

#include "base/status.h"
#include "paper/figure_tables.h"

namespace aio {

struct RunFile {
  std::string path;
  std::string text;  // JSON
};

struct MeasuredRuns {
  std::vector<RunFile> evals;    // of `aio eval --out`
  std::vector<RunFile> mixed;    // of `aio bench mixed --json`
  std::string policy = "paper";  // the configuration in whose place the paper has A-IO
  std::string ablation_mix;      // whose ablations are the table's; others' are left out
  Named<std::string> stands_for;
};

// Configurations go by the paper's names: "small+prompt_lookup" is its "static-small-pld",
// MeasuredRuns::policy its "aio". A task at a longer context is one of its own,
// "humaneval@32768". Tokens/s are means of the answers' own, as in the paper. Files of one kind add
// to one another; what a later one has again is left out. Errors name the file and the field.
Result<MeasuredTables> TablesOfRuns(const MeasuredRuns& runs);

}  // namespace aio

#endif  // AIO_PAPER_MEASURED_RUNS_H_
