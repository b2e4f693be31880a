#include "paper/report.h"

#include "paper/report_sections.h"

namespace aio {

Report MakeReport(const Reproduction& reproduction) {
  Report report;
  for (const auto section : {SummarySection, ProbeSection, ComputedRowsSection, ExpectedSection,
                             VariantsSection, MixesSection, AblationsSection, CountsSection,
                             OverheadSection, TrafficSection, StepsSection, GainsSection}) {
    report.push_back(section(reproduction));
  }
  if (reproduction.measured) report.push_back(MeasuredSection(reproduction));
  return report;
}

}  // namespace aio
