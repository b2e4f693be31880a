// Exact dot products of unsigned 8-bit codes with 16-bit activations, per target; guard as
// in loads-inl.h. A lane is a row: four codes a lane, the same four activations in all. No
// sum overflows: 32 * 255 * 32512 < 2^28.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

#include "kernels/token_groups-inl.h"

#if defined(AIO_KERNELS_INT_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AIO_KERNELS_INT_DOT_INL_H_
#undef AIO_KERNELS_INT_DOT_INL_H_
#else
#define AIO_KERNELS_INT_DOT_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using CodeTag = hn::ScalableTag<uint32_t>;
using CodeVector = hn::Vec<CodeTag>;  // four codes a lane
using SumTag = hn::ScalableTag<int32_t>;
using SumVector = hn::Vec<SumTag>;

// Bytes that the activations of 32 columns take.
constexpr size_t kRunCodeBytes = 64;

HWY_INLINE void StoreEvenThenOdd(const int32_t* rounded, int8_t* run) {
  constexpr size_t kOrder[4] = {0, 2, 1, 3};
  for (size_t i = 0; i < 32; ++i) {
    const auto code = static_cast<int16_t>(rounded[i - i % 4 + kOrder[i % 4]]);
    std::memcpy(run + i * sizeof(code), &code, sizeof(code));
  }
}

// A Dot is an accumulator of one row a lane and one token:
//   Codes     codes of four columns, made ready once for all tokens
//   Prepare() makes them
//   Clear()   first: a constructor would be called in a loop, and keep an array of these
//             out of the registers
//   Add()     adds the products with group `group` of four activations of a run
//   Total()   the sum plus `correction`
//   Store()   writes 32 rounded activations in the order that Add() reads them in
//   Long      the same for few and long sums, where each addition waits for the one before
//
// WideDot widens the codes to 16 bits, the even ones of a lane and the odd ones apart, and
// multiplies in pairs: of every four activations, 0, 2, 1, 3 are stored.
#if HWY_TARGET == HWY_SCALAR
struct WideDot {
  using Long = WideDot;
  using Codes = uint32_t;
  static HWY_INLINE Codes Prepare(CodeVector codes) { return hn::GetLane(codes); }

  HWY_INLINE void Clear() { sum = 0; }
  HWY_INLINE void Add(Codes codes, const int8_t* run, size_t group) {
    int16_t a[4];
    std::memcpy(a, run + 8 * group, sizeof(a));
    const auto code = [&](int i) { return static_cast<int32_t>(codes >> (8 * i) & 255); };
    sum += code(0) * a[0] + code(2) * a[1] + code(1) * a[2] + code(3) * a[3];
  }
  HWY_INLINE SumVector Total(int32_t correction) const {
    return hn::Set(SumTag(), sum + correction);
  }

  static HWY_INLINE void Store(const int32_t* rounded, int8_t* run) {
    StoreEvenThenOdd(rounded, run);
  }

  int32_t sum;
};
#else
struct WideDot {
  using Long = WideDot;
  using PairTag = hn::Repartition<int16_t, CodeTag>;
  struct Codes {
    hn::Vec<PairTag> even;
    hn::Vec<PairTag> odd;
  };
  static HWY_INLINE Codes Prepare(CodeVector codes) {
    const hn::Repartition<uint16_t, CodeTag> d16;
    const auto pairs = hn::BitCast(d16, codes);
    return {hn::BitCast(PairTag(), hn::And(pairs, hn::Set(d16, 255))),
            hn::BitCast(PairTag(), hn::ShiftRight<8>(pairs))};
  }

#if HWY_TARGET == HWY_NEON
  // An implicit one would be compiled for the baseline, and could not call that of its vectors.
  HWY_INLINE WideDot() {}
#endif
  HWY_INLINE void Clear() { sum0 = sum1 = hn::Zero(SumTag()); }
  HWY_INLINE void Add(const Codes& codes, const int8_t* run, size_t group) {
    AddPairs(codes.even, run + 8 * group);
    AddPairs(codes.odd, run + 8 * group + 4);
  }
  HWY_INLINE SumVector Total(int32_t correction) const {
    return hn::Add(hn::RearrangeToOddPlusEven(sum0, sum1), hn::Set(SumTag(), correction));
  }

  static HWY_INLINE void Store(const int32_t* rounded, int8_t* run) {
    StoreEvenThenOdd(rounded, run);
  }

  SumVector sum0;
  SumVector sum1;

 private:
  HWY_INLINE void AddPairs(hn::Vec<PairTag> codes, const int8_t* pair) {
    int32_t bits;
    std::memcpy(&bits, pair, sizeof(bits));
    const auto activations = hn::BitCast(PairTag(), hn::Set(SumTag(), bits));
    sum0 = hn::ReorderWidenMulAccumulate(SumTag(), codes, activations, sum0, sum1);
  }
};
#endif  // scalar

#if HWY_TARGET == HWY_AVX3
// VNNI multiplies unsigned with signed bytes: the activations are split in two signed
// bytes, a = 256 * high + low, stored as the 32 high ones, then the 32 low ones. Highway
// 1.0 has no target for AVX-512 with VNNI that GCC compiles rightly (it asks for the other
// VNNI, of AVX), hence the instruction by its name.
template <size_t kChains>
struct VnniSums {
  using Long = VnniSums<2>;
  using Codes = CodeVector;
  static HWY_INLINE Codes Prepare(CodeVector codes) { return codes; }

  HWY_INLINE void Clear() {
    Unroll<kChains>([&](auto i) AIO_UNROLLED { high[i] = low[i] = hn::Zero(SumTag()); });
  }
  HWY_INLINE void Add(Codes codes, const int8_t* run, size_t group) {
    Multiply(codes, run + 4 * group, high[group % kChains]);
    Multiply(codes, run + 32 + 4 * group, low[group % kChains]);
  }
  HWY_INLINE SumVector Total(int32_t correction) const {
    SumVector sum = hn::Set(SumTag(), correction);
    Unroll<kChains>([&](auto i) AIO_UNROLLED {
      sum = hn::Add(sum, hn::Add(hn::ShiftLeft<8>(high[i]), low[i]));
    });
    return sum;
  }

  static HWY_INLINE void Store(const int32_t* rounded, int8_t* run) {
    const hn::Rebind<int8_t, SumTag> bytes;
    for (size_t i = 0; i < 32; i += hn::MaxLanes(SumTag())) {
      const SumVector a = hn::Load(SumTag(), rounded + i);
      const SumVector h = hn::ShiftRight<8>(hn::Add(a, hn::Set(SumTag(), 128)));
      hn::StoreU(hn::DemoteTo(bytes, h), bytes, run + i);
      hn::StoreU(hn::DemoteTo(bytes, hn::Sub(a, hn::ShiftLeft<8>(h))), bytes, run + 32 + i);
    }
  }

  SumVector high[kChains];
  SumVector low[kChains];

 private:
  static HWY_INLINE void Multiply(Codes codes, const int8_t* four, SumVector& sum) {
    struct Four {
      int8_t bytes[4];
    };
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(sum.raw)
        : "v"(codes.raw), "m"(*reinterpret_cast<const Four*>(four)));
  }
};
using VnniDot = VnniSums<1>;
#endif

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggle
