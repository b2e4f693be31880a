// Tasks that models are measured by: items with a question, and what tells a right answer from a
// wrong one. Plain data.
#ifndef AIO_TASKS_TASK_H_
#define AIO_TASKS_TASK_H_

#include <string>
#include <string_view>
#include <vector>

namespace aio {

// How an answer is judged (tasks/grader.h).
enum class AnswerKind {
  kCode,    // a Python function: run with the item's tests
  kNumber,  // its final number
  kChoice,  // a letter
  kText,    // it holds, or is, one of the accepted texts
};
std::string_view AnswerKindName(AnswerKind kind);  // "code", "number", "choice", "text"

// What a function that a model wrote is run with.
struct CodeTests {
  // The program that an answer may go on from in the middle of a function (HumanEval's prompt);
  // empty: an answer is whole.
  std::string stub;
  std::string entry_point;  // the function's name; empty: the tests call it themselves
  std::string setup;        // run after the answer, whose classes it may use, before the tests
  // Python: asserts, or with an entry point the definition of check(candidate).
  std::string test;
};

struct TaskItem {
  std::string id;        // unique within its task: "HumanEval/0", "anatomy/17"
  std::string question;  // the item's own text; valid UTF-8
  std::string subject;   // examples for it are of the same; empty: of any
  // A right answer as the data set words it: code, a worked solution, a letter.
  std::string solution;
  CodeTests code;                    // of kCode
  std::vector<std::string> shown;    // of MBPP: the asserts that the prompt shows
  std::vector<std::string> choices;  // of kChoice: A, B, ... in this order
  std::vector<std::string> answers;  // kNumber: one; kChoice: the letter; kText: what is accepted
  bool exact = false;                // of kText: the answer must be one of these and nothing else
  int line = 0;                      // where it begins in its file, from 1
};

// How its prompts are worded (tasks/prompts.h).
enum class PromptKind { kSuite, kHumanEval, kMbpp, kGsm8k, kMmlu, kCeval, kGpqa };

struct Task {
  std::string name;    // "humaneval", "pocket-code"
  std::string intent;  // what its items are about: "code", "math" or "qa"
  int context = 0;     // tokens of the prompts that its items stand in already: a suite's
                       // "pocket-qa@3200"; 0: items alone
  AnswerKind kind = AnswerKind::kText;
  PromptKind prompts = PromptKind::kSuite;
  std::vector<TaskItem> items;
  std::vector<TaskItem> examples;  // what few-shot prompts may show; never among the items
  std::vector<std::string> paths;  // of its files
  std::string sha256;              // over the SHA-256 of its files in order
};

inline constexpr int kChoicesMax = 26;
// "A" for the first, and so on; index < kChoicesMax.
std::string ChoiceLetter(size_t index);

}  // namespace aio

#endif  // AIO_TASKS_TASK_H_
