// Records files may be torn anywhere: no line crashes the reader, and what it accepts is written
// and read again as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tasks/record_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  aio::RecordFile::Parse(text);
  const auto record = aio::RunRecordFromJson(text);
  if (!record.ok()) return 0;
  const std::string written = aio::RunRecordToJson(*record);
  const auto again = aio::RunRecordFromJson(written);
  if (!again.ok() || aio::RunRecordToJson(*again) != written) std::abort();
  return 0;
}
