// The sections of the report, one function each. Internal to paper/.
#ifndef AIO_PAPER_REPORT_SECTIONS_H_
#define AIO_PAPER_REPORT_SECTIONS_H_

#include "paper/report.h"

namespace aio {

// Published and recomputed side by side, one line each.
ReportTable ComparisonTable(const Comparisons& comparisons);

// "+0.205"; what rounds to nothing is "+0.000".
std::string SignedNumber(double value, int decimals);

ReportSection SummarySection(const Reproduction& reproduction);
ReportSection ProbeSection(const Reproduction& reproduction);
ReportSection ComputedRowsSection(const Reproduction& reproduction);
ReportSection ExpectedSection(const Reproduction& reproduction);
ReportSection VariantsSection(const Reproduction& reproduction);
ReportSection MixesSection(const Reproduction& reproduction);
ReportSection AblationsSection(const Reproduction& reproduction);
ReportSection CountsSection(const Reproduction& reproduction);
ReportSection OverheadSection(const Reproduction& reproduction);
ReportSection TrafficSection(const Reproduction& reproduction);
ReportSection StepsSection(const Reproduction& reproduction);
ReportSection GainsSection(const Reproduction& reproduction);
ReportSection MeasuredSection(const Reproduction& reproduction);  // of what was measured here

}  // namespace aio

#endif  // AIO_PAPER_REPORT_SECTIONS_H_
