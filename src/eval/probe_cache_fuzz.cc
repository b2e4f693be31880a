// The cache is a file that a crash may have torn: no text may crash its reader, and every row it
// gives has a score for each label.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/probe_queries.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const aio::ProbeCache cache = aio::ProbeCache::Parse(text, "k", 2);
  if (const aio::ProbedQuery* row = cache.Find("p"); row && row->logits.size() != 2) std::abort();
  return 0;
}
