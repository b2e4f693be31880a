#include "grammar/char_classes.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace aio {

std::optional<CodePointSet> ClassEscape(char letter) {
  static const CodePointSet kDigits = {{'0', '9'}};
  static const CodePointSet kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  static const CodePointSet kSpace = {
      {'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
      {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  switch (letter) {
    case 'd':
      return kDigits;
    case 'D':
      return kDigits.Complement();
    case 'w':
      return kWord;
    case 'W':
      return kWord.Complement();
    case 's':
      return kSpace;
    case 'S':
      return kSpace.Complement();
    default:
      return std::nullopt;
  }
}

ExprId JsonStringChars(GrammarBuilder& builder, const CodePointSet& set) {
  static const CodePointSet kEscaped = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
  std::vector<ExprId> choices = {builder.Chars(set.Minus(kEscaped))};
  for (const auto& [first, last] : kEscaped.ranges()) {
    for (char32_t c = first; c <= last; ++c) {
      if (!set.Contains(c)) continue;
      constexpr std::string_view kLetters = "\"\\bfnrt";
      constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
      const size_t at = kMeanings.find(static_cast<char>(c));
      choices.push_back(builder.Bytes(at != std::string_view::npos
                                          ? fmt::format("\\{}", kLetters[at])
                                          : fmt::format("\\u{:04x}", static_cast<uint32_t>(c))));
    }
  }
  return builder.Choice(std::move(choices));
}

}  // namespace aio
