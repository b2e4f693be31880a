// Files of queries are read from disk, hence from anyone: no text may crash the reader, and what
// it accepts can be asked.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/labelled_queries.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto queries = aio::ParseLabelledQueries(text, "fuzz.jsonl");
  if (!queries.ok()) return 0;
  for (const aio::LabelledQuery& query : *queries) {
    if (query.line < 1 || query.messages.empty()) std::abort();
  }
  return 0;
}
