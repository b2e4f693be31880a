// Loops that are unrolled for certain, and how tokens are split over the passes of a tile;
// per target, guard as in loads-inl.h.
#include <cstddef>
#include <type_traits>

#include <hwy/highway.h>

#if defined(AIO_KERNELS_TOKEN_GROUPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AIO_KERNELS_TOKEN_GROUPS_INL_H_
#undef AIO_KERNELS_TOKEN_GROUPS_INL_H_
#else
#define AIO_KERNELS_TOKEN_GROUPS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

// For lambdas that Unroll() calls.
#ifndef AIO_UNROLLED
#define AIO_UNROLLED HWY_ATTR __attribute__((always_inline))
#endif

// function(integral_constant<i>) for i in [0, kCount), in order. Unlike a loop with a pragma
// it is unrolled from the start, so that arrays indexed with i always become registers.
template <size_t kCount, typename Function>
HWY_INLINE void Unroll(const Function& function) {
  if constexpr (kCount > 0) {
    Unroll<kCount - 1>(function);
    function(std::integral_constant<size_t, kCount - 1>());
  }
}

// function(integral_constant<count>) for 1 <= count <= kMax.
template <size_t kMax, typename Function>
HWY_INLINE void DispatchCount(size_t count, const Function& function) {
  if constexpr (kMax > 1) {
    if (count < kMax) return DispatchCount<kMax - 1>(count, function);
  }
  function(std::integral_constant<size_t, kMax>());
}

// Calls function(token, integral_constant<count>) for groups of at most kMax that cover
// `tokens`, as even as can be.
template <size_t kMax, typename Function>
HWY_INLINE void ForEachGroup(size_t tokens, const Function& function) {
  const size_t groups = (tokens + kMax - 1) / kMax;
  size_t token = 0;
  for (size_t left = groups; left > 0; --left) {
    const size_t count = (tokens - token + left - 1) / left;
    DispatchCount<kMax>(count, [&](auto constant) HWY_ATTR { function(token, constant); });
    token += count;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggle
