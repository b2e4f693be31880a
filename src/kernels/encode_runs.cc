#include "kernels/encode_runs.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/half.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/encode_runs.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 8 lanes, one a run, so that a block is whole vectors everywhere.
using RunTag = hn::CappedTag<float, 8>;
using RunVector = hn::Vec<RunTag>;
constexpr size_t kRunLanes = hn::MaxLanes(RunTag());  // exact: no scalable targets
constexpr RunTag kTag;

HWY_INLINE RunVector Splat(float value) { return hn::Set(kTag, value); }

// 1 / x, but 0 for 0.
HWY_INLINE RunVector Inverse(RunVector x) {
  const auto none = hn::Eq(x, hn::Zero(kTag));
  return hn::IfThenZeroElse(none, hn::Div(Splat(1.0f), x));
}

// The nearest of 0..most to `value`, a tie to the even one.
HWY_INLINE RunVector NearestCode(RunVector value, RunVector most) {
  return hn::Min(hn::Max(hn::Round(value), hn::Zero(kTag)), most);
}

// Value i of run r at [i][r]: a vector is the same value of neighbouring runs.
template <int kRuns, int kValues>
struct Columns {
  explicit Columns(const float* values) {
    for (int run = 0; run < kRuns; ++run) {
      for (int i = 0; i < kValues; ++i) at[i][run] = values[run * kValues + i];
    }
  }
  HWY_INLINE RunVector Load(int i, size_t run) const { return hn::Load(kTag, &at[i][run]); }

  alignas(64) float at[kValues][kRuns];
};

// --- Q4_K and Q5_K.

using SixBitColumns = Columns<8, 32>;

// values ~ scale * code - offset, of as many runs as there are lanes.
struct Affine {
  RunVector scale;
  RunVector offset;
};

// Sums over a run that do not depend on the codes.
struct ValueSums {
  RunVector low;   // the least value or 0
  RunVector high;  // the largest value
  RunVector v;
  RunVector vv;
};
HWY_INLINE ValueSums SumValues(const SixBitColumns& columns, size_t run) {
  const RunVector zero = hn::Zero(kTag);
  ValueSums sums{zero, columns.Load(0, run), zero, zero};
  for (int i = 0; i < 32; ++i) {
    const RunVector value = columns.Load(i, run);
    sums.low = hn::Min(sums.low, value);
    sums.high = hn::Max(sums.high, value);
    sums.v = hn::Add(sums.v, value);
    sums.vv = hn::Add(sums.vv, hn::Mul(value, value));
  }
  return sums;
}

struct CodeSums {
  RunVector c;
  RunVector cc;
  RunVector cv;
};
// Over the codes that `fit` gives the values.
HWY_INLINE CodeSums SumCodes(const SixBitColumns& columns, size_t run, Affine fit, RunVector most) {
  const RunVector inverse = Inverse(fit.scale);
  CodeSums sums{hn::Zero(kTag), hn::Zero(kTag), hn::Zero(kTag)};
  for (int i = 0; i < 32; ++i) {
    const RunVector value = columns.Load(i, run);
    const RunVector code = NearestCode(hn::Mul(hn::Add(value, fit.offset), inverse), most);
    sums.c = hn::Add(sums.c, code);
    sums.cc = hn::Add(sums.cc, hn::Mul(code, code));
    sums.cv = hn::Add(sums.cv, hn::Mul(code, value));
  }
  return sums;
}

// The line of least squares through the points (code, value); through the origin where it
// would leave an offset below 0; `fit` where there is none.
HWY_INLINE Affine LeastSquares(const CodeSums& codes, const ValueSums& values, Affine fit) {
  const RunVector n = Splat(32.0f);
  const RunVector zero = hn::Zero(kTag);
  const RunVector determinant = hn::Sub(hn::Mul(n, codes.cc), hn::Mul(codes.c, codes.c));
  const RunVector slope =
      hn::Div(hn::Sub(hn::Mul(n, codes.cv), hn::Mul(codes.c, values.v)), determinant);
  const RunVector offset = hn::Mul(hn::Sub(hn::Mul(slope, codes.c), values.v), Splat(0.03125f));
  const auto above = hn::Lt(offset, zero);
  const RunVector scale = hn::IfThenElse(above, hn::Div(codes.cv, codes.cc), slope);
  const auto valid = hn::And(hn::Gt(determinant, zero), hn::Gt(scale, zero));
  return {hn::IfThenElse(valid, scale, fit.scale),
          hn::IfThenElse(valid, hn::Max(offset, zero), fit.offset)};
}

// The squared error of `fit` with the codes that were summed, less the sum of the squared
// values: enough to compare by.
HWY_INLINE RunVector Error(const CodeSums& codes, const ValueSums& values, Affine fit) {
  const RunVector two = Splat(2.0f);
  const RunVector by_scale = hn::Sub(hn::Mul(fit.scale, codes.cc),
                                     hn::Mul(two, hn::Add(hn::Mul(fit.offset, codes.c), codes.cv)));
  const RunVector by_offset = hn::Add(hn::Mul(Splat(32.0f), fit.offset), hn::Mul(two, values.v));
  return hn::Add(hn::Mul(fit.scale, by_scale), hn::Mul(fit.offset, by_offset));
}

// Starts from the range of the values, narrowed or widened, and improves each start by least
// squares over the codes it gives.
HWY_INLINE Affine Fit(const SixBitColumns& columns, size_t run, const ValueSums& values,
                      RunVector most) {
  const RunVector range = hn::Sub(values.high, values.low);
  Affine best{hn::Zero(kTag), hn::Neg(values.low)};
  RunVector best_error = Splat(INFINITY);
  constexpr int kRounds = 3;
  for (const float stretch : {0.75f, 0.8f, 0.85f, 0.9f, 0.95f, 1.0f, 1.05f}) {
    Affine fit{hn::Div(hn::Mul(Splat(stretch), range), most), hn::Mul(Splat(-stretch), values.low)};
    for (int round = 0; round < kRounds; ++round) {
      const CodeSums codes = SumCodes(columns, run, fit, most);
      fit = LeastSquares(codes, values, fit);
      const RunVector error = Error(codes, values, fit);
      const auto better = hn::Lt(error, best_error);
      best_error = hn::IfThenElse(better, error, best_error);
      best.scale = hn::IfThenElse(better, fit.scale, best.scale);
      best.offset = hn::IfThenElse(better, fit.offset, best.offset);
    }
  }
  return best;
}

// What `value` will be read as from the half it is stored in.
HWY_INLINE float AsHalf(float value) { return F16ToF32(F32ToF16(value)); }

// A block's two halves as they will be read, and its six-bit numbers as floats.
struct SixBitFit {
  float d = 0.0f;
  float dmin = 0.0f;
  alignas(64) float scales[8] = {};
  alignas(64) float offsets[8] = {};
};

HWY_INLINE Affine RunFit(const SixBitFit& fit, size_t run) {
  return {hn::Mul(Splat(fit.d), hn::Load(kTag, fit.scales + run)),
          hn::Mul(Splat(fit.dmin), hn::Load(kTag, fit.offsets + run))};
}

// Chooses each run's six-bit numbers anew under the block's halves: its scale or a
// neighbouring one, and the offset that then fits best.
HWY_INLINE void ChooseSixBits(const SixBitColumns& columns, RunVector most, SixBitFit& fit) {
  const RunVector zero = hn::Zero(kTag);
  const RunVector top = Splat(63.0f);
  const RunVector d = Splat(fit.d);
  const RunVector dmin = Splat(fit.dmin);
  const RunVector inverse_dmin = Inverse(dmin);
  for (size_t run = 0; run < 8; run += kRunLanes) {
    const ValueSums values = SumValues(columns, run);
    const RunVector scale = hn::Load(kTag, fit.scales + run);
    RunVector offset = hn::Load(kTag, fit.offsets + run);
    RunVector best_scale = scale;
    RunVector best_offset = offset;
    RunVector best_error = Splat(INFINITY);
    for (const float step : {0.0f, -1.0f, 1.0f}) {
      const RunVector near = hn::Min(hn::Max(hn::Add(scale, Splat(step)), zero), top);
      const Affine now{hn::Mul(d, near), hn::Mul(dmin, offset)};
      const CodeSums codes = SumCodes(columns, run, now, most);
      const RunVector wanted =
          hn::Mul(hn::Sub(hn::Mul(now.scale, codes.c), values.v), Splat(0.03125f));
      const RunVector fitting = NearestCode(hn::Mul(wanted, inverse_dmin), top);
      const RunVector error = Error(codes, values, {now.scale, hn::Mul(dmin, fitting)});
      const auto better = hn::Lt(error, best_error);
      best_error = hn::IfThenElse(better, error, best_error);
      best_scale = hn::IfThenElse(better, near, best_scale);
      best_offset = hn::IfThenElse(better, fitting, best_offset);
    }
    hn::Store(best_scale, kTag, fit.scales + run);
    hn::Store(best_offset, kTag, fit.offsets + run);
  }
}

// The halves of least squares for the codes that `fit` gives.
HWY_INLINE void RefitHalves(const SixBitColumns& columns, RunVector most, SixBitFit& fit) {
  alignas(64) float c[8], cc[8], cv[8], v[8];
  for (size_t run = 0; run < 8; run += kRunLanes) {
    const CodeSums codes = SumCodes(columns, run, RunFit(fit, run), most);
    hn::Store(codes.c, kTag, c + run);
    hn::Store(codes.cc, kTag, cc + run);
    hn::Store(codes.cv, kTag, cv + run);
    hn::Store(SumValues(columns, run).v, kTag, v + run);
  }
  // value ~ d * a - dmin * b with a = scale * code and b = offset.
  double aa = 0, ab = 0, bb = 0, av = 0, bv = 0;
  for (int run = 0; run < 8; ++run) {
    const double scale = fit.scales[run];
    const double offset = fit.offsets[run];
    aa += scale * scale * cc[run];
    ab += scale * offset * c[run];
    bb += offset * offset * 32.0;
    av += scale * cv[run];
    bv += offset * v[run];
  }
  const double determinant = aa * bb - ab * ab;
  if (!(determinant > 1e-9 * aa * bb)) return;
  const double d = (av * bb - ab * bv) / determinant;
  const double dmin = (ab * av - aa * bv) / determinant;
  if (!(d > 0 && dmin > 0 && d < 65504 && dmin < 65504)) return;
  fit.d = AsHalf(static_cast<float>(d));
  fit.dmin = AsHalf(static_cast<float>(dmin));
}

// Every run's own best, rounded to six bits under halves that the largest of them sets.
HWY_INLINE SixBitFit FirstFit(const SixBitColumns& columns, RunVector most) {
  SixBitFit fit;
  for (size_t run = 0; run < 8; run += kRunLanes) {
    const Affine affine = Fit(columns, run, SumValues(columns, run), most);
    hn::Store(affine.scale, kTag, fit.scales + run);
    hn::Store(affine.offset, kTag, fit.offsets + run);
  }
  fit.d = AsHalf(*std::max_element(fit.scales, fit.scales + 8) / 63.0f);
  fit.dmin = AsHalf(*std::max_element(fit.offsets, fit.offsets + 8) / 63.0f);
  const auto round = [](float* numbers, float half) HWY_ATTR {
    for (size_t run = 0; run < 8; run += kRunLanes) {
      const RunVector exact = hn::Mul(hn::Load(kTag, numbers + run), Inverse(Splat(half)));
      hn::Store(NearestCode(exact, Splat(63.0f)), kTag, numbers + run);
    }
  };
  round(fit.scales, fit.d);
  round(fit.offsets, fit.dmin);
  return fit;
}

void EncodeSixBit(const float* values, int most_code, SixBitBlock& block) {
  const SixBitColumns columns(values);
  const RunVector most = Splat(static_cast<float>(most_code));
  SixBitFit fit = FirstFit(columns, most);
  constexpr int kRefits = 2;
  for (int i = 0; i < kRefits; ++i) {
    ChooseSixBits(columns, most, fit);
    RefitHalves(columns, most, fit);
  }
  block.d = F32ToF16(fit.d);
  block.dmin = F32ToF16(fit.dmin);
  for (int run = 0; run < 8; ++run) {
    block.scales[run] = static_cast<uint8_t>(fit.scales[run]);
    block.offsets[run] = static_cast<uint8_t>(fit.offsets[run]);
  }
  alignas(64) float codes[8];
  for (size_t run = 0; run < 8; run += kRunLanes) {
    const Affine affine = RunFit(fit, run);
    const RunVector inverse = Inverse(affine.scale);
    for (int i = 0; i < 32; ++i) {
      const RunVector value = columns.Load(i, run);
      hn::Store(NearestCode(hn::Mul(hn::Add(value, affine.offset), inverse), most), kTag, codes);
      for (size_t lane = 0; lane < kRunLanes; ++lane) {
        block.codes[32 * (run + lane) + i] = static_cast<uint8_t>(codes[lane]);
      }
    }
  }
}

// --- Q6_K.

using SymmetricColumns = Columns<16, 16>;

// The value of largest magnitude of each run, with its sign.
HWY_INLINE RunVector Extremes(const SymmetricColumns& columns, size_t run) {
  RunVector extreme = hn::Zero(kTag);
  for (int i = 0; i < 16; ++i) {
    const RunVector value = columns.Load(i, run);
    extreme = hn::IfThenElse(hn::Gt(hn::Abs(value), hn::Abs(extreme)), value, extreme);
  }
  return extreme;
}

HWY_INLINE RunVector SymmetricCode(RunVector value, RunVector inverse) {
  return NearestCode(hn::Add(hn::Mul(value, inverse), Splat(32.0f)), Splat(63.0f));
}

// values ~ scale * (code - 32): starts that put the extreme near the far code, each improved
// by least squares over the codes it gives, which leaves an error of
// (squared values) - (cv)^2 / cc.
HWY_INLINE RunVector FitSymmetric(const SymmetricColumns& columns, size_t run) {
  const RunVector extreme = Extremes(columns, run);
  RunVector best = hn::Zero(kTag);
  RunVector best_gain = hn::Zero(kTag);
  for (const float levels :
       {-36.0f, -35.0f, -34.0f, -33.0f, -32.0f, -31.0f, -30.0f, -29.0f, -28.0f}) {
    const RunVector inverse = Inverse(hn::Mul(extreme, Splat(1.0f / levels)));
    RunVector cc = hn::Zero(kTag);
    RunVector cv = hn::Zero(kTag);
    for (int i = 0; i < 16; ++i) {
      const RunVector value = columns.Load(i, run);
      const RunVector code = hn::Sub(SymmetricCode(value, inverse), Splat(32.0f));
      cc = hn::Add(cc, hn::Mul(code, code));
      cv = hn::Add(cv, hn::Mul(code, value));
    }
    const RunVector scale = hn::Mul(cv, Inverse(cc));
    const RunVector gain = hn::Mul(scale, cv);
    const auto better = hn::Gt(gain, best_gain);
    best_gain = hn::IfThenElse(better, gain, best_gain);
    best = hn::IfThenElse(better, scale, best);
  }
  return best;
}

void EncodeSymmetric(const float* values, SymmetricBlock& block) {
  const SymmetricColumns columns(values);
  alignas(64) float scales[16];
  for (size_t run = 0; run < 16; run += kRunLanes) {
    hn::Store(FitSymmetric(columns, run), kTag, scales + run);
  }
  float largest = 0.0f;
  for (const float scale : scales) largest = std::max(largest, std::abs(scale));
  block.d = F32ToF16(largest / 127.0f);
  const RunVector d = Splat(F16ToF32(block.d));
  alignas(64) float lanes[8];
  for (size_t run = 0; run < 16; run += kRunLanes) {
    const RunVector exact = hn::Mul(hn::Load(kTag, scales + run), Inverse(d));
    const RunVector scale = hn::Min(hn::Max(hn::Round(exact), Splat(-127.0f)), Splat(127.0f));
    hn::Store(scale, kTag, lanes);
    for (size_t lane = 0; lane < kRunLanes; ++lane) {
      block.scales[run + lane] = static_cast<int8_t>(lanes[lane]);
    }
    const RunVector inverse = Inverse(hn::Mul(d, scale));
    for (int i = 0; i < 16; ++i) {
      hn::Store(SymmetricCode(columns.Load(i, run), inverse), kTag, lanes);
      for (size_t lane = 0; lane < kRunLanes; ++lane) {
        block.codes[16 * (run + lane) + i] = static_cast<uint8_t>(lanes[lane]);
      }
    }
  }
}

// --- Q8_0.

void EncodeQ8(const float* values, size_t count, std::byte* out) {
  const hn::Rebind<int8_t, RunTag> byte_tag;
  alignas(64) float lanes[8];
  for (size_t block = 0; block < count; block += 32, out += 34) {
    RunVector most = hn::Zero(kTag);
    for (size_t i = 0; i < 32; i += kRunLanes) {
      most = hn::Max(most, hn::Abs(hn::LoadU(kTag, values + block + i)));
    }
    hn::Store(most, kTag, lanes);
    const uint16_t scale = F32ToF16(*std::max_element(lanes, lanes + kRunLanes) / 127.0f);
    std::memcpy(out, &scale, sizeof(scale));
    const RunVector inverse = Inverse(Splat(F16ToF32(scale)));
    for (size_t i = 0; i < 32; i += kRunLanes) {
      const RunVector code = hn::Mul(hn::LoadU(kTag, values + block + i), inverse);
      const RunVector bounded = hn::Min(hn::Max(code, Splat(-127.0f)), Splat(127.0f));
      hn::StoreU(hn::DemoteTo(byte_tag, hn::NearestInt(bounded)), byte_tag,
                 reinterpret_cast<int8_t*>(out + 2 + i));
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(EncodeSixBit);
HWY_EXPORT(EncodeSymmetric);
HWY_EXPORT(EncodeQ8);

void EncodeSixBitRuns(const float* values, int most, SixBitBlock& block) {
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(EncodeSixBit)(values, most, block);
}

void EncodeSymmetricRuns(const float* values, SymmetricBlock& block) {
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(EncodeSymmetric)(values, block);
}

void EncodeQ8Blocks(const float* values, size_t count, std::byte* out) {
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(EncodeQ8)(values, count, out);
}

}  // namespace aio
#endif  // HWY_ONCE
