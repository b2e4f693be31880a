#include "jinja/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "jinja/python_text.h"
#include "jinja/string_literal.h"

namespace aio {
namespace {

using Kind = JinjaTokenKind;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Line breaks of all systems as \n, and without the one at the end.
std::string Normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
      continue;
    }
    text += '\n';
    if (source.substr(i + 1, 1) == "\n") ++i;
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string source) : owned_(std::move(source)), source_(owned_) {}

  Result<std::vector<JinjaToken>> Lex() {
    while (at_ < source_.size()) AIO_RETURN_IF_ERROR(LexDataAndTag());
    Add(Kind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  Status Fault(std::string_view message) const {
    return InvalidArgument(fmt::format("line {}: {}", line_, message));
  }
  void Add(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  std::string_view Rest() const { return source_.substr(at_); }

  // What is passed over ends a line or does not: that decides whether a tag is the first on its.
  void MoveTo(size_t end) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<ptrdiff_t>(at_),
                                         source_.begin() + static_cast<ptrdiff_t>(end), '\n'));
    at_ = end;
  }
  size_t SkipSpaces(size_t at) const {
    while (const size_t length = SpaceLength(source_, at)) at += length;
    return at;
  }

  // The text before a tag that begins with `sign` ("-", "+" or none).
  void AddData(std::string_view data, char sign, bool is_variable) {
    if (sign == '-') {
      const MarkedText stripped = Strip(MarkedText(std::string(data), false), StripSide::kRight);
      data = data.substr(0, stripped.size());
    } else if (sign != '+' && !is_variable) {
      const size_t line_begin = data.rfind('\n') + 1;  // npos + 1 is 0
      const bool begins_line = line_begin > 0 || line_starting_;
      const std::string_view last = data.substr(line_begin);
      if (begins_line && !last.empty() && AllAre(last, CharClass::kSpace)) {
        data = data.substr(0, line_begin);
      }
    }
    if (!data.empty()) Add(Kind::kData, std::string(data));
  }

  // Past the end of a tag `end` that stands at `at_`: with the whitespace after it if it ends with
  // a minus, else, of a block, with one line break.
  void PassTagEnd(char sign, std::string_view end, bool trims) {
    size_t after = at_ + (sign == 0 ? 0 : 1) + end.size();
    if (sign == '-') {
      after = SkipSpaces(after);
    } else if (sign == 0 && trims && source_.substr(after, 1) == "\n") {
      ++after;
    }
    MoveTo(after);
    line_starting_ = source_[after - 1] == '\n';
  }

  // Whether a tag's end stands at `at`; its sign too.
  std::optional<char> TagEndAt(size_t at, std::string_view end, bool may_plus) const {
    if (source_.substr(at, end.size()) == end) return '\0';
    const char sign = at < source_.size() ? source_[at] : '\0';
    const bool is_sign = sign == '-' || (sign == '+' && may_plus);
    if (is_sign && source_.substr(at + 1, end.size()) == end) return sign;
    return std::nullopt;
  }

  Status LexDataAndTag() {
    size_t tag = at_;
    for (;; ++tag) {
      tag = source_.find('{', tag);
      if (tag == std::string_view::npos) {
        Add(Kind::kData, std::string(Rest()));
        MoveTo(source_.size());
        return Status::Ok();
      }
      const std::string_view after = source_.substr(tag + 1, 1);
      if (after == "{" || after == "%" || after == "#") break;
    }
    const std::string_view data = source_.substr(at_, tag - at_);
    const char kind = source_[tag + 1];
    const std::string_view after = source_.substr(tag + 2, 1);
    const char sign = after == "-" || after == "+" ? after[0] : '\0';
    AddData(data, sign, kind == '{');
    MoveTo(tag + 2 + (sign == 0 ? 0 : 1));
    line_starting_ = false;
    if (kind == '#') return PassComment();
    if (kind == '%' && PassRawBegin()) return LexRaw();
    Add(kind == '{' ? Kind::kVariableBegin : Kind::kBlockBegin, "");
    return LexTag(kind == '{' ? "}}" : "%}", kind == '%');
  }

  Status PassComment() {
    for (size_t at = at_; at < source_.size(); ++at) {
      const std::optional<char> sign = TagEndAt(at, "#}", /*may_plus=*/true);
      if (!sign) continue;
      MoveTo(at);
      PassTagEnd(*sign, "#}", /*trims=*/true);
      return Status::Ok();
    }
    return Fault("a comment {# does not end; expected #}");
  }

  // Past "raw %}", if that comes.
  bool PassRawBegin() {
    size_t at = SkipSpaces(at_);
    if (source_.substr(at, 3) != "raw") return false;
    at = SkipSpaces(at + 3);
    const std::optional<char> sign = TagEndAt(at, "%}", /*may_plus=*/false);
    if (!sign) return false;
    MoveTo(at);
    PassTagEnd(*sign, "%}", /*trims=*/false);
    return true;
  }

  Status LexRaw() {
    for (size_t tag = source_.find("{%", at_); tag != std::string_view::npos;
         tag = source_.find("{%", tag + 1)) {
      const std::string_view after = source_.substr(tag + 2, 1);
      const char sign = after == "-" || after == "+" ? after[0] : '\0';
      size_t at = SkipSpaces(tag + 2 + (sign == 0 ? 0 : 1));
      if (source_.substr(at, 6) != "endraw") continue;
      at = SkipSpaces(at + 6);
      const std::optional<char> end_sign = TagEndAt(at, "%}", /*may_plus=*/true);
      if (!end_sign) continue;
      AddData(source_.substr(at_, tag - at_), sign, /*is_variable=*/false);
      MoveTo(at);
      PassTagEnd(*end_sign, "%}", /*trims=*/true);
      return Status::Ok();
    }
    return Fault("{% raw %} does not end; expected {% endraw %}");
  }

  Status LexTag(std::string_view end, bool is_block) {
    std::string open;  // brackets that are: an end inside them is none
    for (;;) {
      MoveTo(SkipSpaces(at_));
      if (at_ >= source_.size()) {
        return Fault(fmt::format("a tag does not end; expected {}", end));
      }
      if (open.empty()) {
        if (const auto sign = TagEndAt(at_, end, is_block)) {
          Add(is_block ? Kind::kBlockEnd : Kind::kVariableEnd, "");
          PassTagEnd(*sign, end, /*trims=*/is_block);
          return Status::Ok();
        }
      }
      AIO_RETURN_IF_ERROR(LexToken(open));
    }
  }

  Status LexToken(std::string& open) {
    const char c = source_[at_];
    if (IsDigit(c)) return LexNumber();
    if (IsNameStart(c)) {
      size_t end = at_;
      while (end < source_.size() && (IsNameStart(source_[end]) || IsDigit(source_[end]))) ++end;
      Add(Kind::kName, std::string(source_.substr(at_, end - at_)));
      at_ = end;
      return Status::Ok();
    }
    if (c == '\'' || c == '"') return LexString(c);
    return LexOperator(open);
  }

  size_t SkipDigits(size_t at) const {
    while (at < source_.size() &&
           (IsDigit(source_[at]) ||
            (source_[at] == '_' && at + 1 < source_.size() && IsDigit(source_[at + 1])))) {
      ++at;
    }
    return at;
  }

  Status LexNumber() {
    size_t end = SkipDigits(at_);
    const auto is_at = [this](size_t at, std::string_view chars) {
      return at < source_.size() && chars.find(source_[at]) != std::string_view::npos;
    };
    const bool after_point = !tokens_.empty() && tokens_.back().Is(Kind::kOperator, ".");
    bool is_float = false;
    if (!after_point) {
      if (is_at(end, ".") && end + 1 < source_.size() && IsDigit(source_[end + 1])) {
        is_float = true;
        end = SkipDigits(end + 1);
      }
      size_t exponent = end + 1;
      if (is_at(end, "eE") && is_at(exponent, "+-")) ++exponent;
      if (is_at(end, "eE") && exponent < source_.size() && IsDigit(source_[exponent])) {
        is_float = true;
        end = SkipDigits(exponent);
      }
    }
    std::string text(source_.substr(at_, end - at_));
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
    Add(is_float ? Kind::kFloat : Kind::kInteger, std::move(text));
    at_ = end;
    return Status::Ok();
  }

  Status LexString(char quote) {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return Fault("a string does not end");
    Add(Kind::kString, ResolveEscapes(source_.substr(at_ + 1, end - at_ - 1)));
    MoveTo(end + 1);
    return Status::Ok();
  }

  Status LexOperator(std::string& open) {
    constexpr std::string_view kTwo[] = {"//", "**", "==", "!=", ">=", "<="};
    constexpr std::string_view kOne = "+-/*%~[](){}=><.:|,;";
    const char c = source_[at_];
    const std::string_view two = source_.substr(at_, 2);
    if (std::find(std::begin(kTwo), std::end(kTwo), two) != std::end(kTwo)) {
      Add(Kind::kOperator, std::string(two));
      at_ += 2;
      return Status::Ok();
    }
    if (kOne.find(c) == std::string_view::npos) {
      return Fault(fmt::format("'{}' is not expected here", c));
    }
    if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) return Fault(fmt::format("'{}' closes nothing", c));
      open.pop_back();
    }
    Add(Kind::kOperator, std::string(1, c));
    ++at_;
    return Status::Ok();
  }

  const std::string owned_;
  const std::string_view source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // the place after the last tag begins a line
  std::vector<JinjaToken> tokens_;
};

}  // namespace

Result<std::vector<JinjaToken>> LexJinja(std::string_view source) {
  if (const size_t bad = FindInvalidUtf8(source); bad != std::string_view::npos) {
    return InvalidArgument(fmt::format("byte {} is no UTF-8", bad));
  }
  return Lexer(Normalized(source)).Lex();
}

}  // namespace aio
