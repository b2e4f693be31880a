// What a server sends is anyone's: nothing of it may crash the client.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "remote/answer_chunk.h"
#include "remote/sse_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  aio::SseReader reader;
  reader.Feed(text, [](std::string_view event) {
    const auto chunk = aio::ParseAnswerChunk(event);
    if (chunk.ok() && chunk->usage && chunk->usage->completion_tokens < 0) std::abort();
  });
  if (aio::StatusOfResponse(500, text).ok()) std::abort();
  return 0;
}
