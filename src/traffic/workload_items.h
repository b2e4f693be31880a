// Files of prompts by task that workloads are drawn from.
#ifndef AIO_TRAFFIC_WORKLOAD_ITEMS_H_
#define AIO_TRAFFIC_WORKLOAD_ITEMS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

// One prompt of a suite. A line of its file is a JSON object:
//   "task": "pocket-code", ...   or "workload" in its stead
//   "prompt": text
//   "id": of the item within its task; left out: the line's number
//   "intent": a label of the probe; left out: what the task's name says (IntentOfTask)
//   "context": tokens of distractors around it; left out or 0: none, it is short
//   "max_tokens": left out: the command's own
// Other fields are the grader's; `line` is the whole object.
struct WorkloadItem {
  std::string task;
  std::string id;
  std::string prompt;
  std::string intent;  // may be empty: unknown
  int context = 0;
  int max_tokens = 0;  // 0: not said
  std::string line;
  int line_number = 0;  // from 1
};

// "pocket-code" and "code" are code; known data sets are what they are (gsm8k: math); else empty.
std::string IntentOfTask(std::string_view task);

// Blank lines are skipped. Errors name file, line and field.
Result<std::vector<WorkloadItem>> ReadWorkloadItems(const std::string& path);
Result<std::vector<WorkloadItem>> ParseWorkloadItems(std::string_view text,
                                                     const std::string& source);

}  // namespace aio

#endif  // AIO_TRAFFIC_WORKLOAD_ITEMS_H_
