// What `aio eval`, `aio bench mixed`, `aio calibrate` and `aio reproduce` have measured, together.
#ifndef AIO_PAGES_REPORT_DATA_H_
#define AIO_PAGES_REPORT_DATA_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aio {

// A file's text as a command printed it with --json.
struct ReportPart {
  std::string kind;  // of ReportPartKinds()
  std::string path;
  std::string text;
};

struct ReportPartKind {
  std::string_view name;                   // "mixed"
  std::string_view command;                // that writes it: "aio bench mixed --json"
  std::vector<std::string_view> required;  // keys
};
const std::vector<ReportPartKind>& ReportPartKinds();

struct ReportOptions {
  std::string title = "A-IO evaluation";
  std::string date;                                              // "2026-11-29"
  std::vector<std::pair<std::string, std::string>> environment;  // name and value, as shown
  // Request records of `aio bench mixed --records` for a timeline; an empty path: none.
  std::string records_path;
  std::string records;
  std::string timeline_of;  // the configuration shown; empty: the first that routed
};

// One JSON object: title, date, environment, parts (kind, path, SHA-256, command), each part under
// its kind, and "timeline". kInvalidArgument names the file, the key that it lacks and the command
// that writes such a file. Several files of "eval" or "mixed" are shown together; of the others
// there may be one.
Result<std::string> ReportJson(const std::vector<ReportPart>& parts, const ReportOptions& options);

// The same as one HTML file that needs no network, and as Markdown. `json` is ReportJson()'s.
std::string ReportPage(std::string_view json);
std::string ReportMarkdown(std::string_view json);

}  // namespace aio

#endif  // AIO_PAGES_REPORT_DATA_H_
