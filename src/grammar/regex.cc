#include "grammar/regex.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"

namespace aio {

namespace {

constexpr int kDepthMax = 100;
constexpr int kRepeatMax = 1'000'000;

class RegexReader {
 public:
  RegexReader(std::string_view pattern, RegexMatch match, GrammarBuilder& builder,
              const CharWriter& write)
      : pattern_(pattern), match_(match), builder_(builder), write_(write) {}

  Result<ExprId> Read() {
    if (const size_t at = FindInvalidUtf8(pattern_); at != std::string_view::npos) {
      return Fault(at, "ill-formed UTF-8");
    }
    AIO_ASSIGN_OR_RETURN(const ExprId whole, ReadAlternatives(/*depth=*/0));
    if (!AtEnd()) return Fault(at_, "a ) without its (");
    return whole;
  }

 private:
  bool AtEnd() const { return at_ == pattern_.size(); }
  bool Sees(char c) const { return !AtEnd() && pattern_[at_] == c; }
  bool Take(std::string_view text) {
    if (!pattern_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  static Status Fault(size_t at, std::string_view what) {
    return InvalidArgument(fmt::format("the regular expression at byte {}: {}", at, what));
  }

  Result<ExprId> ReadAlternatives(int depth) {
    if (depth > kDepthMax) return Fault(at_, "groups are nested too deeply");
    std::vector<ExprId> alternatives;
    do {
      AIO_ASSIGN_OR_RETURN(const ExprId alternative, ReadAlternative(depth));
      alternatives.push_back(alternative);
    } while (Take("|"));
    return builder_.Choice(std::move(alternatives));
  }

  Result<ExprId> ReadAlternative(int depth) {
    const bool is_outermost = depth == 0;
    const bool from_start = is_outermost && Take("^");
    bool to_end = false;
    std::vector<ExprId> parts;
    while (!AtEnd() && !Sees('|') && !Sees(')')) {
      const size_t begin = at_;
      if (is_outermost && Take("$")) {
        to_end = true;
        if (!AtEnd() && !Sees('|')) return Fault(begin, "$ is supported at the very end only");
        break;
      }
      AIO_ASSIGN_OR_RETURN(ExprId part, ReadAtom(depth));
      AIO_RETURN_IF_ERROR(ReadQuantifiers(part));
      parts.push_back(part);
    }
    if (is_outermost && match_ == RegexMatch::kSearch) {
      if (!from_start) parts.insert(parts.begin(), Anything());
      if (!to_end) parts.push_back(Anything());
    }
    return builder_.Sequence(std::move(parts));
  }

  ExprId Anything() { return builder_.Repeat(write_(CodePointSet::All()), 0); }

  Result<ExprId> ReadAtom(int depth) {
    const size_t begin = at_;
    switch (pattern_[at_]) {
      case '(':
        return ReadGroup(depth);
      case '[':
        return ReadSet();
      case '.':
        ++at_;
        return write_(CodePointSet({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}).Complement());
      case '\\':
        return ReadEscapedAtom();
      case '*':
      case '+':
      case '?':
        return Fault(begin, "nothing stands before the quantifier");
      case '{':
        return Fault(begin, "{ is a quantifier here, with nothing before it; write \\{");
      case '^':
        return Fault(begin, "^ is supported at the very beginning only");
      case '$':
        return Fault(begin, "$ is supported at the very end only");
      default:
        return write_(One(TakeChar()));
    }
  }

  static CodePointSet One(char32_t c) { return {{c, c}}; }

  char32_t TakeChar() {
    const Utf8Step step = DecodeUtf8(pattern_.substr(at_));
    at_ += step.length;
    return step.code_point;
  }

  Result<ExprId> ReadGroup(int depth) {
    const size_t begin = at_;
    Take("(");
    if (Sees('?') && !Take("?:")) {
      return Fault(begin,
                   "of groups only (...) and (?:...) are supported: no look-around, names "
                   "or flags");
    }
    AIO_ASSIGN_OR_RETURN(const ExprId group, ReadAlternatives(depth + 1));
    if (!Take(")")) return Fault(begin, "a ( without its )");
    return group;
  }

  Status ReadQuantifiers(ExprId& part) {
    const size_t begin = at_;
    int min = 0;
    int max = kUnbounded;
    if (Take("+")) {
      min = 1;
    } else if (Take("?")) {
      max = 1;
    } else if (Sees('{')) {
      AIO_RETURN_IF_ERROR(ReadBounds(min, max));
    } else if (!Take("*")) {
      return Status::Ok();
    }
    Take("?");  // lazy: the same language
    if (Sees('+') || Sees('*') || Sees('?')) {
      return Fault(at_, "a quantifier after a quantifier is not supported");
    }
    if (min > kRepeatMax || (max > kRepeatMax && max != kUnbounded)) {
      return Fault(begin, fmt::format("more than {} repetitions", kRepeatMax));
    }
    part = builder_.Repeat(part, min, max);
    return Status::Ok();
  }

  // {m}, {m,}, {m,n}
  Status ReadBounds(int& min, int& max) {
    const size_t begin = at_;
    Take("{");
    const std::optional<int> first = TakeNumber();
    if (!first) return Fault(begin, "{ must be followed by a number; write \\{ for the character");
    min = max = *first;
    if (Take(",")) max = TakeNumber().value_or(kUnbounded);
    if (!Take("}")) return Fault(begin, "a { without its }");
    if (max < min) return Fault(begin, "the repetitions' maximum is below their minimum");
    return Status::Ok();
  }

  std::optional<int> TakeNumber() {
    std::optional<int> number;
    while (!AtEnd() && pattern_[at_] >= '0' && pattern_[at_] <= '9') {
      number = std::min(number.value_or(0) * 10 + (pattern_[at_++] - '0'), kRepeatMax + 1);
    }
    return number;
  }

  Result<ExprId> ReadEscapedAtom() {
    AIO_ASSIGN_OR_RETURN(const CodePointSet set, ReadEscape(/*in_set=*/false));
    return write_(set);
  }

  Result<CodePointSet> ReadEscape(bool in_set) {
    const size_t begin = at_;
    Take("\\");
    if (AtEnd()) return Fault(begin, "\\ at the end");
    const char letter = pattern_[at_++];
    if (std::optional<CodePointSet> set = ClassEscape(letter)) return *std::move(set);
    constexpr std::string_view kLetters = "ntrfv0";
    constexpr std::string_view kMeanings("\n\t\r\f\v\0", 6);
    if (const size_t at = kLetters.find(letter); at != std::string_view::npos) {
      if (letter == '0' && !AtEnd() && pattern_[at_] >= '0' && pattern_[at_] <= '9') {
        return Fault(begin, "octal escapes are not supported; write \\xHH");
      }
      return One(static_cast<unsigned char>(kMeanings[at]));
    }
    if (letter == 'x') return ReadHex(begin, 2);
    if (letter == 'u') return ReadHex(begin, 4);
    if (letter == 'b' && in_set) return One('\b');
    const bool is_word = letter == '_' || (letter >= '0' && letter <= '9') ||
                         (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    if (is_word) return Fault(begin, fmt::format("\\{} is not supported", letter));
    --at_;
    return One(TakeChar());
  }

  Result<CodePointSet> ReadHex(size_t begin, size_t digits) {
    const bool is_braced = digits == 4 && Take("{");
    uint32_t value = 0;
    size_t count = 0;
    for (; !AtEnd() && count < (is_braced ? 6 : digits); ++count, ++at_) {
      const std::string_view kDigits = "0123456789abcdef";
      const size_t digit = kDigits.find(static_cast<char>(
          pattern_[at_] >= 'A' && pattern_[at_] <= 'F' ? pattern_[at_] + 32 : pattern_[at_]));
      if (digit == std::string_view::npos) break;
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    const bool is_whole = is_braced ? count > 0 && Take("}") : count == digits;
    if (!is_whole) return Fault(begin, "a hexadecimal escape is cut short");
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
      return Fault(begin, "the escape is no character (of a surrogate pair write \\u{...})");
    }
    return One(value);
  }

  Result<ExprId> ReadSet() {
    const size_t begin = at_;
    Take("[");
    const bool is_negated = Take("^");
    CodePointSet set;
    size_t num_parts = 0;
    while (!Sees(']')) {
      if (AtEnd()) return Fault(begin, "a [ without its ]");
      if (++num_parts > kSetPartsMax) return Fault(begin, "the set has too many members");
      AIO_RETURN_IF_ERROR(ReadSetPart(set));
    }
    Take("]");
    return write_(is_negated ? set.Complement() : set);
  }

  Status ReadSetPart(CodePointSet& set) {
    const size_t begin = at_;
    AIO_ASSIGN_OR_RETURN(const CodePointSet first, ReadSetMember());
    const bool is_range = Sees('-') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
    if (!is_range) {
      set.Add(first);
      return Status::Ok();
    }
    Take("-");
    AIO_ASSIGN_OR_RETURN(const CodePointSet last, ReadSetMember());
    const auto is_one = [](const CodePointSet& s) {
      return s.ranges().size() == 1 && s.ranges()[0].first == s.ranges()[0].second;
    };
    if (!is_one(first) || !is_one(last)) {
      return Fault(begin, "a range needs one character at each end");
    }
    if (last.ranges()[0].first < first.ranges()[0].first) {
      return Fault(begin, "the range's end comes before its beginning");
    }
    set.Add(first.ranges()[0].first, last.ranges()[0].first);
    return Status::Ok();
  }

  Result<CodePointSet> ReadSetMember() {
    if (AtEnd()) return Fault(at_, "a [ without its ]");
    if (Sees('\\')) return ReadEscape(/*in_set=*/true);
    return One(TakeChar());
  }

  static constexpr size_t kSetPartsMax = 2000;

  const std::string_view pattern_;
  const RegexMatch match_;
  GrammarBuilder& builder_;
  const CharWriter& write_;
  size_t at_ = 0;
};

}  // namespace

Result<ExprId> ReadRegex(std::string_view pattern, RegexMatch match, GrammarBuilder& builder,
                         const CharWriter& write) {
  return RegexReader(pattern, match, builder, write).Read();
}

}  // namespace aio
