// Tiles of quantised weights times some tokens: exact integer sums over the columns that
// share a scale, then scaled and summed in F32, in the order of the columns.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/quant_codes.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"
#include "kernels/tile_call.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quant_tiles.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/int_dot-inl.h"
#include "kernels/loads-inl.h"
#include "kernels/token_groups-inl.h"

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

constexpr size_t kVectors = kQuantTileRows / kLanes;
constexpr size_t kVectorBytes = kLanes * sizeof(uint32_t);
constexpr size_t kGroupBytes = kQuantTileRows * sizeof(uint32_t);  // 4 columns of all rows
// Tokens that share a pass over a tile: as many as the registers hold accumulators for.
// (Sanitizers multiply what is unrolled beyond what a compiler can take.)
#if HWY_TARGET == HWY_AVX3 && !defined(AIO_SANITIZED)
constexpr size_t kMaxTokens = 8;
#elif HWY_TARGET == HWY_SCALAR
constexpr size_t kMaxTokens = 1;
#else
constexpr size_t kMaxTokens = 2;
#endif

// Read ahead of the products: tiles are one stream, but its parts are used in jumps.
constexpr size_t kPrefetchBytes = 4096;

using HalfTag = hn::Rebind<hwy::float16_t, FloatTag>;

// The scales of kLanes rows.
HWY_INLINE FloatVector LoadHalves(const std::byte* data) {
  return hn::PromoteTo(FloatTag(),
                       hn::LoadU(HalfTag(), reinterpret_cast<const hwy::float16_t*>(data)));
}
HWY_INLINE FloatVector LoadBytes(const std::byte* data) {
  const hn::Rebind<int8_t, FloatTag> d;
  return hn::ConvertTo(FloatTag(),
                       hn::PromoteTo(hn::RebindToSigned<FloatTag>(),
                                     hn::LoadU(d, reinterpret_cast<const int8_t*>(data))));
}
HWY_INLINE CodeVector LoadCodes(const std::byte* data) {
  return hn::LoadU(CodeTag(), reinterpret_cast<const uint32_t*>(data));
}

// How each type makes codes and scales of the rows of one vector. `block` is where the
// tile's block of columns begins, plus the vector's own offset into each part: of a part
// with `size` bytes a row, vector v begins at v * kLanes * size. Runs() are 32 columns.
template <WeightType kType>
struct QuantFormat;

HWY_INLINE CodeVector Nibbles(const std::byte* nibbles, size_t v, size_t group) {
  const CodeVector both = LoadCodes(nibbles + group % 4 * kGroupBytes + v * kVectorBytes);
  const CodeVector mask = hn::Set(CodeTag(), 0x0f0f0f0fu);
  return hn::And(group < 4 ? both : hn::ShiftRight<4>(both), mask);
}

// kBits bits of each group above the nibble: 0x10 or 0x30 in every byte.
template <size_t kBits>
HWY_INLINE CodeVector HighBits(CodeVector packed, size_t index) {
  constexpr uint32_t kMask = kBits == 1 ? 0x10101010u : 0x30303030u;
  const size_t shift = kBits * index;  // of the bits wanted
  const CodeVector aligned = shift < 4 ? hn::ShiftLeftSame(packed, static_cast<int>(4 - shift))
                                       : hn::ShiftRightSame(packed, static_cast<int>(shift - 4));
  return hn::And(aligned, hn::Set(CodeTag(), kMask));
}

template <>
struct QuantFormat<WeightType::kQ8_0> {
  static constexpr size_t kRuns = 1;
  static constexpr bool kHasOffsets = false;
  static constexpr size_t kScaleRuns = 1;  // scales in a run of 32
  const std::byte* block;
  size_t v;
  HWY_INLINE FloatVector Scale(size_t) const { return LoadHalves(block + v * kLanes * 2); }
  HWY_INLINE CodeVector Codes(size_t, size_t g) const {
    return LoadCodes(block + 2 * kQuantTileRows + g * kGroupBytes + v * kVectorBytes);
  }
};

template <>
struct QuantFormat<WeightType::kQ4_0> {
  static constexpr size_t kRuns = 1;
  static constexpr bool kHasOffsets = false;
  static constexpr size_t kScaleRuns = 1;
  const std::byte* block;
  size_t v;
  HWY_INLINE FloatVector Scale(size_t) const { return LoadHalves(block + v * kLanes * 2); }
  HWY_INLINE CodeVector Codes(size_t, size_t g) const {
    return Nibbles(block + 2 * kQuantTileRows, v, g);
  }
};

// Q4_K and Q5_K: scales and offsets of six bits.
template <size_t kRunBytes>
struct SixBitFormat {
  static constexpr size_t kRuns = 8;
  static constexpr bool kHasOffsets = true;
  static constexpr size_t kScaleRuns = 1;
  const std::byte* block;
  size_t v;

  HWY_INLINE CodeVector Word(size_t w) const {
    return LoadCodes(block + 4 * kQuantTileRows + w * kGroupBytes + v * kVectorBytes);
  }
  // See UnpackSixBits(): the first four runs have their six bits together.
  HWY_INLINE FloatVector SixBits(size_t run, size_t word) const {
    const int shift = static_cast<int>(8 * (run % 4));
    CodeVector bits;
    if (run < 4) {
      bits = hn::And(hn::ShiftRightSame(Word(word), shift), hn::Set(CodeTag(), 63u));
    } else {
      const int nibble = shift + (word == 1 ? 4 : 0);
      const CodeVector low = hn::And(hn::ShiftRightSame(Word(2), nibble), hn::Set(CodeTag(), 15u));
      const CodeVector high =
          hn::And(hn::ShiftRightSame(Word(word), shift + 6), hn::Set(CodeTag(), 3u));
      bits = hn::Or(low, hn::ShiftLeft<4>(high));
    }
    return hn::ConvertTo(FloatTag(), hn::BitCast(hn::RebindToSigned<FloatTag>(), bits));
  }
  HWY_INLINE FloatVector Scale(size_t run) const {
    return hn::Mul(LoadHalves(block + v * kLanes * 2), SixBits(run, 0));
  }
  HWY_INLINE FloatVector Offset(size_t run) const {
    return hn::Mul(LoadHalves(block + 2 * kQuantTileRows + v * kLanes * 2), SixBits(run, 1));
  }
  HWY_INLINE const std::byte* Run(size_t run) const {
    return block + 4 * kQuantTileRows + 3 * kGroupBytes + run * kRunBytes;
  }
};

template <>
struct QuantFormat<WeightType::kQ4_K> : SixBitFormat<4 * kGroupBytes> {
  HWY_INLINE CodeVector Codes(size_t run, size_t g) const { return Nibbles(Run(run), v, g); }
};

template <>
struct QuantFormat<WeightType::kQ5_K> : SixBitFormat<5 * kGroupBytes> {
  HWY_INLINE CodeVector Codes(size_t run, size_t g) const {
    const CodeVector bits = LoadCodes(Run(run) + 4 * kGroupBytes + v * kVectorBytes);
    return hn::Or(Nibbles(Run(run), v, g), HighBits<1>(bits, g));
  }
};

template <>
struct QuantFormat<WeightType::kQ6_K> {
  static constexpr size_t kRuns = 8;
  static constexpr bool kHasOffsets = false;
  static constexpr size_t kScaleRuns = 2;
  static constexpr size_t kRunBytes = 6 * kGroupBytes;
  const std::byte* block;
  size_t v;
  // Of half a run.
  HWY_INLINE FloatVector Scale(size_t half_run) const {
    const std::byte* scales = block + 2 * kQuantTileRows + half_run * kQuantTileRows;
    return hn::Mul(LoadHalves(block + v * kLanes * 2), LoadBytes(scales + v * kLanes));
  }
  HWY_INLINE CodeVector Codes(size_t run, size_t g) const {
    const std::byte* data = block + 18 * kQuantTileRows + run * kRunBytes;
    const CodeVector bits = LoadCodes(data + (4 + g / 4) * kGroupBytes + v * kVectorBytes);
    return hn::Or(Nibbles(data, v, g), HighBits<2>(bits, g % 4));
  }
};

// y = total + bias for the rows from `row` on that are there.
HWY_NOINLINE void StoreTotal(const TileCall& call, size_t token, size_t row, FloatVector total) {
  const size_t rows = call.weights.rows;
  if (row >= rows) return;
  const size_t count = std::min(kLanes, rows - row);
  if (call.bias != nullptr) total = hn::Add(total, LoadUpTo(call.bias + row, count));
  StoreUpTo(total, call.y + token * rows + row, count);
}

// function(part, v) for the parts of a run that have a scale of their own and the vectors
// of a tile's rows. Where these are many they are a loop, with totals in memory: unrolled,
// they are more code than the cache of instructions, or a compiler, has room for.
template <size_t kParts, typename Function>
HWY_INLINE void ForEachPart(const Function& function) {
  Unroll<kParts>([&](auto part) AIO_UNROLLED {
    if constexpr (kVectors == 1) {
      function(part, std::integral_constant<size_t, 0>());
    } else {
#pragma GCC unroll 1
      for (size_t v = 0; v < kVectors; ++v) function(part, v);
    }
  });
}

// kTokens tokens times one tile.
template <class Dot, WeightType kType, size_t kTokens>
HWY_INLINE void QuantTile(const TileCall& call, size_t tile, size_t token) {
  using Format = QuantFormat<kType>;
  constexpr size_t kScaleRuns = Format::kScaleRuns;
  constexpr size_t kGroups = 8 / kScaleRuns;  // of four columns that share a scale
  const FloatTag d;
  const size_t runs = static_cast<size_t>(call.weights.columns) / MatMulScratch::kBlock;
  const int8_t* codes = call.codes + token * runs * kRunCodeBytes;
  const MatMulScratch::BlockSums* sums = call.sums + token * runs;
  const std::byte* weights = call.weights.data + tile * call.weights.tile_bytes();
  constexpr size_t kBlockBytes = static_cast<size_t>(BlockOf(kType).bytes) * kQuantTileRows;
  constexpr size_t kRunBytes = kBlockBytes / Format::kRuns;

  FloatVector total[kTokens][kVectors];
  Unroll<kTokens>([&](auto t) AIO_UNROLLED {
    Unroll<kVectors>([&](auto v) AIO_UNROLLED { total[t][v] = hn::Zero(d); });
  });
  for (size_t first = 0; first < runs; first += Format::kRuns) {
#pragma GCC unroll 1
    for (size_t run = 0; run < Format::kRuns; ++run) {
      Unroll<(kRunBytes + 63) / 64>([&](auto line) AIO_UNROLLED {
        __builtin_prefetch(weights + run * kRunBytes + line * 64 + kPrefetchBytes);
      });
      const MatMulScratch::BlockSums* run_sums = sums + (first + run) * kTokens;
      const int8_t* run_codes = codes + (first + run) * kTokens * kRunCodeBytes;
      ForEachPart<kScaleRuns>([&](auto part, auto v) AIO_UNROLLED {
        const Format format{weights, v};
        Dot dots[kTokens];
        Unroll<kTokens>([&](auto t) AIO_UNROLLED { dots[t].Clear(); });
        Unroll<kGroups>([&](auto i) AIO_UNROLLED {
          constexpr size_t kGroup = decltype(part)::value * kGroups + i;
          const typename Dot::Codes w = Dot::Prepare(format.Codes(run, kGroup));
          Unroll<kTokens>(
              [&](auto t) AIO_UNROLLED { dots[t].Add(w, run_codes + t * kRunCodeBytes, kGroup); });
        });
        const FloatVector scale = format.Scale(run * kScaleRuns + part);
        Unroll<kTokens>([&](auto t) AIO_UNROLLED {
          const MatMulScratch::BlockSums& s = run_sums[t];
          const int32_t sum = kScaleRuns == 2 ? s.halves[part] : s.halves[0] + s.halves[1];
          const FloatVector dot = hn::ConvertTo(d, dots[t].Total(-ZeroCode(kType) * sum));
          FloatVector& y = total[t][v];
          y = hn::MulAdd(dot, hn::Mul(scale, hn::Set(d, s.scale)), y);
          if constexpr (Format::kHasOffsets) {
            y = hn::NegMulAdd(format.Offset(run), hn::Set(d, s.sum), y);
          }
        });
      });
    }
    weights += kBlockBytes;
  }
  const size_t row = tile * kQuantTileRows;
  Unroll<kTokens>([&](auto t) AIO_UNROLLED {
    Unroll<kVectors>(
        [&](auto v) AIO_UNROLLED { StoreTotal(call, token + t, row + v * kLanes, total[t][v]); });
  });
}

// Tokens outermost: the task's weights stay in the cache for all of them.
template <class Dot, WeightType kType>
HWY_INLINE void QuantTiles(const TileCall& call, size_t begin, size_t end) {
  ForEachGroup<kMaxTokens>(call.tokens, [&](size_t token, auto count) HWY_ATTR {
    for (size_t tile = begin; tile < end; ++tile) {
      QuantTile<Dot, kType, decltype(count)::value>(call, tile, token);
    }
  });
}

template <class Dot>
HWY_INLINE void QuantTilesOfAnyType(const TileCall& call, size_t begin, size_t end) {
  switch (call.weights.type) {
    case WeightType::kQ4_0:
      return QuantTiles<Dot, WeightType::kQ4_0>(call, begin, end);
    case WeightType::kQ4_K:
      return QuantTiles<Dot, WeightType::kQ4_K>(call, begin, end);
    case WeightType::kQ5_K:
      return QuantTiles<Dot, WeightType::kQ5_K>(call, begin, end);
    case WeightType::kQ6_K:
      return QuantTiles<Dot, WeightType::kQ6_K>(call, begin, end);
    default:
      return QuantTiles<Dot, WeightType::kQ8_0>(call, begin, end);
  }
}

// Rounds 32 activations to integers of at most kMaxCode, relative to the largest.
template <class Dot>
HWY_INLINE void RoundRun(const float* x, int8_t* codes, MatMulScratch::BlockSums& sums) {
  constexpr size_t kRun = MatMulScratch::kBlock;
  constexpr float kMaxCode = 32512.0f;   // 127 * 256: high and low byte fit int8
  constexpr float kNothing = 0x1p-100f;  // smaller ones count as zero; 1 / it is finite
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  FloatVector largest = hn::Zero(d);
  for (size_t i = 0; i < kRun; i += kLanes) {
    largest = hn::Max(largest, hn::Abs(hn::LoadU(d, x + i)));
  }
  const float magnitude = hn::GetLane(hn::MaxOfLanes(d, largest));
  const FloatVector inverse = hn::Set(d, magnitude > kNothing ? kMaxCode / magnitude : 0.0f);
  alignas(64) int32_t rounded[kRun];
  for (size_t half = 0; half < 2; ++half) {
    auto sum = hn::Zero(di);
    for (size_t i = half * kRun / 2; i < (half + 1) * kRun / 2; i += kLanes) {
      const auto a = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), inverse));
      hn::Store(a, di, rounded + i);
      sum = hn::Add(sum, a);
    }
    sums.halves[half] = hn::GetLane(hn::SumOfLanes(di, sum));
  }
  sums.scale = magnitude > kNothing ? magnitude / kMaxCode : 0.0f;
  sums.sum = sums.scale * static_cast<float>(sums.halves[0] + sums.halves[1]);
  Dot::Store(rounded, codes);
}

// Runs [begin, end) of every token, the tokens of a group side by side.
template <class Dot>
HWY_INLINE void RoundRuns(const float* x, size_t tokens, size_t columns, size_t begin, size_t end,
                          int8_t* codes, MatMulScratch::BlockSums* sums) {
  const size_t runs = columns / MatMulScratch::kBlock;
  ForEachGroup<kMaxTokens>(tokens, [&](size_t token, auto count) HWY_ATTR {
    for (size_t t = 0; t < count; ++t) {
      for (size_t run = begin; run < end; ++run) {
        const size_t at = token * runs + run * count + t;
        RoundRun<Dot>(x + (token + t) * columns + run * MatMulScratch::kBlock,
                      codes + at * kRunCodeBytes, sums[at]);
      }
    }
  });
}

void QuantTilesWide(const TileCall& call, size_t begin, size_t end) {
  QuantTilesOfAnyType<WideDot>(call, begin, end);
}
void RoundRunsWide(const float* x, size_t tokens, size_t columns, size_t begin, size_t end,
                   int8_t* codes, MatMulScratch::BlockSums* sums) {
  RoundRuns<WideDot>(x, tokens, columns, begin, end, codes, sums);
}
#if HWY_TARGET == HWY_AVX3
void QuantTilesVnni(const TileCall& call, size_t begin, size_t end) {
  QuantTilesOfAnyType<VnniDot>(call, begin, end);
}
void RoundRunsVnni(const float* x, size_t tokens, size_t columns, size_t begin, size_t end,
                   int8_t* codes, MatMulScratch::BlockSums* sums) {
  RoundRuns<VnniDot>(x, tokens, columns, begin, end, codes, sums);
}
#endif

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(QuantTilesWide);
HWY_EXPORT(RoundRunsWide);

// VNNI is a choice within AVX-512 (target.h), not a target of Highway's.
void MultiplyQuantTiles(const TileCall& call, size_t begin, size_t end) {
#if HWY_TARGETS & HWY_AVX3
  if (internal::HasVnni()) return N_AVX3::QuantTilesVnni(call, begin, end);
#endif
  HWY_DYNAMIC_DISPATCH(QuantTilesWide)(call, begin, end);
}

void RoundActivations(std::span<const float> x, size_t tokens, size_t begin, size_t end,
                      int8_t* codes, MatMulScratch::BlockSums* sums) {
  const size_t columns = x.size() / tokens;
#if HWY_TARGETS & HWY_AVX3
  if (internal::HasVnni()) {
    return N_AVX3::RoundRunsVnni(x.data(), tokens, columns, begin, end, codes, sums);
  }
#endif
  HWY_DYNAMIC_DISPATCH(RoundRunsWide)(x.data(), tokens, columns, begin, end, codes, sums);
}

}  // namespace aio
#endif  // HWY_ONCE
