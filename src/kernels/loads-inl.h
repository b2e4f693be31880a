// Decoding of stored values to vectors of floats, for each instruction set. Included
// once per target: the guard is Highway's toggle, not an include guard.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

#include "kernels/kernels.h"

#if defined(AIO_KERNELS_LOADS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AIO_KERNELS_LOADS_INL_H_
#undef AIO_KERNELS_LOADS_INL_H_
#else
#define AIO_KERNELS_LOADS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;
constexpr size_t kLanes = hn::MaxLanes(FloatTag());  // exact: no scalable targets

// A row of stored floats. Load(offset) decodes kLanes values from `offset` on.
template <WeightType kType>
struct StoredRow;

template <>
struct StoredRow<WeightType::kF32> {
  static constexpr size_t kValueBytes = sizeof(float);
  static HWY_INLINE size_t Bytes(size_t values) { return values * kValueBytes; }
  static HWY_INLINE FloatVector Load(const std::byte* data, size_t offset) {
    return hn::LoadU(FloatTag(), reinterpret_cast<const float*>(data) + offset);
  }
};

// hwy::float16_t or hwy::bfloat16_t.
template <typename Half>
struct StoredHalfRow {
  static constexpr size_t kValueBytes = sizeof(Half);
  static HWY_INLINE size_t Bytes(size_t values) { return values * kValueBytes; }
  static HWY_INLINE FloatVector Load(const std::byte* data, size_t offset) {
    const hn::Rebind<Half, FloatTag> half_tag;
    return hn::PromoteTo(FloatTag(),
                         hn::LoadU(half_tag, reinterpret_cast<const Half*>(data) + offset));
  }
};
template <>
struct StoredRow<WeightType::kF16> : StoredHalfRow<hwy::float16_t> {};
template <>
struct StoredRow<WeightType::kBF16> : StoredHalfRow<hwy::bfloat16_t> {};

// The last `count` < kLanes values of a row, the missing lanes zero. Never reads past the
// row: the file may end there.
template <WeightType kType>
HWY_INLINE FloatVector LoadTail(const std::byte* data, size_t offset, size_t count) {
  constexpr size_t kValueBytes = StoredRow<kType>::kValueBytes;
  alignas(64) std::byte padded[kLanes * kValueBytes] = {};
  std::memcpy(padded, data + offset * kValueBytes, count * kValueBytes);
  return StoredRow<kType>::Load(padded, 0);
}

HWY_INLINE FloatVector LoadTail(const float* data, size_t count) {
  return LoadTail<WeightType::kF32>(reinterpret_cast<const std::byte*>(data), 0, count);
}

HWY_INLINE void StoreTail(FloatVector value, float* out, size_t count) {
  alignas(64) float padded[kLanes];
  hn::Store(value, FloatTag(), padded);
  std::memcpy(out, padded, count * sizeof(float));
}

HWY_INLINE float SumLanes(FloatVector value) {
  return hn::GetLane(hn::SumOfLanes(FloatTag(), value));
}

// out[i] = function(i-th vector): whole vectors, then one padded one through the very
// same operations, so that no lane is computed another way than the others.
template <typename Function>
HWY_INLINE void ForEachVector(size_t size, const Function& function) {
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) function(i, kLanes);
  if (kLanes > 1 && i < size) function(i, size - i);
}

HWY_INLINE FloatVector LoadUpTo(const float* data, size_t count) {
  return kLanes == 1 || count == kLanes ? hn::LoadU(FloatTag(), data) : LoadTail(data, count);
}

HWY_INLINE void StoreUpTo(FloatVector value, float* out, size_t count) {
  if (kLanes == 1 || count == kLanes) {
    hn::StoreU(value, FloatTag(), out);
  } else {
    StoreTail(value, out, count);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggle
