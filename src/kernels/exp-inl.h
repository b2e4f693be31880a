// exp(x) for vectors of floats, per target; guard as in loads-inl.h.
#include <hwy/highway.h>
//
#include <hwy/contrib/math/math-inl.h>

#if defined(AIO_KERNELS_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AIO_KERNELS_EXP_INL_H_
#undef AIO_KERNELS_EXP_INL_H_
#else
#define AIO_KERNELS_EXP_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

// Highway's exp within its domain: below -104 the result is zero, above 88 it is held at
// exp(88), about 1.7e38, rather than allowed to overflow. Every lane is computed alike.
template <class V>
HWY_INLINE V BoundedExp(V x) {
  const hwy::HWY_NAMESPACE::DFromV<V> d;
  namespace hn = hwy::HWY_NAMESPACE;
  const V bounded = hn::Min(hn::Max(x, hn::Set(d, -105.0f)), hn::Set(d, 88.0f));
  return hn::Exp(d, bounded);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggle
