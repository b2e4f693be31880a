// Items of the public data sets from the text of the files they are published as. Faults name
// `source`, line and field. Private to this layer.
#ifndef AIO_TASKS_PARSE_ITEMS_H_
#define AIO_TASKS_PARSE_ITEMS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tasks/task.h"

namespace aio {

using TaskItems = std::vector<TaskItem>;

// JSON lines with task_id, prompt, entry_point, canonical_solution, test.
Result<TaskItems> ParseHumanEvalItems(std::string_view text, const std::string& source);
// JSON lines with task_id, text, code, test_list and perhaps test_setup_code; ids from `first` to
// `last`.
Result<TaskItems> ParseMbppItems(std::string_view text, const std::string& source, int first,
                                 int last);
// JSON lines with question and an answer that ends in "#### N".
Result<TaskItems> ParseGsm8kItems(std::string_view text, const std::string& source);

// The choice tasks' subject is that of the file. Rows without a header: question, A-D, letter.
Result<TaskItems> ParseMmluItems(std::string_view text, const std::string& source,
                                 const std::string& subject);
// A header with question, A, B, C, D, answer.
Result<TaskItems> ParseCevalItems(std::string_view text, const std::string& source,
                                  const std::string& subject);
// A header with Question, Correct Answer, Incorrect Answer 1 to 3. The file has the right answer
// first: choices are ordered by a hash of the seed, the question and each of them.
Result<TaskItems> ParseGpqaItems(std::string_view text, const std::string& source, uint64_t seed);

}  // namespace aio

#endif  // AIO_TASKS_PARSE_ITEMS_H_
