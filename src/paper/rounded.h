// A number known up to rounding: what was printed with so many decimals may have been anything
// that rounds to it, and what is computed from printed numbers is known no better.
#ifndef AIO_PAPER_ROUNDED_H_
#define AIO_PAPER_ROUNDED_H_

#include <utility>
#include <vector>

namespace aio {

// The value and the interval of what it may have been. Interval arithmetic (Moore 1966): exact
// bounds as long as each printed number occurs once in a formula.
struct Rounded {
  double value = 0;
  double low = 0;
  double high = 0;

  static Rounded Exactly(double value) { return {value, value, value}; }
  // A number printed with `decimals` decimals: half a unit of the last one either
  // way; one above 0 stays so.
  static Rounded Printed(double value, int decimals);

  double slack() const { return (high - low) / 2; }
};

Rounded operator+(const Rounded& a, const Rounded& b);
Rounded operator-(const Rounded& a, const Rounded& b);
Rounded operator*(const Rounded& a, double factor);
Rounded operator*(const Rounded& a, const Rounded& b);  // both from 0
Rounded operator/(const Rounded& a, const Rounded& b);  // a from 0, b above 0

// Whether one number can be both: the intervals meet.
bool CanBeEqual(const Rounded& a, const Rounded& b);

// A share of requests and their figure.
using Weighted = std::pair<double, Rounded>;

// sum(share * figure): the accuracy of a mix, and the mean of its requests' tokens/s.
Rounded ArithmeticMean(const std::vector<Weighted>& parts);

// 1 / sum(share / figure): the tokens/s of a user who waits for one request after the other, each
// of as many tokens. Figures above 0; the shares sum to 1.
Rounded HarmonicMean(const std::vector<Weighted>& parts);

}  // namespace aio

#endif  // AIO_PAPER_ROUNDED_H_
