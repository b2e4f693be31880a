#include "app/strategy_workloads.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "app/beside_program.h"
#include "traffic/workload_items.h"

namespace aio {

namespace {

Result<std::vector<StrategyWorkload>> GroupByTask(const std::vector<WorkloadItem>& items,
                                                  const std::string& source) {
  std::vector<StrategyWorkload> workloads;
  for (const WorkloadItem& item : items) {
    if (item.max_tokens == 0) {
      return InvalidArgument(
          fmt::format("{}: line {}: field 'max_tokens' must be there: how long the answer may be",
                      source, item.line_number));
    }
    auto workload = std::find_if(workloads.begin(), workloads.end(),
                                 [&](const StrategyWorkload& w) { return w.name == item.task; });
    if (workload == workloads.end()) workload = workloads.insert(workload, {item.task, {}});
    workload->prompts.push_back({item.prompt, item.max_tokens});
  }
  return workloads;
}

}  // namespace

Result<std::vector<StrategyWorkload>> ReadStrategyWorkloads(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::vector<WorkloadItem> items, ReadWorkloadItems(path));
  return GroupByTask(items, path);
}

Result<std::vector<StrategyWorkload>> ParseStrategyWorkloads(std::string_view text,
                                                             const std::string& source) {
  AIO_ASSIGN_OR_RETURN(const std::vector<WorkloadItem> items, ParseWorkloadItems(text, source));
  return GroupByTask(items, source);
}

Result<std::vector<StrategyWorkload>> ChooseWorkloads(std::vector<StrategyWorkload> workloads,
                                                      const std::vector<std::string>& names) {
  std::vector<std::string> known;
  known.reserve(workloads.size());
  for (const StrategyWorkload& workload : workloads) known.push_back(workload.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return InvalidArgument(
        fmt::format("--workload {}: there is no such; there are {}", name, fmt::join(known, ", ")));
  }
  if (!names.empty()) {
    std::erase_if(workloads, [&](const StrategyWorkload& workload) {
      return std::find(names.begin(), names.end(), workload.name) == names.end();
    });
  }
  return workloads;
}

Result<std::string> FindDefaultWorkloads() {
  if (auto path = FindBesideProgram("models/pocket-workloads.jsonl")) return *std::move(path);
  return NotFound(
      "no workloads: models/pocket-workloads.jsonl is not in the program's folder or above it; "
      "name a file with --workloads FILE");
}

}  // namespace aio
