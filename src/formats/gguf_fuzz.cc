// Any bytes: a file or an error, and of a file every part can be read.
#include <cstddef>
#include <cstdint>
#include <span>

#include "formats/gguf.h"
#include "formats/gguf_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = aio::GgufFile::Parse(bytes, "input.gguf");
  if (!file.ok()) {
    AIO_CHECK(!file.status().message().empty(), "an error says something");
    return 0;
  }
  AIO_CHECK(aio::TouchGguf(**file) != 0, "a parsed file has a version");
  return 0;
}
