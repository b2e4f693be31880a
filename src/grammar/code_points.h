// Sets of Unicode code points, and their UTF-8 as ranges of bytes.
#ifndef AIO_GRAMMAR_CODE_POINTS_H_
#define AIO_GRAMMAR_CODE_POINTS_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace aio {

// A value. Surrogates are never members: UTF-8 has none.
class CodePointSet {
 public:
  using Range = std::pair<char32_t, char32_t>;  // both ends belong to it

  CodePointSet() = default;
  CodePointSet(std::initializer_list<Range> ranges);
  static CodePointSet All();
  // Of the characters of a valid UTF-8 text.
  static CodePointSet Of(std::string_view characters);

  void Add(char32_t first, char32_t last);
  void Add(const CodePointSet& other);
  CodePointSet Complement() const;
  CodePointSet Minus(const CodePointSet& other) const;

  bool Contains(char32_t code_point) const;
  bool empty() const { return ranges_.empty(); }
  // Sorted, apart from one another.
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

struct ByteRange {
  uint8_t first;
  uint8_t last;
};

// The UTF-8 sequences of first..last as products of byte ranges, each a vector of 1 to 4.
// No surrogates lie between first and last.
std::vector<std::vector<ByteRange>> Utf8Ranges(char32_t first, char32_t last);

}  // namespace aio

#endif  // AIO_GRAMMAR_CODE_POINTS_H_
