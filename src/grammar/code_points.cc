#include "grammar/code_points.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/utf8.h"

namespace aio {

namespace {

constexpr char32_t kLast = 0x10FFFF;
constexpr char32_t kSurrogateFirst = 0xD800;
constexpr char32_t kSurrogateLast = 0xDFFF;

std::vector<ByteRange> Between(std::string_view first, std::string_view last) {
  std::vector<ByteRange> bytes(first.size());
  for (size_t i = 0; i < first.size(); ++i) {
    bytes[i] = {static_cast<uint8_t>(first[i]), static_cast<uint8_t>(last[i])};
  }
  return bytes;
}

// Splits first..last, whose encodings have equal lengths, until each piece is a product.
void Split(char32_t first, char32_t last, std::vector<std::vector<ByteRange>>& out) {
  std::string a;
  std::string b;
  AppendUtf8(first, a);
  AppendUtf8(last, b);
  for (size_t i = 1; i < a.size(); ++i) {
    // The low bits that the last i bytes hold.
    const char32_t low = (char32_t{1} << (6 * i)) - 1;
    if ((first & ~low) == (last & ~low)) continue;
    if ((first & low) != 0) {
      Split(first, first | low, out);
      return Split((first | low) + 1, last, out);
    }
    if ((last & low) != low) {
      Split(first, (last & ~low) - 1, out);
      return Split(last & ~low, last, out);
    }
  }
  out.push_back(Between(a, b));
}

}  // namespace

CodePointSet::CodePointSet(std::initializer_list<Range> ranges) {
  for (const auto& [first, last] : ranges) Add(first, last);
}

CodePointSet CodePointSet::All() { return {{0, kLast}}; }

CodePointSet CodePointSet::Of(std::string_view characters) {
  CodePointSet set;
  while (!characters.empty()) {
    const Utf8Step step = DecodeUtf8(characters);
    set.Add(step.code_point, step.code_point);
    characters.remove_prefix(step.length);
  }
  return set;
}

void CodePointSet::Add(char32_t first, char32_t last) {
  if (first < kSurrogateFirst && last > kSurrogateLast) {
    Add(first, kSurrogateFirst - 1);
    first = kSurrogateLast + 1;
  }
  if (first >= kSurrogateFirst && first <= kSurrogateLast) first = kSurrogateLast + 1;
  if (last >= kSurrogateFirst && last <= kSurrogateLast) last = kSurrogateFirst - 1;
  last = std::min(last, kLast);
  if (first > last) return;
  // What touches or overlaps the new range becomes part of it.
  auto begin =
      std::lower_bound(ranges_.begin(), ranges_.end(), first,
                       [](const Range& range, char32_t at) { return range.second + 1 < at; });
  auto end = begin;
  for (; end != ranges_.end() && end->first <= last + 1; ++end) {
    first = std::min(first, end->first);
    last = std::max(last, end->second);
  }
  ranges_.insert(ranges_.erase(begin, end), {first, last});
}

void CodePointSet::Add(const CodePointSet& other) {
  for (const auto& [first, last] : other.ranges_) Add(first, last);
}

CodePointSet CodePointSet::Complement() const {
  CodePointSet rest;
  char32_t next = 0;
  for (const auto& [first, last] : ranges_) {
    if (first > next) rest.Add(next, first - 1);
    next = last + 1;
  }
  if (next <= kLast) rest.Add(next, kLast);
  return rest;
}

CodePointSet CodePointSet::Minus(const CodePointSet& other) const {
  CodePointSet result = Complement();
  result.Add(other);
  return result.Complement();
}

bool CodePointSet::Contains(char32_t code_point) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [code_point](const Range& range) {
    return range.first <= code_point && code_point <= range.second;
  });
}

std::vector<std::vector<ByteRange>> Utf8Ranges(char32_t first, char32_t last) {
  AIO_CHECK(first <= last && last <= kLast);
  std::vector<std::vector<ByteRange>> out;
  for (const char32_t length_max : {char32_t{0x7F}, char32_t{0x7FF}, char32_t{0xFFFF}, kLast}) {
    if (first > last) break;
    if (first > length_max) continue;
    Split(first, std::min(last, length_max), out);
    first = length_max + 1;
  }
  return out;
}

}  // namespace aio
