// Suites are files from elsewhere: no text may crash the reader, and what it accepts can be asked
// and graded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tasks/grader.h"
#include "tasks/load_task.h"
#include "tasks/prompts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tasks = aio::ParseSuite(text, "fuzz");
  if (!tasks.ok()) return 0;
  const aio::Grader grader([](std::string_view) { return aio::SandboxedRun{}; });
  for (const aio::Task& task : *tasks) {
    for (const aio::TaskItem& item : task.items) {
      if (!aio::MakePrompt(task, item, {}).ok()) std::abort();
      if (!grader.GradeText(task.kind, item, item.solution).ok()) std::abort();
    }
  }
  return 0;
}
