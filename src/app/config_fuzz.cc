// Configuration files are read from disk, hence from anyone: no text may crash the reader, and
// one that was accepted names a policy and both models.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = aio::ParseConfig(text, "fuzz.toml");
  if (config.ok() ? config->models.size() != 2 : config.status().message().empty()) std::abort();
  return 0;
}
