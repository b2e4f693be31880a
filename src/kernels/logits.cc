// Operations over a vocabulary's logits.
#include <cstddef>
#include <limits>

#include "base/check.h"
#include "kernels/kernels.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/logits.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/exp-inl.h"
#include "kernels/loads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

// A comparison with NaN is false, so that NaN never takes a lane's place.
float Greatest(const float* x, size_t size) {
  const FloatTag d;
  FloatVector greatest = hn::Set(d, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const FloatVector v = hn::LoadU(d, x + i);
    greatest = hn::IfThenElse(hn::Gt(v, greatest), v, greatest);
  }
  float result = hn::GetLane(hn::MaxOfLanes(d, greatest));
  for (; i < size; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

size_t FirstGreatest(const float* x, size_t size) {
  const FloatTag d;
  const float greatest = Greatest(x, size);
  const FloatVector wanted = hn::Set(d, greatest);
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const auto found = hn::FindFirstTrue(d, hn::Eq(hn::LoadU(d, x + i), wanted));
    if (found >= 0) return i + static_cast<size_t>(found);
  }
  for (; i < size; ++i) {
    if (x[i] == greatest) return i;
  }
  return 0;
}

void ExpRelativeTo(const float* x, size_t size, float max, float scale, float* out) {
  const FloatTag d;
  const FloatVector shift = hn::Set(d, max);
  const FloatVector factor = hn::Set(d, scale);
  ForEachVector(size, [&](size_t i, size_t count) HWY_ATTR {
    const FloatVector v = LoadUpTo(x + i, count);
    const FloatVector weight = BoundedExp(hn::Mul(hn::Sub(v, shift), factor));
    StoreUpTo(hn::IfThenZeroElse(hn::IsNaN(v), weight), out + i, count);
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(FirstGreatest);
HWY_EXPORT(ExpRelativeTo);

size_t ArgMax(std::span<const float> x) {
  internal::EnsureTargetChosen();
  return HWY_DYNAMIC_DISPATCH(FirstGreatest)(x.data(), x.size());
}

void ExpRelative(std::span<const float> x, float max, float scale, std::span<float> out) {
  AIO_CHECK(x.size() == out.size());
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(ExpRelativeTo)(x.data(), x.size(), max, scale, out.data());
}

}  // namespace aio
#endif  // HWY_ONCE
