// JSON-lines files of prompts by workload: what `aio bench strategies` measures on.
#ifndef AIO_APP_STRATEGY_WORKLOADS_H_
#define AIO_APP_STRATEGY_WORKLOADS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

struct WorkloadPrompt {
  std::string prompt;
  int max_tokens = 0;       // >= 1
  std::string intent = {};  // as the probe finds it; empty: not asked
};

struct StrategyWorkload {
  std::string name;  // "copy", "code-edit", ...
  std::vector<WorkloadPrompt> prompts;
};

// Items (traffic/workload_items.h), of which each must say its "max_tokens", by task. Workloads and
// their prompts come in the file's order. Errors name file, line and field.
Result<std::vector<StrategyWorkload>> ReadStrategyWorkloads(const std::string& path);
Result<std::vector<StrategyWorkload>> ParseStrategyWorkloads(std::string_view text,
                                                             const std::string& source);

// Those that are named, in the workloads' order; all when `names` is empty. kInvalidArgument for a
// name that is none, with those that there are.
Result<std::vector<StrategyWorkload>> ChooseWorkloads(std::vector<StrategyWorkload> workloads,
                                                      const std::vector<std::string>& names);

// The file used when none is named: models/pocket-workloads.jsonl in the folder of the program or
// the nearest one above it.
Result<std::string> FindDefaultWorkloads();

}  // namespace aio

#endif  // AIO_APP_STRATEGY_WORKLOADS_H_
