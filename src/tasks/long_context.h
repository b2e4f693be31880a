// Long variants of a task: the item to answer at a chosen depth among other items of the task.
//
//   Below are 40 numbered tasks. Do number 12 and no other.
//
//   [1]
//   (an item as its prompt has it)
//
//   [2]
//   ...
//
//   Now do number 12 of the tasks above, and nothing else.
//
// Which others, and in which order, is drawn from the seed and the item's id. The item itself and
// items with the same question are never among them; when all others are there, they are drawn
// again.
#ifndef AIO_TASKS_LONG_CONTEXT_H_
#define AIO_TASKS_LONG_CONTEXT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "tasks/prompts.h"
#include "tasks/task.h"

namespace aio {

// Tokens of a prompt as the model sees it.
using CountTokens = std::function<Result<int>(const Prompt& prompt)>;

struct LongContextOptions {
  int prompt_tokens_max = 0;  // the prompt is filled up to so many
  double depth = 0.5;         // 0: the item comes first; 1: last
  uint64_t seed = 1;
};

// Small enough to keep for every item of a task; Render() makes the text of it.
struct LongContextPlan {
  std::vector<uint32_t> others;  // indices into Task::items, in their order
  size_t position = 0;           // others before the item
};

// The text that stands where the item's question stood (MakePrompt()'s `asked`).
std::string RenderLongContext(const Task& task, const TaskItem& item, const LongContextPlan& plan);

// Plans the items of one task, whose tokens it counts once each. Not thread-safe.
class LongContextPlanner {
 public:
  // `task` must outlive it. Counts by `count`.
  LongContextPlanner(const Task& task, PromptOptions prompts, CountTokens count)
      : task_(task), prompts_(prompts), count_(std::move(count)), tokens_(task.items.size()) {}

  // kInvalidArgument if the task has no other item, or the item alone is too long.
  Result<LongContextPlan> Plan(const TaskItem& item, const LongContextOptions& options);

 private:
  // The others of one item in the order in which they are drawn.
  struct Draw {
    const TaskItem& item;
    uint64_t seed;
    int round = 0;
    std::vector<uint32_t> order = {};
    size_t next = 0;
  };

  Result<int> TokensOf(uint32_t index);
  Result<int> PromptTokens(const TaskItem& item, const LongContextPlan& plan) const;
  Result<uint32_t> DrawNext(Draw& draw) const;
  // Adds others of `room` tokens together.
  Status Fill(int room, Draw& draw, LongContextPlan& plan);
  Result<size_t> PositionAt(double depth, const LongContextPlan& plan);

  const Task& task_;
  const PromptOptions prompts_;
  const CountTokens count_;
  std::vector<std::optional<int>> tokens_;  // [items] of each alone, once counted
};

}  // namespace aio

#endif  // AIO_TASKS_LONG_CONTEXT_H_
