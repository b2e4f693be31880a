// Suites are read from disk, hence from anyone: no text may crash the reader, and what it accepts
// can be asked.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "traffic/mix.h"
#include "traffic/workload_items.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mix = aio::ParseMix(text.substr(0, text.find('\n')));
  if (mix.ok() && mix->parts.empty()) std::abort();
  const auto items = aio::ParseWorkloadItems(text, "fuzz.jsonl");
  if (!items.ok()) return 0;
  for (const aio::WorkloadItem& item : *items) {
    if (item.task.empty() || item.prompt.empty() || item.context < 0) std::abort();
  }
  return 0;
}
