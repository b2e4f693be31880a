// Head files are read from disk, hence from anyone: no text may crash the reader, and what it
// accepts can be applied and written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "router/head_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = aio::HeadFileFromToml(text, "fuzz.toml");
  if (!file.ok()) return 0;
  if (!aio::CheckProbeHead(file->head).ok()) std::abort();
  aio::LabelQuery query;
  if (!aio::AttachHead(*file, query).ok()) std::abort();
  const auto again = aio::HeadFileFromToml(aio::ToToml(*file), "again.toml");
  if (!again.ok() || again->head.weights != file->head.weights) std::abort();
  return 0;
}
