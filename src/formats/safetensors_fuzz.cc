// Any bytes: a file or an error, and of a file every part can be read.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = aio::SafetensorsFile::Parse(bytes, "input.safetensors");
  if (!file.ok()) {
    AIO_CHECK(file.status().message().starts_with("input.safetensors: "),
              "an error names the file");
    return 0;
  }
  uint64_t digest = 0;
  uint64_t total = 0;
  for (const aio::SafetensorsTensor& tensor : (*file)->tensors()) {
    AIO_CHECK((*file)->FindTensor(tensor.name) == &tensor, "every tensor is found by its name");
    for (const std::byte byte : tensor.data) digest += std::to_integer<uint64_t>(byte);
    total += tensor.data.size();
  }
  AIO_CHECK(total <= size && digest <= total * 255, "tensors do not overlap");
  return 0;
}
