// A report of paragraphs and tables, for a terminal or as Markdown.
#ifndef AIO_PAPER_REPORT_H_
#define AIO_PAPER_REPORT_H_

#include <string>
#include <variant>
#include <vector>

#include "paper/reproduction.h"

namespace aio {

struct ReportTable {
  std::vector<std::string> header;
  size_t left_columns = 1;  // the first ones, aligned to the left; the others are numbers
  // As wide as the header; shorter rows are filled up.
  std::vector<std::vector<std::string>> rows;
};

struct ReportSection {
  std::string title;
  std::vector<std::variant<std::string, ReportTable>> blocks;  // paragraphs and tables
};

using Report = std::vector<ReportSection>;

Report MakeReport(const Reproduction& reproduction);

// Paragraphs are wrapped at `width` columns; tables are as wide as they are.
std::string ReportText(const Report& report, size_t width = 100);
// With GitHub's tables.
std::string ReportMarkdown(const Report& report);

// Numbers and verdicts for machines, on lines indented by two spaces a level.
std::string ReproductionJson(const Reproduction& reproduction);

}  // namespace aio

#endif  // AIO_PAPER_REPORT_H_
