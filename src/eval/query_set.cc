#include "eval/query_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/sha256.h"

namespace aio {

namespace {

// A number in [0, 1) that a text and a salt decide.
double UnitHash(const std::string& hash, std::string_view salt) {
  const std::string mixed = Sha256Hex(fmt::format("{}:{}", salt, hash));
  constexpr int kDigits = 13;  // 52 bits: exact in a double
  uint64_t value = 0;
  for (int i = 0; i < kDigits; ++i) {
    const char c = mixed[static_cast<size_t>(i)];
    value = value * 16 + static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return static_cast<double>(value) / static_cast<double>(uint64_t{1} << (4 * kDigits));
}

class QuerySetBuilder {
 public:
  QuerySetBuilder(const std::vector<DataSet>& data_sets, const std::vector<std::string>& labels,
                  const QuerySetOptions& options)
      : data_sets_(data_sets), options_(options) {
    set_.labels = labels;
    set_.split_by_side = options.split_by_side;
  }

  Result<QuerySet> Build() {
    for (size_t i = 0; i < data_sets_.size(); ++i) AddDataSet(static_cast<int>(i));
    DropContradictions();
    AssignSplits();
    KeepPerLabel();
    for (const CalibrationQuery& query : set_.queries) {
      ++set_.data_sets[query.data_set].used[static_cast<size_t>(query.split)];
    }
    AIO_RETURN_IF_ERROR(CheckNoneMissing());
    return std::move(set_);
  }

 private:
  struct Place {
    std::string file;
    int line = 0;
    std::string intent;
  };

  void Skip(RowFault fault, const std::string& file, int line, std::string detail) {
    set_.skipped.push_back({fault, file, line, std::move(detail)});
  }

  void AddDataSet(int index) {
    const DataSet& data = data_sets_[index];
    set_.data_sets.push_back({.name = data.name,
                              .side = data.side,
                              .rows = static_cast<int>(data.queries.size()),
                              .used = {},
                              .sha256 = data.sha256});
    for (const UnreadableLine& bad : data.unreadable) {
      Skip(RowFault::kUnreadable, data.paths.front(), bad.line, bad.fault);
    }
    for (const LabelledQuery& query : data.queries) AddQuery(index, query);
  }

  void AddQuery(int data_set, const LabelledQuery& query) {
    const DataSet& data = data_sets_[data_set];
    const std::string& file = data.paths[query.file];
    if (query.intent.empty()) {
      return Skip(RowFault::kUnlabelled, file, query.line, "has no 'intent'");
    }
    if (std::find(set_.labels.begin(), set_.labels.end(), query.intent) == set_.labels.end()) {
      return Skip(RowFault::kUnknownLabel, file, query.line,
                  fmt::format("intent '{}' is none of the probe's labels: {}", query.intent,
                              fmt::join(set_.labels, ", ")));
    }
    std::string hash = HashMessages(query.messages);
    const auto [it, added] = places_.try_emplace(hash, Place{file, query.line, query.intent});
    if (!added) return AddRepeated(hash, it->second, {file, query.line, query.intent});
    set_.queries.push_back({.messages = query.messages,
                            .intent = query.intent,
                            .task = data.task.empty() ? query.task : data.task,
                            .hash = std::move(hash),
                            .data_set = data_set});
  }

  void AddRepeated(const std::string& hash, const Place& first, const Place& again) {
    if (first.intent == again.intent) {
      return Skip(RowFault::kDuplicate, again.file, again.line,
                  fmt::format("the same text as {}: line {}", first.file, first.line));
    }
    Skip(RowFault::kContradiction, again.file, again.line,
         fmt::format("intent '{}', but the same text has '{}' at {}: line {}", again.intent,
                     first.intent, first.file, first.line));
    if (!contradicted_.insert(hash).second) return;
    Skip(RowFault::kContradiction, first.file, first.line,
         fmt::format("intent '{}', but the same text has '{}' at {}: line {}", first.intent,
                     again.intent, again.file, again.line));
  }

  void DropContradictions() {
    std::erase_if(set_.queries, [&](const CalibrationQuery& query) {
      return contradicted_.count(query.hash) != 0;
    });
  }

  // Whether the label has queries on both sides, so that a split by sides can be made of it.
  bool HasBothSides(const std::string& label) const {
    std::set<DataSide> sides;
    for (const CalibrationQuery& query : set_.queries) {
      if (query.intent == label) sides.insert(data_sets_[query.data_set].side);
    }
    return sides.count(DataSide::kTrain) != 0 && sides.count(DataSide::kTest) != 0;
  }

  void AssignSplits() {
    std::map<std::string, bool> by_side;
    for (const std::string& label : set_.labels) {
      by_side[label] = options_.split_by_side && HasBothSides(label);
    }
    for (CalibrationQuery& query : set_.queries) {
      const DataSide side =
          by_side[query.intent] ? data_sets_[query.data_set].side : DataSide::kNone;
      query.split = SplitOf(side, UnitHash(query.hash, options_.salt));
    }
  }

  Split SplitOf(DataSide side, double unit) const {
    const double tuned_on = options_.fit_share + options_.tune_share;
    if (side == DataSide::kTest) return Split::kHeldOut;
    if (side == DataSide::kTrain) unit *= tuned_on;
    if (unit < options_.fit_share) return Split::kFit;
    return unit < tuned_on ? Split::kTune : Split::kHeldOut;
  }

  void KeepPerLabel() {
    if (options_.per_label_max == 0) return;
    // By a hash of its own, else the fit split's would be the smallest of the other.
    std::unordered_map<std::string, double> order;
    for (const CalibrationQuery& query : set_.queries) {
      order[query.hash] = UnitHash(query.hash, options_.salt + "/order");
    }
    std::stable_sort(set_.queries.begin(), set_.queries.end(),
                     [&](const CalibrationQuery& a, const CalibrationQuery& b) {
                       return order[a.hash] < order[b.hash];
                     });
    std::map<std::pair<Split, std::string>, int> kept;
    std::erase_if(set_.queries, [&](const CalibrationQuery& query) {
      return ++kept[{query.split, query.intent}] > options_.per_label_max;
    });
  }

  Status CheckNoneMissing() const {
    for (const std::string& label : set_.labels) {
      for (const Split split : kSplits) {
        if (set_.Count(split, label) > 0) continue;
        return InvalidArgument(
            fmt::format("no query with intent '{}' is left {}: add labelled queries of it "
                        "(a data set or JSON lines)",
                        label,
                        split == Split::kHeldOut ? "to measure on"
                        : split == Split::kTune  ? "to tune on"
                                                 : "to fit on"));
      }
    }
    return Status::Ok();
  }

  const std::vector<DataSet>& data_sets_;
  const QuerySetOptions& options_;
  QuerySet set_;
  std::unordered_map<std::string, Place> places_;  // by hash
  std::set<std::string> contradicted_;             // hashes
};

}  // namespace

std::string_view SplitName(Split split) {
  switch (split) {
    case Split::kFit:
      return "fit";
    case Split::kTune:
      return "tune";
    case Split::kHeldOut:
      return "held-out";
  }
  return "";
}

std::string_view RowFaultName(RowFault fault) {
  switch (fault) {
    case RowFault::kUnreadable:
      return "unreadable";
    case RowFault::kUnlabelled:
      return "unlabelled";
    case RowFault::kUnknownLabel:
      return "unknown label";
    case RowFault::kDuplicate:
      return "duplicate";
    case RowFault::kContradiction:
      return "contradiction";
  }
  return "";
}

int QuerySet::Count(Split split, std::string_view label) const {
  return static_cast<int>(
      std::count_if(queries.begin(), queries.end(), [&](const CalibrationQuery& query) {
        return query.split == split && query.intent == label;
      }));
}

int QuerySet::CountSkipped(RowFault fault) const {
  return static_cast<int>(std::count_if(skipped.begin(), skipped.end(),
                                        [&](const SkippedRow& row) { return row.fault == fault; }));
}

std::string HashMessages(const std::vector<ChatMessage>& messages) {
  std::string text;
  // Lengths first: no text can pass for the end of another.
  for (const ChatMessage& message : messages) {
    text += fmt::format("{} {}\n{}{}\n", message.role.size(), message.content.size(), message.role,
                        message.content);
  }
  return Sha256Hex(text);
}

Result<QuerySet> BuildQuerySet(const std::vector<DataSet>& data_sets,
                               const std::vector<std::string>& labels,
                               const QuerySetOptions& options) {
  return QuerySetBuilder(data_sets, labels, options).Build();
}

}  // namespace aio
