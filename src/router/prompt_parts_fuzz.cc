// Prompts come from anyone: no text may crash the looks at its form, or grow in its parts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "router/prompt_parts.h"
#include "router/text_doubts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t bytes = 0;
  for (const aio::PromptPart& part : aio::PromptParts(text)) bytes += part.text.size();
  // Each line is in at most the prose, a paragraph and a question, with a line's end or two.
  if (bytes > 6 * size) std::abort();
  for (const std::string& doubt : aio::TextDoubts(text)) {
    if (doubt.empty() || doubt.size() > 40) std::abort();
  }
  return 0;
}
