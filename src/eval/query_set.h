// The labelled queries of a calibration: cleaned of rows that cannot be trusted, and split by a
// hash of their text before anything is fitted.
#ifndef AIO_EVAL_QUERY_SET_H_
#define AIO_EVAL_QUERY_SET_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "eval/data_sets.h"

namespace aio {

// What a query is used for: fitting parameters, choosing between fits and thresholds, or
// measuring, which nothing before may see.
enum class Split { kFit, kTune, kHeldOut };
inline constexpr std::array<Split, 3> kSplits = {Split::kFit, Split::kTune, Split::kHeldOut};
std::string_view SplitName(Split split);  // "fit", "tune", "held-out"

struct CalibrationQuery {
  std::vector<ChatMessage> messages;
  std::string intent;
  std::string task;  // as an arm table calls it; empty: none said
  std::string hash;  // SHA-256 of the messages, hex
  int data_set = 0;  // index into QuerySet::data_sets
  Split split = Split::kFit;
};

// Why a row was left out.
enum class RowFault {
  kUnreadable,     // no such JSON object
  kUnlabelled,     // no intent
  kUnknownLabel,   // an intent that the probe has no label for
  kDuplicate,      // the same text, with the same intent, stands earlier
  kContradiction,  // the same text stands elsewhere with another intent: all such rows go
};
std::string_view RowFaultName(RowFault fault);  // "unreadable", "unlabelled", ...

struct SkippedRow {
  RowFault fault = RowFault::kUnreadable;
  std::string file;
  int line = 0;
  std::string detail;  // one line: what is wrong, and where the other row stands
};

struct DataSetUse {
  std::string name;
  DataSide side = DataSide::kNone;
  int rows = 0;               // that could be read
  std::array<int, 3> used{};  // by split
  std::string sha256;
};

struct QuerySet {
  std::vector<std::string> labels;  // of the probe, in its order
  std::vector<DataSetUse> data_sets;
  std::vector<CalibrationQuery> queries;
  std::vector<SkippedRow> skipped;
  bool split_by_side = false;  // else all by hash

  int Count(Split split, std::string_view label) const;
  int CountSkipped(RowFault fault) const;
};

struct QuerySetOptions {
  // True: a set's train side is fitted and tuned on, its test side is held out; what has no side
  // is split by hash, and so is a label that lacks one of the two. False: all by hash.
  bool split_by_side = true;
  // Shares of what is split by hash; the rest is held out. Of a train side, tuning gets
  // tune / (fit + tune).
  double fit_share = 0.4;
  double tune_share = 0.2;
  // At most so many queries a label and split, those of the smallest hashes; 0: all.
  int per_label_max = 0;
  std::string salt = "aio";  // of the hash: another one gives another split
};

// Duplicates are looked for over all sets, in their order, so a text of a train side is never
// held out. kInvalidArgument if a label has no query in a split.
Result<QuerySet> BuildQuerySet(const std::vector<DataSet>& data_sets,
                               const std::vector<std::string>& labels,
                               const QuerySetOptions& options);

// SHA-256 of a conversation's roles and texts, hex.
std::string HashMessages(const std::vector<ChatMessage>& messages);

}  // namespace aio

#endif  // AIO_EVAL_QUERY_SET_H_
