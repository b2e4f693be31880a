// The two forms of traces. Internal to traffic/.
#ifndef AIO_TRAFFIC_TRACE_PARTS_H_
#define AIO_TRAFFIC_TRACE_PARTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "traffic/trace.h"

namespace aio {

// Requests as the file has them: arrivals are since any time, in any order.
Result<std::vector<TraceRequest>> ParseAzureTrace(std::string_view text, const std::string& source);
Result<std::vector<TraceRequest>> ParseMooncakeTrace(std::string_view text,
                                                     const std::string& source);

}  // namespace aio

#endif  // AIO_TRAFFIC_TRACE_PARTS_H_
