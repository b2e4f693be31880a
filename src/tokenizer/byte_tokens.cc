#include "tokenizer/byte_tokens.h"

#include <fmt/format.h>

#include <charconv>

namespace aio {

std::string UnescapeSpaces(std::string_view piece) {
  std::string out;
  while (!piece.empty()) {
    const size_t mark = piece.find(kSpaceMark);
    out.append(piece.substr(0, mark));
    if (mark == std::string_view::npos) break;
    out.push_back(' ');
    piece.remove_prefix(mark + kSpaceMark.size());
  }
  return out;
}

std::optional<uint8_t> ByteOfToken(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') return std::nullopt;
  uint8_t byte = 0;
  const char* digits = piece.data() + 3;
  const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
  if (error != std::errc() || end != digits + 2) return std::nullopt;
  return byte;
}

std::string ByteToken(uint8_t byte) { return fmt::format("<0x{:02X}>", byte); }

}  // namespace aio
