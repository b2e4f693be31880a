// Data sets are files from elsewhere: no text may crash the reader of any, and what it accepts has
// a right answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "tasks/parse_items.h"

namespace {

void Check(const aio::Result<aio::TaskItems>& items, bool has_answer) {
  if (!items.ok()) return;
  for (const aio::TaskItem& item : *items) {
    const bool whole = item.line >= 1 && !item.id.empty() && aio::IsValidUtf8(item.question);
    if (!whole || (has_answer && item.answers.size() != 1)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(aio::ParseHumanEvalItems(text, "fuzz"), false);
  Check(aio::ParseMbppItems(text, "fuzz", 1, 974), false);
  Check(aio::ParseGsm8kItems(text, "fuzz"), true);
  Check(aio::ParseMmluItems(text, "fuzz", "s"), true);
  Check(aio::ParseCevalItems(text, "fuzz", "s"), true);
  Check(aio::ParseGpqaItems(text, "fuzz", 1), true);
  return 0;
}
