// Outcome tables are read from disk, hence from anyone: no text may crash the reader, and what it
// accepts is as it promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/outcome_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* source : {"fuzz.csv", "fuzz.jsonl"}) {
    const auto table = aio::ParseOutcomeTable(text, source, {});
    if (!table.ok()) continue;
    if (table->queries.empty()) std::abort();
    for (const aio::OutcomeQuery& query : table->queries) {
      if (!(query.small >= 0 && query.small <= 1)) std::abort();
      if (!(query.large >= 0 && query.large <= 1)) std::abort();
    }
  }
  return 0;
}
