#include "jinja/python_text.h"

#include <clocale>
#include <cwctype>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>

#include "base/utf8.h"

namespace aio {
namespace {

bool IsSpace(char32_t c) {
  if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20);
  constexpr std::array<char32_t, 9> kOthers = {0x85,   0xA0,   0x1680, 0x2028, 0x2029,
                                               0x202F, 0x205F, 0x3000, 0};
  if (c >= 0x2000 && c <= 0x200A) return true;
  return std::find(kOthers.begin(), kOthers.end(), c) != kOthers.end();
}

// Unicode's classes and simple case mappings, whatever the program's own locale; null where the
// system lacks it: then ASCII's alone.
locale_t UnicodeLocale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

char32_t ToUpper(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  const locale_t locale = UnicodeLocale();
  return locale == nullptr ? c : static_cast<char32_t>(towupper_l(static_cast<wint_t>(c), locale));
}
char32_t ToLower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  const locale_t locale = UnicodeLocale();
  return locale == nullptr ? c : static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), locale));
}
bool IsAlpha(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const locale_t locale = UnicodeLocale();
  return locale != nullptr && iswalpha_l(static_cast<wint_t>(c), locale) != 0;
}
bool IsDigit(char32_t c) { return c >= '0' && c <= '9'; }

bool IsOf(char32_t c, CharClass char_class) {
  switch (char_class) {
    case CharClass::kAlpha:
      return IsAlpha(c);
    case CharClass::kDigit:
      return IsDigit(c);
    case CharClass::kAlphaOrDigit:
      return IsAlpha(c) || IsDigit(c);
    case CharClass::kSpace:
      return IsSpace(c);
    case CharClass::kLower:
      return ToLower(c) == c;
    case CharClass::kUpper:
      return ToUpper(c) == c;
  }
  return false;
}

// What `map` makes of each character, told its own and the one before (0: none).
template <typename Map>
MarkedText MapChars(const MarkedText& text, Map map) {
  MarkedText mapped;
  char32_t before = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = DecodeUtf8(std::string_view(text.bytes()).substr(at));
    if (step.valid) {
      std::string bytes;
      AppendUtf8(map(step.code_point, before), bytes);
      mapped.Append(bytes, text.is_data(at));
      before = step.code_point;
    } else {
      mapped.AppendPart(text, at, step.length);
      before = 0xFFFD;
    }
    at += step.length;
  }
  return mapped;
}

// Of characters, as CharLength() tells them apart.
class CharSet {
 public:
  explicit CharSet(std::string_view chars) {
    for (size_t at = 0; at < chars.size();) {
      const size_t length = CharLength(chars, at);
      if (length == 1) {
        bytes_.set(static_cast<unsigned char>(chars[at]));
      } else {
        others_.push_back(DecodeUtf8(chars.substr(at)).code_point);
      }
      at += length;
    }
    std::sort(others_.begin(), others_.end());
  }

  bool Has(std::string_view character) const {
    if (character.size() == 1) return bytes_.test(static_cast<unsigned char>(character[0]));
    return std::binary_search(others_.begin(), others_.end(), DecodeUtf8(character).code_point);
  }

 private:
  std::bitset<256> bytes_;
  std::vector<char32_t> others_;
};

// Tells `visit` where the parts begin and how long they are.
template <typename Visit>
void VisitBySpaces(std::string_view bytes, int64_t splits_max, Visit visit) {
  int64_t parts = 0;
  for (size_t at = 0; at < bytes.size(); ++parts) {
    while (const size_t space = SpaceLength(bytes, at)) at += space;
    if (at == bytes.size()) return;
    if (splits_max >= 0 && parts == splits_max) return visit(at, bytes.size() - at);
    size_t end = at;
    while (end < bytes.size() && SpaceLength(bytes, end) == 0) end += CharLength(bytes, end);
    visit(at, end - at);
    at = end;
  }
}

template <typename Visit>
void VisitLines(std::string_view bytes, Visit visit) {
  size_t begin = 0;
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Step step = DecodeUtf8(bytes.substr(at));
    const char32_t c = step.valid ? step.code_point : 0;
    const bool ends =
        (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
    if (!ends) {
      at += step.length;
      continue;
    }
    visit(begin, at - begin);
    at += bytes.substr(at, 2) == "\r\n" ? 2 : step.length;
    begin = at;
  }
  if (begin < bytes.size()) visit(begin, bytes.size() - begin);
}

// Where the code point ends at byte `end` > 0 begins.
size_t CharBefore(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && end - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) {
    --begin;
  }
  return begin + CharLength(text, begin) == end ? begin : end - 1;
}

std::vector<MarkedText> PartsBetween(const MarkedText& text, const std::vector<size_t>& cuts,
                                     size_t separator_size) {
  std::vector<MarkedText> parts;
  parts.reserve(cuts.size() + 1);
  size_t begin = 0;
  for (const size_t cut : cuts) {
    parts.push_back(text.Part(begin, cut - begin));
    begin = cut + separator_size;
  }
  parts.push_back(text.Part(begin));
  return parts;
}

}  // namespace

size_t CharLength(std::string_view text, size_t at) {
  if (static_cast<unsigned char>(text[at]) < 0x80) return 1;
  const Utf8Step step = DecodeUtf8(text.substr(at));
  return step.valid ? step.length : 1;
}

size_t SpaceLength(std::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  const Utf8Step step = DecodeUtf8(text.substr(at));
  return step.valid && IsSpace(step.code_point) ? step.length : 0;
}

std::vector<size_t> CharOffsets(std::string_view text) {
  std::vector<size_t> offsets;
  offsets.reserve(text.size() + 1);
  for (size_t at = 0; at < text.size(); at += CharLength(text, at)) offsets.push_back(at);
  offsets.push_back(text.size());
  return offsets;
}

size_t CountChars(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += CharLength(text, at)) ++count;
  return count;
}

size_t CharOffset(std::string_view text, size_t number) {
  size_t at = 0;
  for (; number > 0 && at < text.size(); --number) at += CharLength(text, at);
  return at;
}

size_t FindPart(std::string_view text, std::string_view part, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (part.empty()) return from;
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t RightFindPart(std::string_view text, std::string_view part) {
  constexpr size_t kShort = 16;
  if (part.size() <= kShort) return text.rfind(part);
  const std::string back(text.rbegin(), text.rend());
  const size_t found = FindPart(back, std::string(part.rbegin(), part.rend()));
  return found == std::string::npos ? found : text.size() - found - part.size();
}

size_t CountParts(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = FindPart(text, part); at != std::string_view::npos; ++count) {
    at = FindPart(text, part, at + part.size());
  }
  return count;
}

MarkedText Strip(const MarkedText& text, StripSide side, const std::optional<std::string>& chars) {
  const std::string_view bytes = text.bytes();
  const CharSet set(chars ? std::string_view(*chars) : std::string_view());
  const auto goes = [&](size_t at, size_t length) {
    return chars ? set.Has(bytes.substr(at, length)) : SpaceLength(bytes, at) == length;
  };
  size_t begin = 0;
  size_t end = bytes.size();
  while (side != StripSide::kRight && begin < end) {
    const size_t length = CharLength(bytes, begin);
    if (!goes(begin, length)) break;
    begin += length;
  }
  while (side != StripSide::kLeft && end > begin) {
    const size_t last = CharBefore(bytes, end);
    if (!goes(last, end - last)) break;
    end = last;
  }
  return text.Part(begin, end - begin);
}

std::vector<MarkedText> Split(const MarkedText& text, std::string_view separator,
                              int64_t splits_max, bool from_right) {
  const std::string_view bytes = text.bytes();
  std::vector<size_t> cuts;
  const auto cut = [&](std::string_view whole, std::string_view part) {
    for (size_t at = 0; splits_max < 0 || static_cast<int64_t>(cuts.size()) < splits_max;) {
      at = FindPart(whole, part, at);
      if (at == std::string_view::npos) break;
      cuts.push_back(at);
      at += part.size();
    }
  };
  if (!from_right) {
    cut(bytes, separator);
    return PartsBetween(text, cuts, separator.size());
  }
  cut(std::string(bytes.rbegin(), bytes.rend()), std::string(separator.rbegin(), separator.rend()));
  std::reverse(cuts.begin(), cuts.end());
  for (size_t& each : cuts) each = bytes.size() - each - separator.size();
  return PartsBetween(text, cuts, separator.size());
}

std::vector<MarkedText> SplitSpaces(const MarkedText& text, int64_t splits_max) {
  std::vector<MarkedText> parts;
  VisitBySpaces(text.bytes(), splits_max,
                [&](size_t begin, size_t size) { parts.push_back(text.Part(begin, size)); });
  return parts;
}

size_t CountBySpaces(std::string_view text, int64_t splits_max) {
  size_t count = 0;
  VisitBySpaces(text, splits_max, [&count](size_t /*begin*/, size_t /*size*/) { ++count; });
  return count;
}

std::vector<MarkedText> SplitLines(const MarkedText& text) {
  std::vector<MarkedText> lines;
  VisitLines(text.bytes(),
             [&](size_t begin, size_t size) { lines.push_back(text.Part(begin, size)); });
  return lines;
}

size_t CountLines(std::string_view text) {
  size_t count = 0;
  VisitLines(text, [&count](size_t /*begin*/, size_t /*size*/) { ++count; });
  return count;
}

MarkedText Replace(const MarkedText& text, std::string_view from, const MarkedText& to,
                   int64_t count) {
  const std::string_view bytes = text.bytes();
  MarkedText replaced;
  size_t at = 0;
  for (; count != 0; --count) {
    const size_t found = FindPart(bytes, from, at);
    if (found == std::string_view::npos) break;
    replaced.AppendPart(text, at, found - at);
    replaced.Append(to);
    at = found + from.size();
    if (!from.empty()) continue;
    if (at == bytes.size()) return replaced;
    const size_t length = CharLength(bytes, at);
    replaced.AppendPart(text, at, length);
    at += length;
  }
  if (at < bytes.size()) replaced.AppendPart(text, at, bytes.size() - at);
  return replaced;
}

MarkedText Upper(const MarkedText& text) {
  return MapChars(text, [](char32_t c, char32_t /*before*/) { return ToUpper(c); });
}

MarkedText Lower(const MarkedText& text) {
  return MapChars(text, [](char32_t c, char32_t /*before*/) { return ToLower(c); });
}

MarkedText Capitalize(const MarkedText& text) {
  return MapChars(
      text, [](char32_t c, char32_t before) { return before == 0 ? ToUpper(c) : ToLower(c); });
}

MarkedText Title(const MarkedText& text, TitleRule rule) {
  const auto begins_word = [rule](char32_t before) {
    if (rule == TitleRule::kMethod) return !IsAlpha(before);
    return before == 0 || IsSpace(before) || before == '-' || before == '(' || before == '{' ||
           before == '[' || before == '<';
  };
  return MapChars(text, [&](char32_t c, char32_t before) {
    return begins_word(before) ? ToUpper(c) : ToLower(c);
  });
}

bool AllAre(std::string_view text, CharClass char_class) {
  const bool is_case = char_class == CharClass::kLower || char_class == CharClass::kUpper;
  bool any = false;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = DecodeUtf8(text.substr(at));
    if (!step.valid || !IsOf(step.code_point, char_class)) return false;
    const char32_t c = step.code_point;
    any = any || !is_case || ToUpper(c) != c || ToLower(c) != c;
    at += step.length;
  }
  return any;
}

}  // namespace aio
