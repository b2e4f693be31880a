#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "app/eval_run.h"
#include "tasks/load_task.h"

namespace aio {

namespace {

bool IsKnown(const std::string& name) {
  const std::vector<std::string>& known = KnownTasks();
  return std::find(known.begin(), known.end(), name) != known.end();
}

Result<std::vector<Task>> LoadSuites(const std::vector<std::string>& paths) {
  std::vector<Task> tasks;
  for (const std::string& path : paths) {
    AIO_ASSIGN_OR_RETURN(std::vector<Task> suite, LoadSuite(path));
    for (Task& task : suite) {
      const bool taken = std::any_of(tasks.begin(), tasks.end(),
                                     [&](const Task& other) { return other.name == task.name; });
      if (taken || IsKnown(task.name)) {
        return InvalidArgument(
            fmt::format("{}: a task '{}' is there already; call it otherwise", path, task.name));
      }
      tasks.push_back(std::move(task));
    }
  }
  return tasks;
}

}  // namespace

Result<std::vector<Task>> LoadEvalTasks(const EvalSettings& settings) {
  AIO_ASSIGN_OR_RETURN(std::vector<Task> suites, LoadSuites(settings.suites));
  if (settings.tasks.empty()) return suites;
  std::vector<Task> tasks;
  for (const std::string& name : settings.tasks) {
    const auto suite = std::find_if(suites.begin(), suites.end(),
                                    [&](const Task& task) { return task.name == name; });
    if (suite != suites.end()) {
      tasks.push_back(std::move(*suite));
      suites.erase(suite);
      continue;
    }
    if (IsKnown(name) && settings.data.empty()) {
      return InvalidArgument(
          fmt::format("--task {}: name the folder of its files with --data DIR", name));
    }
    if (!IsKnown(name)) {
      std::vector<std::string> known = KnownTasks();
      for (const Task& task : suites) known.push_back(task.name);
      return InvalidArgument(
          fmt::format("--task {}: there is no such task; there are {}, and those of files named "
                      "with --suite",
                      name, fmt::join(known, ", ")));
    }
    AIO_ASSIGN_OR_RETURN(Task task, LoadTask(name, settings.data, settings.extent.seed));
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace aio
