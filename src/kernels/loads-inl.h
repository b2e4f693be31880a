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

// A row of stored values. Load(offset) decodes kLanes values from `offset` on; `data` is
// where a multiple of 32 values begins, so that with a constant offset the block of a
// Q8_0 value is known when compiling, and its scale is decoded once.
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

template <>
struct StoredRow<WeightType::kQ8_0> {
  static HWY_INLINE size_t Bytes(size_t values) { return values / kQ8BlockValues * kQ8BlockBytes; }
  // scale * value is exact in F32: 11 bits times 8.
  static HWY_INLINE FloatVector Load(const std::byte* data, size_t offset) {
    const std::byte* block = data + Bytes(offset);
    const hn::Rebind<int8_t, FloatTag> byte_tag;
    const auto bytes =
        hn::LoadU(byte_tag, reinterpret_cast<const int8_t*>(block + 2) + offset % kQ8BlockValues);
    const auto integers = hn::PromoteTo(hn::RebindToSigned<FloatTag>(), bytes);
    return hn::Mul(Scale(block), hn::ConvertTo(FloatTag(), integers));
  }

 private:
  // The scale in every lane. Reads a few of the block's other bytes along with it, which
  // saves moving it through a general register.
  static HWY_INLINE FloatVector Scale(const std::byte* block) {
    const hn::CappedTag<float, 4> float_tag;
    const hn::Rebind<hwy::float16_t, decltype(float_tag)> half_tag;
    const auto halves = hn::LoadU(half_tag, reinterpret_cast<const hwy::float16_t*>(block));
    return hn::Set(FloatTag(), hn::GetLane(hn::PromoteTo(float_tag, halves)));
  }
};

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
