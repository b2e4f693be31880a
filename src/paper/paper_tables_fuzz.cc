// Tables come from a user's file: no text may crash the reader, and what it accepts can be
// computed with and printed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "paper/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto tables = aio::ParsePaperTables(text, "fuzz");
  if (!tables.ok()) return 0;
  const aio::Reproduction reproduction = aio::Reproduce(*std::move(tables), std::nullopt);
  if (aio::ReportMarkdown(aio::MakeReport(reproduction)).empty()) std::abort();
  if (aio::ReproductionJson(reproduction).empty()) std::abort();
  return 0;
}
