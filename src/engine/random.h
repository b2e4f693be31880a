// Randomness as a pure function of (seed, position): nothing to carry from token to
// token, so a seeded answer cannot depend on batching, chunking or speculation.
#ifndef AIO_ENGINE_RANDOM_H_
#define AIO_ENGINE_RANDOM_H_

#include <array>
#include <cstdint>

namespace aio {

// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011). Ten rounds of a keyed bijection over the counter.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// Uniform in [0, 1) with 53 random bits.
double UniformAt(uint64_t seed, uint64_t position);

}  // namespace aio

#endif  // AIO_ENGINE_RANDOM_H_
