// Tasks from the files that the data sets are published as, below one folder (eval/data_sets.h
// says which), and from suites of one's own.
#ifndef AIO_TASKS_LOAD_TASK_H_
#define AIO_TASKS_LOAD_TASK_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tasks/task.h"

namespace aio {

// "humaneval", "mbpp", "gsm8k", "mmlu", "ceval", "gpqa".
const std::vector<std::string>& KnownTasks();

// The whole test side: HumanEval; MBPP ids 11-510 (examples: ids 2, 3 and 4); GSM8K test (train);
// MMLU test (dev); C-Eval val (dev); GPQA (no examples), whose choices are ordered by `seed`.
// kNotFound if files are missing, kInvalidArgument naming file, row and field, or what is known.
Result<Task> LoadTask(std::string_view name, const std::string& root, uint64_t seed);

// A suite: JSON lines, in which a row is
//
//   {"task": "pocket-code", "id": "c1", "prompt": "Write ...",
//    "entry_point": "f", "test": "def check(candidate): ..."}       code; "stub" may be given
//   {"task": "pocket-math", "id": "m1", "prompt": "...", "answer": "1,200"}       a number
//   {"task": "pocket-qa", "id": "q1", "prompt": "...", "answers": ["Fenn", "the Fenn"]}   texts
//   {"task": "...", "id": "...", "prompt": "...", "choices": ["x", "y"], "answer": "B"}   choice
//
// "stub" is the program that an answer may go on from; without it, what stands in the prompt from
// its first line of code on, if the entry point is defined there. "exact": true wants the text
// and nothing else. "context": tokens of a prompt that holds the item among others; its items are
// the task "pocket-code@3200". "intent" may be left out: code, math, or qa for texts and choices.
// All rows of a task are of one kind, and their ids differ. Other fields are ignored. One Task for
// each name, in the file's order; errors name file, line and field.
Result<std::vector<Task>> LoadSuite(const std::string& path);
Result<std::vector<Task>> ParseSuite(std::string_view text, const std::string& source);

}  // namespace aio

#endif  // AIO_TASKS_LOAD_TASK_H_
