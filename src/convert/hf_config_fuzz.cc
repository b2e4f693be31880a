// Any JSON as config.json: a shape or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "convert/hf_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = aio::ParseJsonObject(text, "config.json");
  if (!json.ok()) return 0;
  const auto config = aio::ReadHfConfig(aio::JsonObject(*json, "config.json"));
  if (!config.ok()) {
    AIO_CHECK(config.status().message().starts_with("config.json: "), "an error names the file");
    return 0;
  }
  AIO_CHECK(config->num_layers > 0 && config->head_size > 0 &&
            config->num_heads % config->num_kv_heads == 0);
  aio::GgufWriter header;
  aio::WriteHfConfig(*config, header);
  AIO_CHECK(!header.Encode().empty());
  return 0;
}
