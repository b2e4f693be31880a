// Comma-separated values as RFC 4180 has them: fields may be quoted, a quote within quotes is
// doubled, and a quoted field may hold commas and line ends. Lines may end with \n or \r\n.
#ifndef AIO_EVAL_CSV_H_
#define AIO_EVAL_CSV_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

struct CsvRow {
  int line = 0;  // where it begins, from 1
  std::vector<std::string> fields;
};

// Blank lines are skipped; rows may differ in length. A quote that does not end, or text after
// one that did, is kInvalidArgument naming `source` and the line.
Result<std::vector<CsvRow>> ParseCsv(std::string_view text, const std::string& source);

// Where columns of these names stand in a header's row, in their order; kInvalidArgument naming
// the first that is not there.
Result<std::vector<size_t>> FindColumns(const CsvRow& header,
                                        std::span<const std::string_view> names,
                                        const std::string& source);

// kInvalidArgument naming the line of a row with fewer fields.
Status CheckColumns(const CsvRow& row, size_t wanted, const std::string& source);

}  // namespace aio

#endif  // AIO_EVAL_CSV_H_
