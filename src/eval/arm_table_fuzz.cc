// Tables of arms come from a user's or a benchmark's file: no text may crash the reader, and what
// it accepts is fit to compute with.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "eval/arm_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = aio::ParseArmTable(text, "fuzz");
  if (!table.ok()) return 0;
  for (const aio::Arm& arm : table->arms) {
    const auto speed = aio::FigureFor(arm.tokens_per_second, "humaneval", "code", {});
    if (arm.accuracy.empty() || (speed && !(*speed > 0 && std::isfinite(*speed)))) std::abort();
  }
  return 0;
}
