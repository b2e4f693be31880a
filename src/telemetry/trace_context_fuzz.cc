// Headers come from anyone: what is taken of them is a context that reads back as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "telemetry/trace_context.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  const std::string_view state = line == std::string_view::npos ? "" : text.substr(line + 1);
  const auto context = aio::ParseTraceContext(text.substr(0, line), state);
  if (!context) return 0;
  if (aio::ParseTraceContext(aio::FormatTraceparent(*context), context->tracestate) != context) {
    std::abort();
  }
  return 0;
}
