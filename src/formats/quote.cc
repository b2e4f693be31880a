#include "formats/quote.h"

#include <fmt/format.h>

#include <iterator>

#include "base/utf8.h"

namespace aio {
namespace {

// Control characters, line separators and the formatting characters that reorder or hide
// the text around them.
bool IsUnprintable(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void AppendCharacter(std::string_view bytes, const Utf8Step& step, std::string& out) {
  if (!step.valid) {
    for (const char byte : bytes) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
    }
  } else if (step.code_point == '"' || step.code_point == '\\') {
    out += '\\';
    out += bytes;
  } else if (step.code_point == '\n') {
    out += "\\n";
  } else if (step.code_point == '\t') {
    out += "\\t";
  } else if (IsUnprintable(step.code_point)) {
    fmt::format_to(std::back_inserter(out), "\\u{{{:x}}}", static_cast<uint32_t>(step.code_point));
  } else {
    out += bytes;
  }
}

}  // namespace

std::string QuoteForMessage(std::string_view text, size_t max_bytes) {
  std::string out = "\"";
  size_t pos = 0;
  while (pos < text.size()) {
    const Utf8Step step = DecodeUtf8(text.substr(pos));
    if (pos + step.length > max_bytes) break;
    AppendCharacter(text.substr(pos, step.length), step, out);
    pos += step.length;
  }
  out += pos < text.size() ? "...\"" : "\"";
  return out;
}

}  // namespace aio
