// Which items are asked, and at which lengths.
#ifndef AIO_TASKS_EVAL_ITEMS_H_
#define AIO_TASKS_EVAL_ITEMS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "tasks/long_context.h"
#include "tasks/prompts.h"
#include "tasks/task.h"

namespace aio {

struct EvalExtent {
  int limit = 0;                       // at most so many items a task, drawn by the seed; 0: all
  std::vector<int> contexts = {0};     // tokens of prompt and answer; 0: the item alone
  std::vector<double> depths = {0.5};  // of the item in a long context, 0..1
  std::optional<int> max_tokens;       // of an answer; absent: the task's default
  PromptOptions prompts;
  uint64_t seed = 1;
};

// An item at one length and depth.
struct EvalItem {
  const Task* task = nullptr;  // not owned
  const TaskItem* item = nullptr;
  int context = 0;
  double depth = 0;
  int max_tokens = 0;
  std::optional<LongContextPlan> plan;  // of a long variant
  std::string prompt_hash;              // PromptHash()
};

// Its prompt; the same whenever it is asked for.
Result<ItemPrompt> PromptOf(const EvalItem& item, const PromptOptions& options);

using PlanProgress = std::function<void(int64_t done, int64_t total)>;

// Items of `tasks` (which outlive them) in the order of task, context, depth and item. `count` is
// needed for long variants alone. Faults name the task and the item.
Result<std::vector<EvalItem>> PlanEvalItems(const std::vector<Task>& tasks,
                                            const EvalExtent& extent, const CountTokens& count,
                                            const PlanProgress& progress);

}  // namespace aio

#endif  // AIO_TASKS_EVAL_ITEMS_H_
