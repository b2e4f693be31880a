// Files of keys are edited by hand: no text may crash the reader, and what it accepts is written
// and read again as the same keys.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "access/keys_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = aio::ParseKeysFile(text, "fuzz.toml");
  if (!keys.ok()) {
    if (keys.status().message().empty()) std::abort();
    return 0;
  }
  const auto again = aio::ParseKeysFile(aio::FormatKeysFile(*keys), "again.toml");
  if (!again.ok() || *again != *keys) std::abort();
  return 0;
}
