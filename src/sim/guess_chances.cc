#include "sim/guess_chances.h"

namespace aio {

// SplitMix64 (Steele, Lea and Flood 2014).
double GuessChances::Uniform() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

int GuessChances::Draw(int count) {
  int kept = 0;
  while (kept < count && Uniform() < probability_) ++kept;
  return kept;
}

}  // namespace aio
