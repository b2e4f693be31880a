// Data sets come from anywhere: no text may crash the reader, and every row it gives has fields.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rows = aio::ParseCsv(text, "fuzz.csv");
  if (!rows.ok()) return 0;
  int line = 0;
  for (const aio::CsvRow& row : *rows) {
    if (row.line <= line || row.fields.empty()) std::abort();
    line = row.line;
  }
  return 0;
}
