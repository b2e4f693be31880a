// A log is a file, hence from anyone: no text may crash the reader, and what it accepts is written
// and read again as it is, and can be decided from.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "decisions/signals_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto signals = aio::SignalsFromJson(text);
  if (signals.ok()) {
    const std::string written = aio::SignalsToJson(*signals);
    const auto again = aio::SignalsFromJson(written);
    if (!again.ok() || aio::SignalsToJson(*again) != written) std::abort();
    static const aio::RoutingPolicy policy = aio::RoutingPolicy::Paper();
    if (policy.Decide(*signals).reason != policy.Decide(*again).reason) std::abort();
  }
  (void)aio::StrategyFromJson(text).ok();
  return 0;
}
