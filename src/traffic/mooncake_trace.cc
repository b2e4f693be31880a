#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "traffic/trace_parts.h"

namespace aio {
namespace {

using Json = nlohmann::json;

constexpr int64_t kTimestampMax = int64_t{1} << 43;  // ms: three hundred years

Result<int64_t> GetInteger(const Json& object, const char* key, int64_t max) {
  const auto it = object.find(key);
  // Times are written with a fraction at times; it is below a millisecond.
  const bool number = it != object.end() && it->is_number();
  const double value = number ? it->get<double>() : -1;
  if (value >= 0 && value <= static_cast<double>(max)) return static_cast<int64_t>(value);
  return InvalidArgument(fmt::format("field '{}' must be a number from 0 to {}", key, max));
}

Result<std::vector<int64_t>> GetBlocks(const Json& object) {
  std::vector<int64_t> blocks;
  const auto it = object.find("hash_ids");
  if (it == object.end()) return blocks;
  const auto fault = [] {
    return InvalidArgument("field 'hash_ids' must be an array of integers");
  };
  if (!it->is_array()) return fault();
  blocks.reserve(it->size());
  for (const Json& id : *it) {
    if (!id.is_number_integer()) return fault();
    blocks.push_back(id.get<int64_t>());
  }
  return blocks;
}

Result<TraceRequest> ReadLine(std::string_view line) {
  const Json object = Json::parse(line, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return InvalidArgument("not a JSON object");
  AIO_ASSIGN_OR_RETURN(const int64_t ms, GetInteger(object, "timestamp", kTimestampMax));
  AIO_ASSIGN_OR_RETURN(const int64_t input, GetInteger(object, "input_length", kTraceTokensMax));
  AIO_ASSIGN_OR_RETURN(const int64_t output, GetInteger(object, "output_length", kTraceTokensMax));
  TraceRequest request;
  request.arrival = std::chrono::milliseconds(ms);
  request.prompt_tokens = static_cast<int>(input);
  request.output_tokens = static_cast<int>(output);
  AIO_ASSIGN_OR_RETURN(request.blocks, GetBlocks(object));
  return request;
}

}  // namespace

Result<std::vector<TraceRequest>> ParseMooncakeTrace(std::string_view text,
                                                     const std::string& source) {
  std::vector<TraceRequest> requests;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<TraceRequest> request = ReadLine(line);
    if (!request.ok()) {
      return request.status().WithContext(fmt::format("{}: line {}", source, number));
    }
    requests.push_back(*std::move(request));
  }
  return requests;
}

}  // namespace aio
