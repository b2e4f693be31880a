// What a collector answers is anyone's: nothing of it may crash who sent it traces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "telemetry/otlp_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (aio::ParseTracesResponse(text).rejected_spans < 0) std::abort();
  return 0;
}
