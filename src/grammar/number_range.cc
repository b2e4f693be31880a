#include "grammar/number_range.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "grammar/json_text.h"

namespace aio {

namespace {

constexpr int kDigitsMax = JsonText::kDigitsMax;

// Numbers without sign between a lower bound >= 0 and an upper one that may be missing.
class Magnitudes {
 public:
  Magnitudes(GrammarBuilder& builder, const NumberBound& min, const std::optional<NumberBound>& max,
             bool integers)
      : builder_(builder), min_(min), max_(max), integers_(integers) {}

  // Numbers of equal length compare as texts do.
  ExprId All() {
    const size_t first = min_.value.whole.size();
    const size_t last = max_ ? max_->value.whole.size() : kDigitsMax;
    std::vector<ExprId> choices;
    for (size_t length = first; length <= last; ++length) {
      length_ = length;
      choices.push_back(Whole(0, {length == first, max_ && length == last}));
    }
    return builder_.Choice(std::move(choices));
  }

 private:
  // Whether what has been written equals the bound's beginning.
  struct Tight {
    bool low;
    bool high;

    friend bool operator==(const Tight&, const Tight&) = default;
  };

  ExprId Whole(size_t at, Tight tight) {
    if (at == length_)
      return integers_ ? (MayEnd(0, tight) ? builder_.Empty() : builder_.Nothing())
                       : FractionOrNone(tight);
    if (!tight.low && !tight.high) {
      const ExprId digits = AnyDigits(static_cast<int>(length_ - at) - (at == 0 ? 1 : 0));
      return at == 0 ? builder_.Sequence({builder_.Range(length_ > 1 ? '1' : '0', '9'), digits,
                                          Whole(length_, tight)})
                     : builder_.Sequence({digits, Whole(length_, tight)});
    }
    const char least = at == 0 && length_ > 1 ? '1' : '0';
    const char low = tight.low ? min_.value.whole[at] : least;
    const char high = tight.high ? max_->value.whole[at] : '9';
    return Digits(low, high, tight, [&](Tight next) { return Whole(at + 1, next); });
  }

  // One digit of low..high, then the rest by what is tight after it.
  template <typename Rest>
  ExprId Digits(char low, char high, Tight tight, Rest rest) {
    std::vector<ExprId> choices;
    for (char first = low; first <= high;) {
      const Tight next = After(first, low, high, tight);
      char last = first;
      while (last < high && After(static_cast<char>(last + 1), low, high, tight) == next) ++last;
      choices.push_back(builder_.Sequence({builder_.Range(first, last), rest(next)}));
      first = static_cast<char>(last + 1);
    }
    return builder_.Choice(std::move(choices));
  }
  static Tight After(char digit, char low, char high, Tight tight) {
    return {tight.low && digit == low, tight.high && digit == high};
  }

  ExprId AnyDigits(int count) { return builder_.Repeat(builder_.Range('0', '9'), count, count); }

  // The number ends after `at` digits of its fraction.
  bool MayEnd(size_t at, Tight tight) const {
    const bool above = !tight.low || (at >= min_.value.fraction.size() && !min_.is_open);
    const bool below = !tight.high || at < max_->value.fraction.size() || !max_->is_open;
    return above && below;
  }

  ExprId FractionOrNone(Tight tight) {
    const ExprId fraction = builder_.Sequence({builder_.Bytes("."), Fraction(0, tight)});
    return MayEnd(0, tight) ? builder_.Optional(fraction) : fraction;
  }

  // At least one digit more, after `at` of them.
  ExprId Fraction(size_t at, Tight tight) {
    const size_t longest =
        std::max(min_.value.fraction.size(), max_ ? max_->value.fraction.size() : 0);
    const int room = kDigitsMax + 1 - static_cast<int>(at);
    if (at >= longest || (!tight.low && !tight.high)) return FractionBeyond(room, tight);
    const char low = tight.low ? DigitOf(min_.value.fraction, at) : '0';
    const char high = tight.high ? DigitOf(max_->value.fraction, at) : '9';
    return Digits(low, high, tight, [&](Tight next) {
      const ExprId more = Fraction(at + 1, next);
      return MayEnd(at + 1, next) ? builder_.Optional(more) : more;
    });
  }
  static char DigitOf(const std::string& fraction, size_t at) {
    return at < fraction.size() ? fraction[at] : '0';
  }

  // The bounds have only zeros left.
  ExprId FractionBeyond(int room, Tight tight) {
    const ExprId zero = builder_.Bytes("0");
    const ExprId digit = builder_.Range('0', '9');
    if (tight.high) {
      const bool is_open = max_->is_open || (tight.low && min_.is_open);
      return is_open ? builder_.Nothing() : builder_.Repeat(zero, 1, room);
    }
    if (!tight.low || !min_.is_open) return builder_.Repeat(digit, 1, room);
    return builder_.Sequence({builder_.Repeat(zero, 0, room), builder_.Range('1', '9'),
                              builder_.Repeat(digit, 0, room)});
  }

  GrammarBuilder& builder_;
  const NumberBound min_;
  const std::optional<NumberBound> max_;
  const bool integers_;
  size_t length_ = 0;  // of the whole part
};

std::optional<NumberBound> Negated(std::optional<NumberBound> bound) {
  if (bound && !bound->value.is_zero()) bound->value.is_negative = !bound->value.is_negative;
  return bound;
}

// Of a range's part at or above zero.
ExprId Upward(GrammarBuilder& builder, const NumberRange& range, const NumberBound& zero) {
  if (range.max && range.max->value.is_negative) return builder.Nothing();
  NumberBound min = range.min.value_or(zero);
  const int order = CompareDecimals(min.value, zero.value);
  if (order < 0) min = zero;
  if (order == 0) min.is_open = min.is_open || zero.is_open;
  if (range.max) {
    const int between = CompareDecimals(min.value, range.max->value);
    if (between > 0 || (between == 0 && (min.is_open || range.max->is_open))) {
      return builder.Nothing();
    }
  }
  return Magnitudes(builder, min, range.max, range.integers).All();
}

}  // namespace

Result<Decimal> ParseDecimal(std::string_view text) {
  Decimal decimal;
  decimal.is_negative = text.starts_with('-');
  if (decimal.is_negative) text.remove_prefix(1);
  const size_t e = text.find_first_of("eE");
  int exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc() || exponent < -100 || exponent > 100) {
      return InvalidArgument(fmt::format("the number {} is too large or too small", text));
    }
    text = text.substr(0, e);
  }
  const size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  if (point < text.size()) digits += text.substr(point + 1);
  int64_t whole_size = static_cast<int64_t>(point) + exponent;
  if (whole_size < 0) {
    digits.insert(0, static_cast<size_t>(-whole_size), '0');
    whole_size = 0;
  }
  if (digits.size() < static_cast<size_t>(whole_size)) digits.resize(whole_size, '0');
  decimal.whole = digits.substr(0, whole_size);
  decimal.fraction = digits.substr(whole_size);
  decimal.whole.erase(0, decimal.whole.find_first_not_of('0'));
  if (decimal.whole.empty()) decimal.whole.assign(1, '0');
  decimal.fraction.erase(decimal.fraction.find_last_not_of('0') + 1);
  if (decimal.is_zero()) decimal.is_negative = false;
  if (decimal.whole.size() > kDigitsMax || decimal.fraction.size() > kDigitsMax) {
    return InvalidArgument(
        fmt::format("the bound has more than {} digits before or after the point", kDigitsMax));
  }
  return decimal;
}

int CompareDecimals(const Decimal& a, const Decimal& b) {
  if (a.is_negative != b.is_negative) return a.is_negative ? -1 : 1;
  int order = a.whole.size() != b.whole.size() ? (a.whole.size() < b.whole.size() ? -1 : 1)
                                               : a.whole.compare(b.whole);
  if (order == 0) order = a.fraction.compare(b.fraction);
  return a.is_negative ? -order : order;
}

ExprId NumbersBetween(GrammarBuilder& builder, const NumberRange& range) {
  const NumberRange mirrored{
      .min = Negated(range.max), .max = Negated(range.min), .integers = range.integers};
  const ExprId negative = builder.Sequence(
      {builder.Bytes("-"), Upward(builder, mirrored, {.value = {}, .is_open = true})});
  return builder.Choice({Upward(builder, range, {}), negative});
}

}  // namespace aio
