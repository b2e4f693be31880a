// The work of `aio eval`: tasks, models and configurations in, figures out.
#ifndef AIO_APP_EVAL_RUN_H_
#define AIO_APP_EVAL_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "app/config.h"
#include "backend/backend.h"
#include "base/status.h"
#include "sandbox/sandbox.h"
#include "tasks/eval_figures.h"
#include "tasks/eval_items.h"
#include "tasks/evaluate.h"
#include "tasks/task.h"

namespace aio {

struct EvalSettings {
  std::vector<std::string> tasks;  // names of public data sets below `data`, ...
  std::string data;
  std::vector<std::string> suites;  // ... and files; `tasks`, if any, also chooses among theirs
  std::vector<std::string> configurations;  // ParseFixedArm()
  std::vector<std::string> policies;        // files; "": the configured one
  EvalExtent extent;
  EvalOptions options;
  std::vector<int> ks = {1};
  std::string records;               // file; empty: none is kept
  std::vector<Protection> may_lack;  // of the sandbox
  SandboxLimits limits;
};

// One of the tasks that were asked.
struct EvaluatedTask {
  std::string name;
  std::string intent;
  int context = 0;  // Task::context
  std::string kind;
  int64_t items = 0;  // of the whole task
  std::string sha256;
  std::vector<std::string> paths;
};

struct EvaluatedConfiguration {
  std::string name;
  std::string policy;       // file of a policy; empty: a fixed arm, or the configured policy
  std::string policy_hash;  // SHA-256 of its text; empty: a fixed arm
};

struct EvalReport {
  std::vector<ModelInfo> models;  // resident
  std::vector<EvaluatedTask> tasks;
  std::vector<EvaluatedConfiguration> configurations;
  std::vector<EvalFigure> figures;
  std::string arm_table;  // ArmTableText(); empty: `arm_table_fault` says why
  std::string arm_table_fault;
  std::vector<std::string> sandbox_lacks;  // protections that did without
  int64_t answers = 0;
  int64_t resumed = 0;  // of these, from the records
  int unreadable_records = 0;
  double seconds = 0;  // of asking and grading
};

// Progress goes to standard error. `config` is the resident pair's.
Result<EvalReport> RunEvaluation(const EvalSettings& settings, AppConfig config);

// Tasks in the order named, else all of the suites; what none has is kInvalidArgument with what
// there is.
Result<std::vector<Task>> LoadEvalTasks(const EvalSettings& settings);

}  // namespace aio

#endif  // AIO_APP_EVAL_RUN_H_
