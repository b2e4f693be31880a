#include "sim/sim_random.h"

#include <cmath>
#include <numbers>

namespace aio {

uint64_t SimRandom::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double SimRandom::Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

double SimRandom::Exponential() { return -std::log(1 - Uniform()); }

double SimRandom::Normal() {
  const double radius = std::sqrt(2 * Exponential());
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

double SimRandom::Gamma(double shape) {
  // Below 1: Gamma(shape) = Gamma(shape + 1) * U^(1/shape).
  if (shape < 1) return Gamma(shape + 1) * std::pow(1 - Uniform(), 1 / shape);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = Normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - Uniform()) < x * x / 2 + d * (1 - v + std::log(v))) return d * v;
  }
}

size_t SimRandom::Index(std::span<const double> weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  double at = Uniform() * sum;
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    if (at < weights[i]) return i;
    at -= weights[i];
  }
  return weights.size() - 1;
}

}  // namespace aio
