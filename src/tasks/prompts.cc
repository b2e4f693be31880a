#include "tasks/prompts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/sha256.h"

namespace aio {

namespace {

std::string Words(std::string subject) {
  std::replace(subject.begin(), subject.end(), '_', ' ');
  return subject;
}

std::string WithChoices(const TaskItem& item, std::string_view ending) {
  std::string text = item.question;
  for (size_t i = 0; i < item.choices.size(); ++i) {
    text += fmt::format("\n{}. {}", ChoiceLetter(i), item.choices[i]);
  }
  return text.append(ending);
}

std::string ChatInstruction(const Task& task, const TaskItem& item) {
  switch (task.prompts) {
    case PromptKind::kSuite:
      return "";
    case PromptKind::kHumanEval:
      return "Complete the following Python function. Answer with the whole function in one fenced "
             "block of code.";
    case PromptKind::kMbpp:
      return "Answer with Python code in one fenced block.";
    case PromptKind::kGsm8k:
      return "Solve the problem step by step. End with a line that has #### and the final number.";
    case PromptKind::kMmlu:
      return fmt::format(
          "Answer the multiple choice question about {}. Give the letter of the right choice "
          "alone.",
          Words(item.subject));
    case PromptKind::kCeval:
      return fmt::format("以下是关于{}的单项选择题，请只给出正确答案的字母。", Words(item.subject));
    case PromptKind::kGpqa:
      return "Answer the multiple choice question. Give the letter of the right choice alone.";
  }
  return "";
}

// Before the first example of a text to go on from.
std::string CompletionHeader(const Task& task, const TaskItem& item) {
  switch (task.prompts) {
    case PromptKind::kMmlu:
      return fmt::format("The following are multiple choice questions (with answers) about {}.",
                         Words(item.subject));
    case PromptKind::kCeval:
      return fmt::format("以下是关于{}的单项选择题，请选出其中的正确答案。", Words(item.subject));
    case PromptKind::kGpqa:
      return "The following are multiple choice questions (with answers).";
    case PromptKind::kSuite:
    case PromptKind::kHumanEval:
    case PromptKind::kMbpp:
    case PromptKind::kGsm8k:
      break;
  }
  return "";
}

// GSM8K marks its sums with <<48/2=24>> for a calculator that nobody has here.
std::string WithoutCalculator(std::string_view solution) {
  std::string text;
  for (size_t begin = solution.find("<<"); begin != std::string_view::npos;
       begin = solution.find("<<")) {
    text += solution.substr(0, begin);
    const size_t end = solution.find(">>", begin);
    solution.remove_prefix(end == std::string_view::npos ? solution.size() : end + 2);
  }
  return text.append(solution);
}

// How an example is answered.
std::string AnsweredText(const Task& task, const TaskItem& item, PromptStyle style) {
  const bool chat = style != PromptStyle::kCompletion;
  switch (task.prompts) {
    case PromptKind::kMbpp:
      return chat ? fmt::format("```python\n{}\n```", item.solution)
                  : fmt::format("\n[BEGIN]\n{}\n[DONE]", item.solution);
    case PromptKind::kGsm8k:
      return (chat ? "" : " ") + WithoutCalculator(item.solution);
    case PromptKind::kSuite:
    case PromptKind::kHumanEval:
    case PromptKind::kMmlu:
    case PromptKind::kCeval:
    case PromptKind::kGpqa:
      break;
  }
  return (chat ? "" : " ") + item.solution;
}

// How a question stands in a text to go on from.
std::string AskedToComplete(const Task& task, std::string asked) {
  if (task.prompts == PromptKind::kGsm8k) return fmt::format("Question: {}\nAnswer:", asked);
  return asked;
}

std::vector<std::string> CompletionStops(const Task& task) {
  switch (task.prompts) {
    case PromptKind::kHumanEval:  // Chen et al. 2021
      return {"\nclass", "\ndef", "\n#", "\nif", "\nprint"};
    case PromptKind::kMbpp:
      return {"[DONE]"};
    case PromptKind::kGsm8k:
      return {"\nQuestion:", "\n\n"};
    case PromptKind::kMmlu:
    case PromptKind::kCeval:
    case PromptKind::kGpqa:
      return {"\n"};
    case PromptKind::kSuite:
      break;
  }
  return {};
}

Result<std::vector<const TaskItem*>> ChooseExamples(const Task& task, const TaskItem& item,
                                                    const PromptOptions& options) {
  const auto wanted = static_cast<size_t>(options.shots);
  std::vector<const TaskItem*> examples;
  for (const TaskItem& example : task.examples) {
    if (example.subject == item.subject) examples.push_back(&example);
  }
  if (examples.size() < wanted) {
    const std::string of = item.subject.empty() ? "" : fmt::format(" of '{}'", item.subject);
    return InvalidArgument(
        fmt::format("{}: {} examples wanted, and there are {}{}; use fewer shots", task.name,
                    wanted, examples.size(), of));
  }
  if (task.prompts == PromptKind::kGsm8k) {
    std::vector<std::pair<uint64_t, const TaskItem*>> drawn;
    drawn.reserve(examples.size());
    for (const TaskItem* example : examples) {
      drawn.emplace_back(Sha256Uint64(fmt::format("{}\n{}", options.seed, example->id)), example);
    }
    std::sort(drawn.begin(), drawn.end());
    for (size_t i = 0; i < drawn.size(); ++i) examples[i] = drawn[i].second;
  }
  examples.resize(wanted);
  return examples;
}

}  // namespace

std::string_view PromptStyleName(PromptStyle style) {
  switch (style) {
    case PromptStyle::kChat:
      return "chat";
    case PromptStyle::kBare:
      return "bare";
    case PromptStyle::kCompletion:
      return "completion";
  }
  return "";
}

std::optional<PromptStyle> PromptStyleFromName(std::string_view name) {
  for (const PromptStyle style :
       {PromptStyle::kChat, PromptStyle::kBare, PromptStyle::kCompletion}) {
    if (PromptStyleName(style) == name) return style;
  }
  return std::nullopt;
}

std::string AskedText(const Task& task, const TaskItem& item) {
  switch (task.prompts) {
    case PromptKind::kMbpp:  // as Austin et al. 2021 word it
      return fmt::format(
          "You are an expert Python programmer, and here is your task: {} Your code should pass "
          "these tests:\n\n{}",
          item.question, fmt::join(item.shown, "\n"));
    case PromptKind::kMmlu:
    case PromptKind::kGpqa:
      return WithChoices(item, "\nAnswer:");
    case PromptKind::kCeval:
      return WithChoices(item, "\n答案：");
    case PromptKind::kSuite:
      return WithChoices(item, "");
    case PromptKind::kHumanEval:
    case PromptKind::kGsm8k:
      break;
  }
  return item.question;
}

int DefaultMaxTokens(const Task& task) { return task.kind == AnswerKind::kChoice ? 32 : 512; }

Result<ItemPrompt> MakePrompt(const Task& task, const TaskItem& item,
                              const PromptOptions& options) {
  return MakePrompt(task, item, options, AskedText(task, item));
}

Result<ItemPrompt> MakePrompt(const Task& task, const TaskItem& item, const PromptOptions& options,
                              std::string asked) {
  AIO_ASSIGN_OR_RETURN(const std::vector<const TaskItem*> examples,
                       ChooseExamples(task, item, options));
  ItemPrompt made;
  if (options.style == PromptStyle::kCompletion) {
    std::string text = CompletionHeader(task, item);
    if (!text.empty()) text += "\n\n";
    for (const TaskItem* example : examples) {
      text += AskedToComplete(task, AskedText(task, *example)) +
              AnsweredText(task, *example, options.style) + "\n\n";
    }
    text += AskedToComplete(task, std::move(asked));
    if (task.prompts == PromptKind::kMbpp) text += "\n[BEGIN]\n";
    made.prompt = std::move(text);
    made.stop = CompletionStops(task);
    return made;
  }
  const std::string instruction =
      options.style == PromptStyle::kChat ? ChatInstruction(task, item) : "";
  const auto say = [&](std::string question) {
    return instruction.empty() ? question : fmt::format("{}\n\n{}", instruction, question);
  };
  std::vector<ChatMessage> messages;
  messages.reserve(2 * examples.size() + 1);
  for (const TaskItem* example : examples) {
    messages.push_back({"user", say(AskedText(task, *example))});
    messages.push_back({"assistant", AnsweredText(task, *example, options.style)});
  }
  messages.push_back({"user", say(std::move(asked))});
  made.prompt = std::move(messages);
  return made;
}

}  // namespace aio
