// Recorded traffic: when requests came and how long prompts and answers were, without their text.
//
// Two published forms are read:
//   Azure LLM inference traces (github.com/Azure/AzurePublicDataset): CSV with the header
//     TIMESTAMP,ContextTokens,GeneratedTokens and times such as 2023-11-16 18:17:03.9799600;
//   Mooncake (github.com/kvcache-ai/Mooncake): JSON lines with "timestamp" (ms), "input_length",
//     "output_length" and "hash_ids" (one a block of 512 prompt tokens: equal ids, equal blocks).
#ifndef AIO_TRAFFIC_TRACE_H_
#define AIO_TRAFFIC_TRACE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace aio {

inline constexpr int kTraceTokensMax = 100'000'000;  // of a prompt or an answer
// Of Mooncake's hash_ids. Scaled lengths scale it too.
inline constexpr int kTraceBlockTokens = 512;

struct TraceRequest {
  Duration arrival{};  // since the trace's first request; >= 0
  int prompt_tokens = 0;
  int output_tokens = 0;
  std::vector<int64_t> blocks = {};  // hash_ids; empty: not known
};

struct Trace {
  std::string source;                  // the file
  std::vector<TraceRequest> requests;  // in order of arrival; not empty
  double length_scale = 1;             // that lengths were multiplied by (reshape_trace.h)

  Duration length() const { return requests.back().arrival; }
};

// By what the file looks like: a first line that begins with '{' is Mooncake's. Errors name file,
// line and field. A trace whose time goes backwards is refused: it is damaged, or two in one.
Result<Trace> ReadTrace(const std::string& path);
Result<Trace> ParseTrace(std::string_view text, const std::string& source);

}  // namespace aio

#endif  // AIO_TRAFFIC_TRACE_H_
