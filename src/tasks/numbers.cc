#include "tasks/numbers.h"

namespace aio {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsAsciiWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

char At(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

// Whether a sign that ends just before `end` makes the number there negative.
bool IsNegative(std::string_view text, size_t end) {
  constexpr std::string_view kMinus = "\u2212";
  std::string_view before = text.substr(0, end);
  if (before.ends_with('$')) before.remove_suffix(1);
  if (before.ends_with('-')) {
    before.remove_suffix(1);
  } else if (before.ends_with(kMinus)) {
    before.remove_suffix(kMinus.size());
  } else {
    return false;
  }
  if (before.empty()) return true;
  const char c = before.back();
  return !IsAsciiWord(c) && c != ')' && c != ']';
}

// "007" and "50" of 007.50 as "7.5".
std::string Canonical(bool negative, std::string_view whole, std::string_view fraction) {
  while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  std::string number(whole.empty() ? "0" : whole);
  if (!fraction.empty()) number.append(".").append(fraction);
  return negative && number != "0" ? "-" + number : number;
}

struct FoundNumber {
  std::string canonical;
  size_t end = 0;
};

// The number that begins at the digit (or the point before one) at `begin`.
FoundNumber ReadNumber(std::string_view text, size_t begin) {
  std::string whole;
  size_t i = begin;
  for (;;) {
    while (IsDigit(At(text, i))) whole += text[i++];
    const bool group = At(text, i) == ',' && i > begin && IsDigit(At(text, i + 1)) &&
                       IsDigit(At(text, i + 2)) && IsDigit(At(text, i + 3)) &&
                       !IsDigit(At(text, i + 4));
    if (!group) break;
    ++i;
  }
  std::string fraction;
  if (At(text, i) == '.' && IsDigit(At(text, i + 1))) {
    for (++i; IsDigit(At(text, i)); ++i) fraction += text[i];
  }
  return {Canonical(IsNegative(text, begin), whole, fraction), i};
}

std::optional<FoundNumber> NextNumber(std::string_view text, size_t from) {
  for (size_t i = from; i < text.size(); ++i) {
    const bool point = text[i] == '.' && IsDigit(At(text, i + 1));
    if (IsDigit(text[i]) || point) return ReadNumber(text, i);
  }
  return std::nullopt;
}

std::optional<std::string> FirstNumber(std::string_view text) {
  const auto found = NextNumber(text, 0);
  return found ? std::optional(found->canonical) : std::nullopt;
}

}  // namespace

std::optional<std::string> LastNumber(std::string_view text) {
  std::optional<std::string> last;
  size_t from = 0;
  while (auto found = NextNumber(text, from)) {
    from = found->end;
    last = std::move(found->canonical);
  }
  return last;
}

std::optional<std::string> FinalNumber(std::string_view text) {
  constexpr std::string_view kMark = "####";
  constexpr std::string_view kBox = "\\boxed{";
  if (const size_t mark = text.rfind(kMark); mark != std::string_view::npos) {
    if (auto number = FirstNumber(text.substr(mark + kMark.size()))) return number;
  }
  if (const size_t box = text.rfind(kBox); box != std::string_view::npos) {
    const std::string_view rest = text.substr(box + kBox.size());
    if (auto number = FirstNumber(rest.substr(0, rest.find('}')))) return number;
  }
  return LastNumber(text);
}

}  // namespace aio
