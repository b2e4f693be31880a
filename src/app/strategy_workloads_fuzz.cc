// Files of workloads are read from disk, hence from anyone: no text may crash the reader, and what
// it accepts can be asked.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/strategy_workloads.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto workloads = aio::ParseStrategyWorkloads(text, "fuzz.jsonl");
  if (!workloads.ok()) return 0;
  for (const aio::StrategyWorkload& workload : *workloads) {
    if (workload.name.empty() || workload.prompts.empty()) std::abort();
    for (const aio::WorkloadPrompt& prompt : workload.prompts) {
      if (prompt.prompt.empty() || prompt.max_tokens < 1) std::abort();
    }
  }
  return 0;
}
