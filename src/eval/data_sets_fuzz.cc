// Data sets are files from elsewhere: no text may crash the reader of any, and what it accepts can
// be asked.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "eval/data_sets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const aio::DataSetKind& kind : aio::KnownDataSets()) {
    const auto queries = aio::ParseDataFile(kind, text, "fuzz");
    if (!queries.ok()) continue;
    for (const aio::LabelledQuery& query : *queries) {
      const bool whole = query.line >= 1 && query.messages.size() == 1;
      if (!whole || !aio::IsValidUtf8(query.messages[0].content)) std::abort();
    }
  }
  return 0;
}
