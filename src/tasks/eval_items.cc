#include "tasks/eval_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "router/prompt_hash.h"

namespace aio {

namespace {

// Of data sets sorted by subject, the first would be of one subject alone.
std::vector<const TaskItem*> DrawItems(const Task& task, const EvalExtent& extent) {
  std::vector<std::pair<uint64_t, const TaskItem*>> drawn;
  drawn.reserve(task.items.size());
  for (const TaskItem& item : task.items) {
    drawn.emplace_back(Sha256Uint64(fmt::format("{}\n{}\n{}", extent.seed, task.name, item.id)),
                       &item);
  }
  const auto limit = static_cast<size_t>(extent.limit);
  if (limit > 0 && limit < drawn.size()) {
    std::nth_element(drawn.begin(), drawn.begin() + extent.limit, drawn.end());
    drawn.resize(limit);
  }
  std::vector<const TaskItem*> items;
  items.reserve(drawn.size());
  for (const auto& [hash, item] : drawn) items.push_back(item);
  std::sort(items.begin(), items.end());  // by address: as they stand in the task
  return items;
}

class Planner {
 public:
  Planner(const EvalExtent& extent, const CountTokens& count, const PlanProgress& progress)
      : extent_(extent), count_(count), progress_(progress) {}

  Status AddTask(const Task& task) {
    LongContextPlanner planner(task, extent_.prompts, count_);
    const std::vector<const TaskItem*> items = DrawItems(task, extent_);
    for (const int context : extent_.contexts) {
      for (const double depth : extent_.depths) {
        for (const TaskItem* item : items) {
          EvalItem planned;
          planned.task = &task;
          planned.item = item;
          planned.context = context;
          planned.max_tokens = extent_.max_tokens.value_or(DefaultMaxTokens(task));
          if (context > 0) AIO_RETURN_IF_ERROR(PlanLong(depth, planner, planned));
          AIO_RETURN_IF_ERROR(Add(std::move(planned)));
        }
        if (context == 0) break;  // an item alone has no depth
      }
    }
    return Status::Ok();
  }

  void ExpectItems(const std::vector<Task>& tasks) {
    for (const Task& task : tasks) {
      const auto items = static_cast<int64_t>(DrawItems(task, extent_).size());
      for (const int context : extent_.contexts) {
        total_ += items * (context == 0 ? 1 : static_cast<int64_t>(extent_.depths.size()));
      }
    }
  }

  std::vector<EvalItem> Take() { return std::move(items_); }

 private:
  Status PlanLong(double depth, LongContextPlanner& planner, EvalItem& planned) {
    planned.depth = depth;
    LongContextOptions options;
    options.prompt_tokens_max = planned.context - planned.max_tokens;
    options.depth = depth;
    options.seed = extent_.seed;
    AIO_ASSIGN_OR_RETURN(planned.plan, planner.Plan(*planned.item, options));
    return Status::Ok();
  }

  Status Add(EvalItem planned) {
    AIO_ASSIGN_OR_RETURN(const ItemPrompt made, PromptOf(planned, extent_.prompts));
    planned.prompt_hash = PromptHash(made.prompt);
    items_.push_back(std::move(planned));
    if (progress_) progress_(static_cast<int64_t>(items_.size()), total_);
    return Status::Ok();
  }

  const EvalExtent& extent_;
  const CountTokens& count_;
  const PlanProgress& progress_;
  int64_t total_ = 0;
  std::vector<EvalItem> items_;
};

}  // namespace

Result<ItemPrompt> PromptOf(const EvalItem& item, const PromptOptions& options) {
  if (!item.plan) return MakePrompt(*item.task, *item.item, options);
  return MakePrompt(*item.task, *item.item, options,
                    RenderLongContext(*item.task, *item.item, *item.plan));
}

Result<std::vector<EvalItem>> PlanEvalItems(const std::vector<Task>& tasks,
                                            const EvalExtent& extent, const CountTokens& count,
                                            const PlanProgress& progress) {
  Planner planner(extent, count, progress);
  planner.ExpectItems(tasks);
  for (const Task& task : tasks) AIO_RETURN_IF_ERROR(planner.AddTask(task));
  return planner.Take();
}

}  // namespace aio
