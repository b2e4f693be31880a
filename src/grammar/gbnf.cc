#include "grammar/gbnf.h"

#include <algorithm>
#include <map>
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

bool IsNameChar(char c) {
  return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

class GbnfReader {
 public:
  GbnfReader(std::string_view text, GrammarBuilder& builder) : text_(text), builder_(builder) {}

  Result<RuleId> Read() {
    if (const size_t at = FindInvalidUtf8(text_); at != std::string_view::npos) {
      at_ = at;
      return Fault("ill-formed UTF-8");
    }
    for (SkipSpace(/*over_lines=*/true); !AtEnd(); SkipSpace(true)) {
      AIO_RETURN_IF_ERROR(ReadRule());
    }
    for (const auto& [name, rule] : rules_) {
      if (rule.is_defined) continue;
      return InvalidArgument(
          fmt::format("the grammar's line {}: there is no rule \"{}\"", rule.first_line, name));
    }
    const auto root = rules_.find("root");
    if (root == rules_.end()) {
      return InvalidArgument("the grammar has no rule \"root\", which the answer is to match");
    }
    return root->second.id;
  }

 private:
  struct Rule {
    RuleId id = 0;
    bool is_defined = false;
    int first_line = 0;
  };

  bool AtEnd() const { return at_ == text_.size(); }
  bool Sees(char c) const { return !AtEnd() && text_[at_] == c; }
  bool Take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  int Line() const {
    return 1 + static_cast<int>(std::count(text_.begin(), text_.begin() + at_, '\n'));
  }
  Status Fault(std::string_view what) const {
    return InvalidArgument(fmt::format("the grammar's line {}: {}", Line(), what));
  }

  void SkipSpace(bool over_lines) {
    while (!AtEnd()) {
      const char c = text_[at_];
      if (c == '#') {
        while (!AtEnd() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
      } else if (c == ' ' || c == '\t' || (over_lines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view TakeName() {
    const size_t begin = at_;
    while (!AtEnd() && IsNameChar(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Rule& RuleOf(std::string_view name) {
    const auto [entry, is_new] = rules_.try_emplace(std::string(name));
    if (is_new) entry->second = {.id = builder_.AddRule(), .first_line = Line()};
    return entry->second;
  }

  Status ReadRule() {
    const std::string_view name = TakeName();
    if (name.empty()) return Fault("a rule's name is expected, of letters, digits, - and _");
    SkipSpace(/*over_lines=*/false);
    if (!Take("::=")) return Fault(fmt::format("::= is expected after \"{}\"", name));
    Rule& rule = RuleOf(name);
    if (rule.is_defined) return Fault(fmt::format("\"{}\" is defined twice", name));
    rule.is_defined = true;
    SkipSpace(/*over_lines=*/true);
    AIO_ASSIGN_OR_RETURN(const ExprId body, ReadAlternatives(/*depth=*/0));
    builder_.Define(rule.id, body);
    if (!AtEnd() && !Sees('\n') && !Sees('\r')) {
      return Fault(fmt::format("\"{}\" is not expected here", text_[at_]));
    }
    return Status::Ok();
  }

  Result<ExprId> ReadAlternatives(int depth) {
    if (depth > kDepthMax) return Fault("parentheses are nested too deeply");
    std::vector<ExprId> alternatives;
    for (;;) {
      AIO_ASSIGN_OR_RETURN(const ExprId alternative, ReadSequence(depth));
      alternatives.push_back(alternative);
      if (!Take("|")) return builder_.Choice(std::move(alternatives));
      SkipSpace(/*over_lines=*/true);
    }
  }

  Result<ExprId> ReadSequence(int depth) {
    const bool over_lines = depth > 0;
    std::vector<ExprId> parts;
    for (;;) {
      SkipSpace(over_lines);
      const bool ends = AtEnd() || Sees('|') || Sees(')') || Sees('\n') || Sees('\r');
      if (ends) return builder_.Sequence(std::move(parts));
      AIO_ASSIGN_OR_RETURN(ExprId part, ReadAtom(depth));
      SkipSpace(over_lines);
      AIO_RETURN_IF_ERROR(ReadQuantifier(part));
      parts.push_back(part);
    }
  }

  Result<ExprId> ReadAtom(int depth) {
    if (Take("\"")) return ReadLiteral();
    if (Take("[")) return ReadSet();
    if (Take(".")) return builder_.Chars(CodePointSet::All());
    if (Take("(")) {
      SkipSpace(/*over_lines=*/true);
      AIO_ASSIGN_OR_RETURN(const ExprId group, ReadAlternatives(depth + 1));
      if (!Take(")")) return Fault("a ( without its )");
      return group;
    }
    if (Sees('<') || Sees('!')) return Fault("tokens by name or number are not supported");
    const std::string_view name = TakeName();
    if (name.empty()) return Fault(fmt::format("\"{}\" is not expected here", text_[at_]));
    return builder_.Call(RuleOf(name).id);
  }

  Result<ExprId> ReadLiteral() {
    std::string literal;
    while (!Take("\"")) {
      if (AtEnd()) return Fault("a \" without its second");
      AIO_ASSIGN_OR_RETURN(const char32_t c, ReadChar());
      AppendUtf8(c, literal);
    }
    return builder_.Bytes(literal);
  }

  Result<ExprId> ReadSet() {
    constexpr int kPartsMax = 2000;
    const bool is_negated = Take("^");
    CodePointSet set;
    for (int i = 0; !Take("]"); ++i) {
      if (AtEnd()) return Fault("a [ without its ]");
      if (i == kPartsMax) return Fault("a set has too many members");
      AIO_ASSIGN_OR_RETURN(const char32_t first, ReadChar());
      char32_t last = first;
      const bool is_range = Sees('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (is_range) {
        ++at_;
        AIO_ASSIGN_OR_RETURN(last, ReadChar());
        if (last < first) return Fault("a range's end comes before its beginning");
      }
      set.Add(first, last);
    }
    return builder_.Chars(is_negated ? set.Complement() : set);
  }

  Result<char32_t> ReadChar() {
    if (!Take("\\")) {
      const Utf8Step step = DecodeUtf8(text_.substr(at_));
      at_ += step.length;
      return step.code_point;
    }
    if (AtEnd()) return Fault("\\ at the end");
    const char letter = text_[at_++];
    switch (letter) {
      case 'n':
        return U'\n';
      case 'r':
        return U'\r';
      case 't':
        return U'\t';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<char32_t>(letter);
      case 'x':
        return ReadHex(2);
      case 'u':
        return ReadHex(4);
      case 'U':
        return ReadHex(8);
      default:
        return Fault(fmt::format("\\{} is not supported", letter));
    }
  }

  Result<char32_t> ReadHex(int digits) {
    uint32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const std::string_view kDigits = "0123456789abcdef";
      if (AtEnd()) return Fault("a hexadecimal escape is cut short");
      const char c = text_[at_];
      const size_t digit = kDigits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
      if (digit == std::string_view::npos) return Fault("a hexadecimal escape is cut short");
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
      return Fault("an escape is no character");
    }
    return static_cast<char32_t>(value);
  }

  Status ReadQuantifier(ExprId& part) {
    int min = 0;
    int max = kUnbounded;
    if (Take("+")) {
      min = 1;
    } else if (Take("?")) {
      max = 1;
    } else if (Take("{")) {
      AIO_RETURN_IF_ERROR(ReadBounds(min, max));
    } else if (!Take("*")) {
      return Status::Ok();
    }
    part = builder_.Repeat(part, min, max);
    return Status::Ok();
  }

  Status ReadBounds(int& min, int& max) {
    const auto take_number = [this] {
      std::optional<int> number;
      SkipSpace(/*over_lines=*/false);
      while (!AtEnd() && text_[at_] >= '0' && text_[at_] <= '9') {
        number = std::min(number.value_or(0) * 10 + (text_[at_++] - '0'), kRepeatMax + 1);
      }
      SkipSpace(/*over_lines=*/false);
      return number;
    };
    const std::optional<int> first = take_number();
    if (!first) return Fault("a number is expected after {");
    min = max = *first;
    if (Take(",")) max = take_number().value_or(kUnbounded);
    if (!Take("}")) return Fault("a { without its }");
    if (max < min) return Fault("a repetition's maximum is below its minimum");
    if (min > kRepeatMax || (max > kRepeatMax && max != kUnbounded)) {
      return Fault(fmt::format("more than {} repetitions", kRepeatMax));
    }
    return Status::Ok();
  }

  const std::string_view text_;
  GrammarBuilder& builder_;
  size_t at_ = 0;
  std::map<std::string, Rule> rules_;
};

}  // namespace

Result<RuleId> ReadGbnf(std::string_view text, GrammarBuilder& builder) {
  return GbnfReader(text, builder).Read();
}

}  // namespace aio
