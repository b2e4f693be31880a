#include "base/random_bits.h"

#include <sys/random.h>

#include <array>
#include <cstddef>

#include "base/check.h"

namespace aio {
namespace {

// Fetched at a time: getrandom() gives as many bytes whole or not at all.
constexpr size_t kNumbers = 256 / sizeof(uint64_t);

struct Supply {
  std::array<uint64_t, kNumbers> numbers{};
  size_t left = 0;
};

}  // namespace

uint64_t RandomBits() {
  thread_local Supply supply;
  if (supply.left == 0) {
    const ssize_t got = ::getrandom(supply.numbers.data(), sizeof supply.numbers, 0);
    AIO_CHECK(got == sizeof supply.numbers, "the system has no random numbers");
    supply.left = kNumbers;
  }
  return supply.numbers[--supply.left];
}

}  // namespace aio
