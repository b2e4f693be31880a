#include "paper/rounded.h"

#include <algorithm>
#include <cmath>

namespace aio {

namespace {

constexpr double kLeastPositive = 1e-9;

}  // namespace

Rounded Rounded::Printed(double value, int decimals) {
  const double half_unit = 0.5 * std::pow(10.0, -decimals);
  const double low = value - half_unit;
  return {value, value > 0 ? std::max(low, kLeastPositive) : low, value + half_unit};
}

Rounded operator+(const Rounded& a, const Rounded& b) {
  return {a.value + b.value, a.low + b.low, a.high + b.high};
}

Rounded operator-(const Rounded& a, const Rounded& b) {
  return {a.value - b.value, a.low - b.high, a.high - b.low};
}

Rounded operator*(const Rounded& a, double factor) {
  const Rounded scaled = {a.value * factor, a.low * factor, a.high * factor};
  return factor >= 0 ? scaled : Rounded{scaled.value, scaled.high, scaled.low};
}

Rounded operator*(const Rounded& a, const Rounded& b) {
  return {a.value * b.value, a.low * b.low, a.high * b.high};
}

Rounded operator/(const Rounded& a, const Rounded& b) {
  return {a.value / b.value, a.low / b.high, a.high / b.low};
}

bool CanBeEqual(const Rounded& a, const Rounded& b) {
  // Decimal fractions are not exact in binary: ends that touch do meet.
  constexpr double kBinaryFuzz = 1e-9;
  const double fuzz = kBinaryFuzz * (1 + std::abs(a.value) + std::abs(b.value));
  return a.low <= b.high + fuzz && b.low <= a.high + fuzz;
}

Rounded ArithmeticMean(const std::vector<Weighted>& parts) {
  Rounded sum;
  for (const auto& [share, figure] : parts) sum = sum + figure * share;
  return sum;
}

Rounded HarmonicMean(const std::vector<Weighted>& parts) {
  Rounded time;
  for (const auto& [share, figure] : parts) time = time + Rounded::Exactly(share) / figure;
  return Rounded::Exactly(1) / time;
}

}  // namespace aio
