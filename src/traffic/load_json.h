// Records and summaries as JSON, for files and machines (docs/traffic.md).
#ifndef AIO_TRAFFIC_LOAD_JSON_H_
#define AIO_TRAFFIC_LOAD_JSON_H_

#include <string>
#include <utility>
#include <vector>

#include "traffic/load_record.h"
#include "traffic/load_summary.h"

namespace aio {

// What a record is about, beside itself; written first, in this order.
using RecordTags = std::vector<std::pair<std::string, std::string>>;

// One line, without its end. Times in ms since the run began.
std::string RecordLine(const LoadRecord& record, const RecordTags& tags = {});

// An object, of two spaces' indent if `pretty`.
std::string SummaryJson(const LoadSummary& summary, bool pretty = false);

}  // namespace aio

#endif  // AIO_TRAFFIC_LOAD_JSON_H_
