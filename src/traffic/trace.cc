#include "traffic/trace.h"

#include <fmt/format.h>

#include <utility>

#include "eval/data_file.h"
#include "traffic/trace_parts.h"

namespace aio {

Result<Trace> ReadTrace(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::string text, ReadDataFile(path));
  return ParseTrace(text, path);
}

Result<Trace> ParseTrace(std::string_view text, const std::string& source) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const bool json = begin != std::string_view::npos && text[begin] == '{';
  AIO_ASSIGN_OR_RETURN(std::vector<TraceRequest> requests,
                       json ? ParseMooncakeTrace(text, source) : ParseAzureTrace(text, source));
  if (requests.empty()) return InvalidArgument(source + ": holds no request");
  for (size_t i = 1; i < requests.size(); ++i) {
    const Duration back = requests[i - 1].arrival - requests[i].arrival;
    if (back <= Duration::zero()) continue;
    return InvalidArgument(fmt::format(
        "{}: request {} comes {:.3f} s before the one ahead of it: time goes backwards; sort the "
        "trace by arrival, if that is how it was",
        source, i + 1, ToMs(back) / 1000));
  }
  const Duration start = requests.front().arrival;
  for (TraceRequest& request : requests) request.arrival -= start;
  return Trace{.source = source, .requests = std::move(requests)};
}

}  // namespace aio
