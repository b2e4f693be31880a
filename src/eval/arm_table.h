// How good and how fast each arm - a model role, a decoding strategy, weights - is on each task:
// what a routing policy's worth is computed from.
//
//   version = 1
//   long_tokens = 2048              # may be left out: "long" is more prompt tokens than this
//   [[arm]]
//   role = "small"
//   strategy = "plain"              # or prompt_lookup, prompt_lookup_paper, draft_model, auto
//   weights = "w8a16"               # may be left out: the role's own
//   accuracy = { humaneval = 67.68, qa = 55.2 }        # percent, by task or by label
//   accuracy_long = { code = 66.66 }                   # may be left out
//   tokens_per_second = 21.58                          # on every task, or
//   tokens_per_second_by = { humaneval = 21.18, qa = 21.8 }
//   bytes_per_token = 2.0e9                            # may be left out
//
// As JSON the same keys stand in {"arms": [{...}]}. The layout of the A-IO paper's tables is
// read too: "table3_accuracy_pct_and_tps" with "columns" and rows called "1b_baseline",
// "7b_pld", "1b_quant" and so on (1b: small, 7b: large, pld: prompt_lookup_paper, quant: w8a16).
#ifndef AIO_EVAL_ARM_TABLE_H_
#define AIO_EVAL_ARM_TABLE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/status.h"

namespace aio {

using FiguresByTask = std::map<std::string, double, std::less<>>;

struct Arm {
  std::string role;  // "small" or "large"
  Strategy strategy;
  std::string strategy_name;  // as the file says it: "prompt_lookup_paper"
  std::string weights;        // "" (the role's own) or kW8A16
  FiguresByTask accuracy;     // percent, by task or label
  FiguresByTask accuracy_long;
  FiguresByTask tokens_per_second;  // by task or label; "" for those not named
  std::optional<double> bytes_per_token;

  std::string Name() const;  // "small plain", "large prompt_lookup on w8a16"
};

struct ArmTable {
  std::string source;  // the file
  std::string sha256;  // of its text
  int long_tokens = 2048;
  std::vector<Arm> arms;
};

// Unknown keys are errors; errors name the file, the key or arm, and the mend. Both roles must
// have an arm.
Result<ArmTable> ReadArmTable(const std::string& path);
Result<ArmTable> ParseArmTable(std::string_view text, const std::string& source);

// Gives arms that differ in strategy alone the accuracy of the plain one: here a strategy changes
// the speed of an answer and never its text, whatever implementation the table was measured on.
void MakeStrategiesExact(ArmTable& table);

// An arm's figure for queries of `task` and `label`: the task's own, else the label's, else the
// mean of those of `label_tasks` (the tasks known to be of that label) that it has; absent if none.
std::optional<double> FigureFor(const FiguresByTask& figures, std::string_view task,
                                std::string_view label,
                                const std::vector<std::string>& label_tasks);

}  // namespace aio

#endif  // AIO_EVAL_ARM_TABLE_H_
