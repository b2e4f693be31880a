// Measured figures come from a user's file: no text may crash the reader, and what it accepts can
// stand beside the paper's.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "paper/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const aio::PaperTables paper = aio::EmbeddedPaperTables().value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto measured = aio::ParseMeasuredTables(text, "fuzz");
  if (!measured.ok()) return 0;
  const aio::Reproduction reproduction = aio::Reproduce(paper, *std::move(measured));
  if (aio::ReportText(aio::MakeReport(reproduction)).empty()) std::abort();
  if (aio::ReproductionJson(reproduction).empty()) std::abort();
  return 0;
}
