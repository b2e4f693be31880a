// Tables of accuracy and speed by configuration: what the paper publishes and what is measured
// here, in one shape (docs/reproduction.md shows it as JSON).
#ifndef AIO_PAPER_FIGURE_TABLES_H_
#define AIO_PAPER_FIGURE_TABLES_H_

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aio {

// Things with names, in the order of their file.
template <typename T>
using Named = std::vector<std::pair<std::string, T>>;

// nullptr if there is none of that name.
template <typename T>
const T* FindNamed(const Named<T>& things, std::string_view name) {
  const auto it = std::find_if(things.begin(), things.end(),
                               [&](const auto& thing) { return thing.first == name; });
  return it == things.end() ? nullptr : &it->second;
}

// The configurations that the paper's tables have, as they are called here.
inline constexpr std::string_view kStaticSmall = "static-small";
inline constexpr std::string_view kStaticSmallPld = "static-small-pld";
inline constexpr std::string_view kStaticLarge = "static-large";
inline constexpr std::string_view kStaticLargePld = "static-large-pld";
inline constexpr std::string_view kRandomRow = "random";
inline constexpr std::string_view kOracleRow = "oracle";
inline constexpr std::string_view kAioRow = "aio";

// What a configuration reaches on something; absent where it was not measured.
struct AccuracyTps {
  std::optional<double> accuracy;  // percent
  std::optional<double> tps;       // generated tokens per second
};

struct FigureTables {
  std::vector<std::string> tasks;           // the columns of `by_task`
  Named<std::vector<AccuracyTps>> by_task;  // configuration -> one a column
  Named<Named<AccuracyTps>> scenarios;      // mix -> configuration -> figures
  Named<AccuracyTps> ablations;             // what was left out -> figures
  Named<double> overhead;                   // part of routing -> milliseconds (or percent)

  // nullptr if the table has no such configuration or task.
  const AccuracyTps* Find(std::string_view configuration, std::string_view task) const;
};

// What was measured on one machine, to stand beside the paper's.
struct MeasuredTables {
  std::string source;  // the file
  std::string title;   // what was measured, and when; may be empty
  FigureTables figures;
  // Which of the paper's tasks a task of its own stands for: {"pocket-code", "humaneval"}.
  Named<std::string> stands_for;

  // The task's own column, or that of the task that stands for it; nullptr if neither is there.
  const AccuracyTps* FindForPaperTask(std::string_view configuration, std::string_view task) const;
};

// Every part may be left out, and figures may be null; unknown fields are faults. Errors name the
// file, the field and the mend.
Result<MeasuredTables> ParseMeasuredTables(std::string_view text, const std::string& source);

}  // namespace aio

#endif  // AIO_PAPER_FIGURE_TABLES_H_
