// Rotation is a vanishing share of a step and its angles want double precision, so this
// is plain C++: multiplications and additions in a fixed order, the same bits everywhere.
#include <cmath>

#include "base/check.h"
#include "kernels/kernels.h"

namespace aio {

void RopeAngles(int position, std::span<const double> frequencies, std::span<float> cos,
                std::span<float> sin) {
  AIO_CHECK(cos.size() == frequencies.size() && sin.size() == frequencies.size());
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double angle = static_cast<double>(position) * frequencies[i];
    cos[i] = static_cast<float>(std::cos(angle));
    sin[i] = static_cast<float>(std::sin(angle));
  }
}

void RopeInPlace(std::span<float> heads, int head_size, RopePairing pairing,
                 std::span<const float> cos, std::span<const float> sin) {
  const size_t pairs = cos.size();
  const size_t size = static_cast<size_t>(head_size);
  AIO_CHECK(sin.size() == pairs && 2 * pairs <= size && heads.size() % size == 0);
  // Where the pair's first member stands, and how far behind it the second.
  const size_t stride = pairing == RopePairing::kInterleaved ? 2 : 1;
  const size_t distance = pairing == RopePairing::kInterleaved ? 1 : pairs;
  for (float* head = heads.data(); head != heads.data() + heads.size(); head += size) {
    for (size_t i = 0; i < pairs; ++i) {
      float& first = head[i * stride];
      float& second = head[i * stride + distance];
      const float a = first;
      const float b = second;
      first = a * cos[i] - b * sin[i];
      second = a * sin[i] + b * cos[i];
    }
  }
}

}  // namespace aio
