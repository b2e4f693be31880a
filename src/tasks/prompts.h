// What a model is asked for an item: the standard prompts of each data set, as a conversation or,
// for base models, as text to go on from (docs/evaluation-tasks.md has each word).
#ifndef AIO_TASKS_PROMPTS_H_
#define AIO_TASKS_PROMPTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "tasks/task.h"

namespace aio {

enum class PromptStyle {
  kChat,        // a conversation: instruction and question; examples are earlier turns
  kBare,        // a conversation with the question alone
  kCompletion,  // text; a model goes on from its end
};
std::string_view PromptStyleName(PromptStyle style);  // "chat", "bare", "completion"
std::optional<PromptStyle> PromptStyleFromName(std::string_view name);

struct PromptOptions {
  PromptStyle style = PromptStyle::kChat;
  int shots = 0;      // examples shown before the question
  uint64_t seed = 1;  // of the draw of GSM8K's examples, the same for all items
};

struct ItemPrompt {
  Prompt prompt;
  std::vector<std::string> stop;  // strings that end the answer
};

// Examples: MBPP's task ids 2, 3, 4; GSM8K's drawn from train; MMLU's and C-Eval's the first of
// the same subject in dev. kInvalidArgument if the task has not so many.
Result<ItemPrompt> MakePrompt(const Task& task, const TaskItem& item, const PromptOptions& options);
// The same with `asked` in the place of the item's own question and choices.
Result<ItemPrompt> MakePrompt(const Task& task, const TaskItem& item, const PromptOptions& options,
                              std::string asked);

// An item's question as a prompt has it: with its asserts or its choices.
std::string AskedText(const Task& task, const TaskItem& item);

// Long enough for an answer to an item of the task that does not think aloud for pages.
int DefaultMaxTokens(const Task& task);

}  // namespace aio

#endif  // AIO_TASKS_PROMPTS_H_
