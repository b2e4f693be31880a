#include "jinja/string_literal.h"

#include <cstddef>
#include <cstdint>

#include "base/utf8.h"

namespace aio {
namespace {

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

struct Number {
  uint32_t value = 0;
  size_t digits = 0;
};
Number ReadDigits(std::string_view text, int base, size_t digits_max) {
  Number number;
  while (number.digits < digits_max && number.digits < text.size() &&
         DigitValue(text[number.digits]) < base) {
    number.value = number.value * static_cast<uint32_t>(base) +
                   static_cast<uint32_t>(DigitValue(text[number.digits]));
    ++number.digits;
  }
  return number;
}

void AppendCodePoint(uint32_t code_point, std::string& out) {
  const bool is_none = code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF);
  AppendUtf8(is_none ? char32_t{0xFFFD} : static_cast<char32_t>(code_point), out);
}

// The escape after a backslash at the start of `text`; returns its bytes, 0 for one not known.
size_t AppendEscape(std::string_view text, std::string& out) {
  constexpr std::string_view kNames = "\\'\"abfnrtv\n";
  constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";
  const char c = text[0];
  if (const size_t name = kNames.find(c); name != std::string_view::npos) {
    if (c != '\n') out += kValues[name];  // an escaped line break is none
    return 1;
  }
  if (DigitValue(c) < 8) {
    const Number number = ReadDigits(text, 8, 3);
    AppendCodePoint(number.value, out);
    return number.digits;
  }
  const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits == 0) return 0;
  const Number number = ReadDigits(text.substr(1), 16, digits);
  if (number.digits != digits) return 0;
  AppendCodePoint(number.value, out);
  return 1 + digits;
}

}  // namespace

std::string ResolveEscapes(std::string_view literal) {
  std::string text;
  text.reserve(literal.size());
  for (size_t i = 0; i < literal.size();) {
    if (literal[i] != '\\' || i + 1 == literal.size()) {
      text += literal[i++];
      continue;
    }
    const size_t length = AppendEscape(literal.substr(i + 1), text);
    if (length == 0) text += '\\';
    i += 1 + length;
  }
  return text;
}

}  // namespace aio
