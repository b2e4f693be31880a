#include "traffic/trace.h"

#include <algorithm>
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
  std::stable_sort(
      requests.begin(), requests.end(),
      [](const TraceRequest& a, const TraceRequest& b) { return a.arrival < b.arrival; });
  const Duration start = requests.front().arrival;
  for (TraceRequest& request : requests) request.arrival -= start;
  return Trace{.source = source, .requests = std::move(requests)};
}

}  // namespace aio
