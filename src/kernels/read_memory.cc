// A plain streaming read, the measure of what memory gives.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "kernels/kernels.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/read_memory.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

uint64_t SumWords(const uint64_t* words, size_t count) {
  const hn::ScalableTag<uint64_t> d;
  constexpr size_t kLanes = hn::MaxLanes(d);
  auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  size_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    sum0 = hn::Add(sum0, hn::LoadU(d, words + i));
    sum1 = hn::Add(sum1, hn::LoadU(d, words + i + kLanes));
    sum2 = hn::Add(sum2, hn::LoadU(d, words + i + 2 * kLanes));
    sum3 = hn::Add(sum3, hn::LoadU(d, words + i + 3 * kLanes));
  }
  // Lane by lane: the instruction set's own sum may be one of signed numbers, which must not
  // overflow.
  alignas(64) uint64_t lanes[kLanes];
  hn::Store(hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3)), d, lanes);
  uint64_t total = 0;
  for (const uint64_t lane : lanes) total += lane;
  for (; i < count; ++i) total += words[i];
  return total;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(SumWords);

uint64_t SumOfWords(std::span<const uint64_t> words) {
  internal::EnsureTargetChosen();
  return HWY_DYNAMIC_DISPATCH(SumWords)(words.data(), words.size());
}

}  // namespace aio
#endif  // HWY_ONCE
