#include "base/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/utf8.h"

namespace aio {
namespace {

// May stand in a string as it is, if it is well-formed there.
bool IsPlain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }
bool IsPlainAscii(char c) { return IsPlain(c) && static_cast<unsigned char>(c) < 0x80; }

void AppendEscape(char c, std::string& text) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  constexpr char kDigits[] = "0123456789abcdef";
  text += '\\';
  if (const size_t at = kNamed.find(c); at != std::string_view::npos) {
    text += kNames[at];
  } else {
    text += "u00";
    text += kDigits[c >> 4];
    text += kDigits[c & 0xf];
  }
}

template <typename Real>
std::string_view Written(Real value, char (&digits)[64]) {
  if (!std::isfinite(value)) return "null";
  // Others have too many zeros to be read.
  const Real size = std::abs(value);
  const bool fixed = size == 0 || (size >= Real(1e-4) && size < Real(1e15));
  char* end = fixed ? std::to_chars(digits, digits + 60, value, std::chars_format::fixed).ptr
                    : std::to_chars(digits, digits + 60, value, std::chars_format::scientific).ptr;
  if (fixed && std::find(digits, end, '.') == end) {
    *end++ = '.';
    *end++ = '0';
  }
  return {digits, static_cast<size_t>(end - digits)};
}

}  // namespace

void JsonWriter::Value(std::string_view text) {
  Begin('"');
  // Most texts are this to their end.
  const auto plain = std::find_if_not(text.begin(), text.end(), IsPlainAscii) - text.begin();
  text_.append(text.substr(0, plain));
  AppendOther(text.substr(plain));
  End('"');
}

void JsonWriter::AppendOther(std::string_view text) {
  std::string well_formed;
  if (!IsValidUtf8(text)) text = well_formed = ReplaceInvalidUtf8(text);
  while (!text.empty()) {
    const auto plain = std::find_if_not(text.begin(), text.end(), IsPlain) - text.begin();
    text_.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    AppendEscape(text.front(), text_);
    text.remove_prefix(1);
  }
}

void JsonWriter::Value(float value) {
  char digits[64];
  Raw(Written(value, digits));
}

void JsonWriter::Value(double value) {
  char digits[64];
  Raw(Written(value, digits));
}

std::string JsonWriter::Take() {
  follows_value_ = false;
  return std::exchange(text_, {});
}

}  // namespace aio
