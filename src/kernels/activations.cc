// Operations on rows of activations: norm, SwiGLU, addition, conversion.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.h"
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activations.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/exp-inl.h"
#include "kernels/loads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

float SumOfSquares(const float* x, size_t size) {
  const FloatTag d;
  FloatVector sum0 = hn::Zero(d);
  FloatVector sum1 = hn::Zero(d);
  size_t i = 0;
  for (; i + 2 * kLanes <= size; i += 2 * kLanes) {
    const FloatVector x0 = hn::LoadU(d, x + i);
    const FloatVector x1 = hn::LoadU(d, x + i + kLanes);
    sum0 = hn::MulAdd(x0, x0, sum0);
    sum1 = hn::MulAdd(x1, x1, sum1);
  }
  ForEachVector(size - i, [&](size_t offset, size_t count) HWY_ATTR {
    const FloatVector v = LoadUpTo(x + i + offset, count);
    sum0 = hn::MulAdd(v, v, sum0);
  });
  return SumLanes(hn::Add(sum0, sum1));
}

void RmsNormRow(const float* x, const float* weight, size_t size, float epsilon, float* out) {
  const float mean = SumOfSquares(x, size) / static_cast<float>(size);
  const FloatVector scale = hn::Set(FloatTag(), 1.0f / std::sqrt(mean + epsilon));
  ForEachVector(size, [&](size_t i, size_t count) HWY_ATTR {
    const FloatVector normed = hn::Mul(LoadUpTo(x + i, count), scale);
    StoreUpTo(hn::Mul(normed, LoadUpTo(weight + i, count)), out + i, count);
  });
}

void AddRow(float* x, const float* y, size_t size) {
  ForEachVector(size, [&](size_t i, size_t count) HWY_ATTR {
    StoreUpTo(hn::Add(LoadUpTo(x + i, count), LoadUpTo(y + i, count)), x + i, count);
  });
}

void SwiGluRow(float* gate, const float* up, size_t size) {
  const FloatVector one = hn::Set(FloatTag(), 1.0f);
  ForEachVector(size, [&](size_t i, size_t count) HWY_ATTR {
    const FloatVector g = LoadUpTo(gate + i, count);
    const FloatVector silu = hn::Div(g, hn::Add(one, BoundedExp(hn::Neg(g))));
    StoreUpTo(hn::Mul(silu, LoadUpTo(up + i, count)), gate + i, count);
  });
}

void EncodeF16Row(const float* x, size_t size, std::byte* out) {
  size_t i = 0;
  // Highway's own conversion rounds to nearest even only where the machine has one.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  const hn::Rebind<hwy::float16_t, FloatTag> half_tag;
  hwy::float16_t* halves = reinterpret_cast<hwy::float16_t*>(out);
  for (; i + kLanes <= size; i += kLanes) {
    hn::StoreU(hn::DemoteTo(half_tag, hn::LoadU(FloatTag(), x + i)), half_tag, halves + i);
  }
#endif
  for (; i < size; ++i) {
    const uint16_t half = F32ToF16(x[i]);
    std::memcpy(out + i * sizeof(half), &half, sizeof(half));
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(RmsNormRow);
HWY_EXPORT(AddRow);
HWY_EXPORT(SwiGluRow);
HWY_EXPORT(EncodeF16Row);

void RmsNorm(std::span<const float> x, std::span<const float> weight, float epsilon,
             std::span<float> out) {
  AIO_CHECK(x.size() == weight.size() && x.size() == out.size());
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(RmsNormRow)(x.data(), weight.data(), x.size(), epsilon, out.data());
}

void AddInPlace(std::span<float> x, std::span<const float> y) {
  AIO_CHECK(x.size() == y.size());
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(AddRow)(x.data(), y.data(), x.size());
}

void SwiGluInPlace(std::span<float> gate, std::span<const float> up) {
  AIO_CHECK(gate.size() == up.size());
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(SwiGluRow)(gate.data(), up.data(), gate.size());
}

void EncodeF16(std::span<const float> x, std::byte* out) {
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(EncodeF16Row)(x.data(), x.size(), out);
}

}  // namespace aio
#endif  // HWY_ONCE
