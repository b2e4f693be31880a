// Files of measurements are a user's: no text may crash their reader, and what it accepts can stand
// beside the paper's.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "paper/measured_runs.h"
#include "paper/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const aio::PaperTables paper = aio::EmbeddedPaperTables().value();
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const bool is_eval : {true, false}) {
    aio::MeasuredRuns runs;
    (is_eval ? runs.evals : runs.mixed).push_back({"fuzz", text});
    runs.ablation_mix = paper.ablation_scenario;
    auto measured = aio::TablesOfRuns(runs);
    if (!measured.ok()) continue;
    const aio::Reproduction reproduction = aio::Reproduce(paper, *std::move(measured));
    if (aio::ReportText(aio::MakeReport(reproduction)).empty()) std::abort();
    if (aio::ReproductionJson(reproduction).empty()) std::abort();
  }
  return 0;
}
