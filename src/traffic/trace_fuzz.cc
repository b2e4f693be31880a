// Traces are read from disk, hence from anyone: no text may crash the reader, and what it accepts
// can be replayed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "traffic/reshape_trace.h"
#include "traffic/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto trace = aio::ParseTrace(text, "fuzz");
  if (!trace.ok()) return 0;
  aio::Duration last{};
  for (const aio::TraceRequest& request : trace->requests) {
    if (request.arrival < last || request.prompt_tokens < 0 || request.output_tokens < 0) {
      std::abort();
    }
    last = request.arrival;
  }
  aio::FitLengths(*trace, {.context_length = 64});
  for (const aio::TraceRequest& request : trace->requests) {
    if (request.prompt_tokens + request.output_tokens > 64) std::abort();
  }
  return 0;
}
