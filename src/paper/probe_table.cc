#include "paper/probe_table.h"

namespace aio {

namespace {

constexpr double kConfidence = 0.95;

CountedShare Share(int64_t right, int64_t of) {
  return {right, of, of == 0 ? 0 : static_cast<double>(right) / static_cast<double>(of),
          ClopperPearson(right, of, kConfidence)};
}

}  // namespace

ProbeTable MeasureProbeTable(const PaperTables& tables) {
  const PaperConfusion& confusion = tables.confusion;
  ProbeTable out;
  int64_t all = 0;
  int64_t all_right = 0;
  for (size_t i = 0; i < confusion.labels.size(); ++i) {
    int64_t row = 0;
    int64_t column = 0;
    for (size_t j = 0; j < confusion.labels.size(); ++j) {
      row += confusion.counts[i][j];
      column += confusion.counts[j][i];
    }
    const int64_t right = confusion.counts[i][i];
    all += row;
    all_right += right;
    out.labels.push_back({confusion.labels[i], Share(right, row), Share(right, column)});
  }
  out.accuracy = Share(all_right, all);
  out.overall = {"Table 2",
                 "overall",
                 "accuracy",
                 Rounded::Printed(confusion.overall_accuracy, tables.decimals.confusion_accuracy),
                 Rounded::Exactly(100 * out.accuracy.share),
                 "the counts"};
  return out;
}

}  // namespace aio
