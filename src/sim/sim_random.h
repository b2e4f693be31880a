// The random numbers of simulations: the same on any machine for the same seed.
#ifndef AIO_SIM_SIM_RANDOM_H_
#define AIO_SIM_SIM_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace aio {

// SplitMix64 (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators").
class SimRandom {
 public:
  explicit SimRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next();
  double Uniform();  // in [0, 1)
  double Normal();   // mean 0, deviation 1 (Box and Muller 1958)
  // Mean `shape`; Marsaglia and Tsang (2000, "A Simple Method for Generating Gamma Variables").
  double Gamma(double shape);
  double Exponential();  // mean 1
  // An index into `weights`, in proportion; their sum > 0.
  size_t Index(std::span<const double> weights);

 private:
  uint64_t state_;
};

}  // namespace aio

#endif  // AIO_SIM_SIM_RANDOM_H_
