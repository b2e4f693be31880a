#include "app/grade_answers.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "sandbox/sandbox.h"
#include "tasks/grader.h"
#include "tasks/load_task.h"

namespace aio {

namespace {

// Absent: the line does not say what a right answer is.
std::optional<Task> TaskOf(const WorkloadItem& item) {
  Result<std::vector<Task>> tasks = ParseSuite(item.line, item.task);
  if (!tasks.ok() || tasks->size() != 1 || tasks->front().items.size() != 1) return std::nullopt;
  return std::move(tasks->front());
}

// Keeps the sandbox for as long as the grader that runs programs in it.
struct Judge {
  std::optional<Sandbox> sandbox;
  std::optional<Grader> grader;
};

}  // namespace

Result<GradeAnswer> MakeGradeAnswer(const std::vector<WorkloadItem>& items,
                                    const std::vector<Protection>& may_lack) {
  const auto judge = std::make_shared<Judge>();
  const bool runs_code = std::any_of(items.begin(), items.end(), [](const WorkloadItem& item) {
    const std::optional<Task> task = TaskOf(item);
    return task && task->kind == AnswerKind::kCode;
  });
  RunPython run;
  if (runs_code) {
    AIO_ASSIGN_OR_RETURN(Sandbox sandbox, Sandbox::Create({.may_lack = may_lack}));
    judge->sandbox = std::move(sandbox);
    run = RunIn(*judge->sandbox, SandboxLimits{});
  }
  judge->grader.emplace(std::move(run));
  return GradeAnswer(
      [judge](const WorkloadItem& item, std::string_view text) -> Result<std::optional<bool>> {
        const std::optional<Task> task = TaskOf(item);
        if (!task) return std::optional<bool>();
        AIO_ASSIGN_OR_RETURN(const Grade grade,
                             judge->grader->GradeText(task->kind, task->items.front(), text));
        return std::optional<bool>(grade.right);
      });
}

}  // namespace aio
