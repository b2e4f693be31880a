// The measured arms as the table that `aio calibrate --arms` reads.
#ifndef AIO_TASKS_ARM_TABLE_TEXT_H_
#define AIO_TASKS_ARM_TABLE_TEXT_H_

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "tasks/configuration.h"
#include "tasks/eval_figures.h"

namespace aio {

// What the table must know of a task.
struct ArmTask {
  std::string intent;
  int context = 0;  // Task::context
};

// TOML (eval/arm_table.h) with an arm for each configuration that names a model: accuracy and
// tokens per second by task, and by label as the mean over the tasks of that label (`tasks`, by
// name). Figures of long variants and of tasks whose items stand in long prompts are its
// accuracy_long; long begins at the geometric mean of the longest mean prompt of items alone and
// the shortest of the others. `comment` stands before it, line by line.
// kInvalidArgument if a role has no arm or an arm no figure of items alone.
Result<std::string> ArmTableText(const std::vector<EvalFigure>& figures,
                                 const std::vector<EvalConfiguration>& configurations,
                                 const std::map<std::string, ArmTask>& tasks,
                                 const std::string& comment);

}  // namespace aio

#endif  // AIO_TASKS_ARM_TABLE_TEXT_H_
