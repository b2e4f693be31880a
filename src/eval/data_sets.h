// The public data sets whose source says what their queries are about, in the files they are
// published as, below one folder:
//
//   humaneval/HumanEval.jsonl[.gz]   code   (test)
//   mbpp/mbpp.jsonl                  code   task ids 601-974 (train) and 11-510 (test)
//   gsm8k/{train,test}.jsonl         math
//   mmlu/{dev,test}/*.csv            qa     dev is the train side
//   ceval/{dev,val}/*.csv            qa     likewise; val is the test side
//   gpqa/*.csv                       qa     (test)
//
// and files of labelled queries of one's own (labelled_queries.h).
#ifndef AIO_EVAL_DATA_SETS_H_
#define AIO_EVAL_DATA_SETS_H_

#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "eval/labelled_queries.h"

namespace aio {

// Which side of a data set's own split: what may be tuned on, and what is for measuring alone.
enum class DataSide { kNone, kTrain, kTest };
std::string_view DataSideName(DataSide side);  // "own", "train", "test"

struct DataSetKind {
  std::string_view name;    // "gsm8k-test"
  std::string_view task;    // "gsm8k": what an arm table calls it
  std::string_view intent;  // "code", "qa" or "math"
  DataSide side = DataSide::kNone;
};

// All that are known, train sides first.
const std::vector<DataSetKind>& KnownDataSets();
const DataSetKind* FindDataSet(std::string_view name);  // or null

struct DataSet {
  std::string name;
  std::string task;  // empty: each query's own, if it has one
  DataSide side = DataSide::kNone;
  std::vector<std::string> paths;  // of its files; a query's `file` is an index into them
  std::string sha256;              // over its files' SHA-256 in order; of one file: its own
  std::vector<LabelledQuery> queries;
  std::vector<UnreadableLine> unreadable;
};

// Names of the known sets whose files are below `root`.
std::vector<std::string> DataSetsBelow(const std::string& root);
// The files of a set below `root`, in order, at least one; kNotFound if they are not there.
Result<std::vector<std::string>> FindDataFiles(const DataSetKind& kind, const std::string& root);
// kNotFound if its files are not there; kInvalidArgument naming file and line if they are not
// what they should be.
Result<DataSet> ReadDataSet(const DataSetKind& kind, const std::string& root);

// The queries in the text of one of its files, without their intent; `source` names it in errors.
Result<std::vector<LabelledQuery>> ParseDataFile(const DataSetKind& kind, std::string_view text,
                                                 const std::string& source);

// A file of labelled queries as a data set named after the file. Lines that cannot be read are
// in `unreadable`; without one that can, kInvalidArgument.
Result<DataSet> ReadQueryFile(const std::string& path);

}  // namespace aio

#endif  // AIO_EVAL_DATA_SETS_H_
