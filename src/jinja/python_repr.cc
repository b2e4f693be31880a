// How Python writes values: str() and repr().
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "jinja/python_text.h"

namespace aio {
namespace {

// Of the characters that are written as they are, all but those that nobody would see.
bool IsPrintable(char32_t c) {
  if (c < 0x20 || c == 0x7F) return false;
  if (c < 0x80) return true;
  if (c <= 0xA0 || c == 0xAD) return false;
  const bool invisible = (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
                         (c >= 0x205F && c <= 0x206F) || c == 0x3000 || c == 0x1680 || c == 0xFEFF;
  const bool private_or_none =
      (c >= 0xE000 && c <= 0xF8FF) || (c & 0xFFFE) == 0xFFFE || c > 0xE0000;
  return !invisible && !private_or_none;
}

std::string Escaped(char32_t c) {
  const auto number = static_cast<uint32_t>(c);
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c < 0x100) return fmt::format("\\x{:02x}", number);
  return c < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

MarkedText TextRepr(const MarkedText& text) {
  const std::string_view bytes = text.bytes();
  const bool has_single = bytes.find('\'') != std::string_view::npos;
  const bool has_double = bytes.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  MarkedText repr(std::string(1, quote), true);
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Step step = DecodeUtf8(bytes.substr(at));
    const char32_t c = step.code_point;
    if (!step.valid) {
      repr.Append("\xEF\xBF\xBD", text.is_data(at));
    } else if (c == '\\' || c == static_cast<char32_t>(quote)) {
      repr.Append("\\", true);
      repr.AppendPart(text, at, 1);
    } else if (IsPrintable(c)) {
      repr.AppendPart(text, at, step.length);
    } else {
      repr.Append(Escaped(c), text.is_data(at));
    }
    at += step.length;
  }
  repr.Append({&quote, 1}, true);
  return repr;
}

MarkedText ListRepr(const JinjaList& list) {
  if (list.sequence == JinjaValue::Sequence::kGenerator) return {"<generator object>", true};
  const bool is_tuple = list.sequence == JinjaValue::Sequence::kTuple;
  MarkedText repr(is_tuple ? "(" : "[", true);
  for (size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) repr.Append(", ", true);
    repr.Append(PythonRepr(list.items[i]));
  }
  if (is_tuple && list.items.size() == 1) repr.Append(",", true);
  repr.Append(is_tuple ? ")" : "]", true);
  return repr;
}

MarkedText DictRepr(const JinjaDict& dict) {
  MarkedText repr("{", true);
  for (const auto& [key, member] : dict.members) {
    if (repr.size() > 1) repr.Append(", ", true);
    repr.Append(PythonRepr(key));
    repr.Append(": ", true);
    repr.Append(PythonRepr(member));
  }
  repr.Append("}", true);
  return repr;
}

}  // namespace

MarkedText PythonStr(const JinjaValue& value) {
  if (value.is_undefined()) return {};
  return value.is_text() ? value.text() : PythonRepr(value);
}

MarkedText PythonRepr(const JinjaValue& value) {
  using Kind = JinjaValue::Kind;
  switch (value.kind()) {
    case Kind::kUndefined:
      return {"Undefined", false};
    case Kind::kNone:
      return {"None", false};
    case Kind::kBool:
      return {value.integer() != 0 ? "True" : "False", false};
    case Kind::kInt:
      return {std::to_string(value.integer()), false};
    case Kind::kFloat:
      return {FloatRepr(value.number()), false};
    case Kind::kText:
      return TextRepr(value.text());
    case Kind::kList:
      return ListRepr(value.list());
    case Kind::kDict:
      return DictRepr(value.dict());
    case Kind::kObject:
      return {fmt::format("<{}>", value.TypeName()), true};
  }
  return {};
}

// The shortest digits that read back as the same number; in scientific notation below 1e-4 and
// from 1e16.
std::string FloatRepr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 512> buffer;
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), end.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

}  // namespace aio
