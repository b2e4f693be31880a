// Numbers between bounds, as JSON writes them, digit by digit. Internal to grammar/.
#ifndef AIO_GRAMMAR_NUMBER_RANGE_H_
#define AIO_GRAMMAR_NUMBER_RANGE_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "grammar/grammar_builder.h"

namespace aio {

// A finite decimal fraction; a value.
struct Decimal {
  bool is_negative = false;  // never of zero
  std::string whole = "0";   // digits without leading zeros, "0" for none
  std::string fraction;      // digits without trailing zeros

  bool is_zero() const { return whole == "0" && fraction.empty(); }
};

// Of a JSON number as written. kInvalidArgument where it has more than JsonText::kDigitsMax digits
// before or after the point.
Result<Decimal> ParseDecimal(std::string_view text);

// < 0, 0, > 0.
int CompareDecimals(const Decimal& a, const Decimal& b);

struct NumberBound {
  Decimal value;
  bool is_open = false;  // the value itself is out
};

struct NumberRange {
  std::optional<NumberBound> min;
  std::optional<NumberBound> max;
  bool integers = false;
};

// Without exponents, and without a minus before zero. Matches nothing where nothing lies between.
ExprId NumbersBetween(GrammarBuilder& builder, const NumberRange& range);

}  // namespace aio

#endif  // AIO_GRAMMAR_NUMBER_RANGE_H_
