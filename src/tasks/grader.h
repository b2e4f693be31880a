// Tells right answers from wrong ones.
#ifndef AIO_TASKS_GRADER_H_
#define AIO_TASKS_GRADER_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backend/events.h"
#include "base/status.h"
#include "sandbox/sandbox.h"
#include "tasks/task.h"

namespace aio {

struct Grade {
  bool right = false;
  std::string answer;  // what was taken from the text: a number, a letter, code; may be empty
  std::string why;     // "12 is not 13", "AssertionError", "cpu limit"
};

// Runs a Python program locked in; a fault is one of the sandbox, never of the program.
using RunPython = std::function<Result<SandboxedRun>(std::string_view program)>;

// Of the sandbox, which must outlive what is returned.
RunPython RunIn(const Sandbox& sandbox, const SandboxLimits& limits);

// Thread-safe if its RunPython is. A program that ended by itself is not run again: strategies
// change no answer, so the same ones come from several configurations.
class Grader {
 public:
  // `run` may be empty if no item of kCode is graded.
  explicit Grader(RunPython run) : run_(std::move(run)) {}

  // Faults are those of the sandbox.
  Result<Grade> GradeText(AnswerKind kind, const TaskItem& item, std::string_view text) const;

 private:
  Result<Grade> GradeCode(const TaskItem& item, std::string_view text) const;
  // Of the program, from an earlier run if there was one.
  Result<SandboxedRun> RunOnce(const std::string& program) const;

  RunPython run_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, SandboxedRun> ended_;  // by the program's SHA-256
};

// By what the model thinks of the letters as the answer's first token: `top` are the most probable
// first tokens, those that are a choice's letter but for spaces around it count for that, and the
// most probable letter is the answer. A letter that is not among them counts as less probable than
// any that is; with none there, the answer is wrong.
Grade GradeByLikelihood(const TaskItem& item, const std::vector<TokenLogprob>& top);

}  // namespace aio

#endif  // AIO_TASKS_GRADER_H_
