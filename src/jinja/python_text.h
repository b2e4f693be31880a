// Python's methods of str on marked texts, and how it writes values. Internal to jinja/.
//
// Positions and lengths that a template sees count code points. Ill-formed UTF-8 counts a byte as
// one.
#ifndef AIO_JINJA_PYTHON_TEXT_H_
#define AIO_JINJA_PYTHON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/marked_text.h"
#include "jinja/value.h"

namespace aio {

// Bytes of the code point that begins at `at` < text.size().
size_t CharLength(std::string_view text, size_t at);
// Bytes of the whitespace character (str.isspace) that begins at `at`; 0: there is none.
size_t SpaceLength(std::string_view text, size_t at);
// Byte offsets of all code points, and the end.
std::vector<size_t> CharOffsets(std::string_view text);
size_t CountChars(std::string_view text);
// Of the code point of that number; text.size() beyond them.
size_t CharOffset(std::string_view text, size_t number);

// std::string_view's find() and rfind(), in time that grows with text.size() + part.size() and not
// with their product. npos: there is none.
size_t FindPart(std::string_view text, std::string_view part, size_t from = 0);
size_t RightFindPart(std::string_view text, std::string_view part);
// How often `part`, which is not empty, is in `text` without overlaps.
size_t CountParts(std::string_view text, std::string_view part);

// `chars`: what is taken off, any of its characters; absent: whitespace.
enum class StripSide { kLeft, kRight, kBoth };
MarkedText Strip(const MarkedText& text, StripSide side,
                 const std::optional<std::string>& chars = std::nullopt);

// What follows takes memory for each part; the counts are of what it would make.
//
// At most `splits_max` times (< 0: as often as can be), from the left or from the right.
std::vector<MarkedText> Split(const MarkedText& text, std::string_view separator,
                              int64_t splits_max, bool from_right);
// At runs of whitespace; none of the results is empty.
std::vector<MarkedText> SplitSpaces(const MarkedText& text, int64_t splits_max);
size_t CountBySpaces(std::string_view text, int64_t splits_max);
std::vector<MarkedText> SplitLines(const MarkedText& text);
size_t CountLines(std::string_view text);

// At most `count` times (< 0: all); an empty `from` stands before every character and at the end.
MarkedText Replace(const MarkedText& text, std::string_view from, const MarkedText& to,
                   int64_t count);

// Simple case mappings alone: one character becomes one (so not "ß" to "SS").
MarkedText Upper(const MarkedText& text);
MarkedText Lower(const MarkedText& text);
MarkedText Capitalize(const MarkedText& text);
enum class TitleRule { kMethod, kFilter };  // str.title(), or the filter of that name
MarkedText Title(const MarkedText& text, TitleRule rule);

// str.isalpha() and the like: there is a character, and all are of the class.
enum class CharClass { kAlpha, kDigit, kAlphaOrDigit, kSpace, kLower, kUpper };
bool AllAre(std::string_view text, CharClass char_class);

// As str() and repr() write them; what is none of a text's own characters is data where `value` is
// a list or a dict.
MarkedText PythonStr(const JinjaValue& value);
MarkedText PythonRepr(const JinjaValue& value);
std::string FloatRepr(double value);

}  // namespace aio

#endif  // AIO_JINJA_PYTHON_TEXT_H_
