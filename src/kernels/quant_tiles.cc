// Tiles of quantised weights times some tokens: exact integer sums over the columns that
// share a scale, times their small scale where blocks have such; then scaled and summed in
// F32, block by block, in the order of the columns.
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

using HalfTag = hn::Rebind<hwy::float16_t, FloatTag>;

// The scales of kLanes rows.
HWY_INLINE FloatVector LoadHalves(const std::byte* data) {
  return hn::PromoteTo(FloatTag(),
                       hn::LoadU(HalfTag(), reinterpret_cast<const hwy::float16_t*>(data)));
}
HWY_INLINE SumVector LoadBytes(const std::byte* data) {
  const hn::Rebind<int8_t, SumTag> d;
  return hn::PromoteTo(SumTag(), hn::LoadU(d, reinterpret_cast<const int8_t*>(data)));
}
HWY_INLINE CodeVector LoadCodes(const std::byte* data) {
  return hn::LoadU(CodeTag(), reinterpret_cast<const uint32_t*>(data));
}

// kBits bits of each group above the nibble: 0x10 or 0x30 in every byte.
template <size_t kBits>
HWY_INLINE CodeVector HighBits(CodeVector packed, size_t shift) {
  constexpr uint32_t kMask = kBits == 1 ? 0x10101010u : 0x30303030u;
  const CodeVector aligned = shift < 4 ? hn::ShiftLeftSame(packed, static_cast<int>(4 - shift))
                                       : hn::ShiftRightSame(packed, static_cast<int>(shift - 4));
  return hn::And(aligned, hn::Set(CodeTag(), kMask));
}

// How the parts of a packed block (packed_matrix.h) are read. Of a part with `size` bytes a
// row, vector v begins at v * kLanes * size.
template <WeightType kType>
struct QuantFormat {
  static constexpr PackedBlock kPacked = PackedBlockOf(kType);
  static constexpr size_t kRuns = kPacked.num_runs;
  static constexpr bool kHasScales = kRuns > 1;
  static constexpr bool kHasOffsets = kHasScales && ZeroCode(kType) == 0;
  static constexpr size_t kScaleRuns = kType == WeightType::kQ6_K ? 2 : 1;  // scales in a run
  static constexpr size_t kGroups = 8 / kScaleRuns;  // of four columns that share a scale
  static constexpr size_t kBlockBytes = static_cast<size_t>(BlockOf(kType).bytes) * kQuantTileRows;

  // The small scales of a block's runs, where they are not bytes already.
  struct Scales {
    alignas(64) int32_t values[kHasOffsets ? kRuns : 1][kQuantTileRows];
  };
  static HWY_INLINE void ReadScales(const std::byte* block, Scales& out) {
    if constexpr (!kHasOffsets) return;
    for (size_t v = 0; v < kVectors; ++v) {
      ForEachSixBits(SixBits(block, 0, v), SixBits(block, 2, v),
                     [&](size_t run, SumVector scale) AIO_UNROLLED {
                       hn::Store(scale, SumTag(), &out.values[run][v * kLanes]);
                     });
    }
  }
  // The small scales of the i-th run, or half of a run.
  static HWY_INLINE SumVector Scale(const std::byte* block, const Scales& scales, size_t i,
                                    size_t v) {
    if constexpr (kHasOffsets) return hn::Load(SumTag(), &scales.values[i][v * kLanes]);
    return LoadBytes(block + (kPacked.scales + i) * kQuantTileRows + v * kLanes);
  }

  // function(run, its rows' small offsets).
  template <typename Function>
  static HWY_INLINE void ForEachOffset(const std::byte* block, size_t v, const Function& function) {
    ForEachSixBits(SixBits(block, 1, v), hn::ShiftRight<4>(SixBits(block, 2, v)),
                   [&](size_t run, SumVector offset)
                       AIO_UNROLLED { function(run, hn::ConvertTo(FloatTag(), offset)); });
  }

  // Four columns of a run.
  static HWY_INLINE CodeVector Codes(const std::byte* block, size_t run, size_t group, size_t v) {
    const std::byte* data =
        block + v * kVectorBytes + (kPacked.first_run + run * kPacked.run_bytes) * kQuantTileRows;
    if constexpr (kType == WeightType::kQ8_0) return LoadCodes(data + group * kGroupBytes);
    const CodeVector both = LoadCodes(data + group % 4 * kGroupBytes);
    const CodeVector low =
        hn::And(group < 4 ? both : hn::ShiftRight<4>(both), hn::Set(CodeTag(), 0x0f0f0f0fu));
    constexpr size_t kBits = HighBitsOf(kType);
    if constexpr (kBits == 0) return low;
    const size_t bit = group * kBits;
    const CodeVector high =
        LoadCodes(data + kPacked.high_bits * kQuantTileRows + bit / 8 * kGroupBytes);
    return hn::Or(low, HighBits<kBits>(high, bit % 8));
  }

 private:
  static HWY_INLINE CodeVector SixBits(const std::byte* block, size_t word, size_t v) {
    return LoadCodes(block + kPacked.scales * kQuantTileRows + word * kGroupBytes +
                     v * kVectorBytes);
  }
  // See UnpackSixBits(): runs 0 to 3 have their six bits together; of the others, `fours` has
  // the low four, and the two above them share the bytes of the first runs.
  template <typename Function>
  static HWY_INLINE void ForEachSixBits(CodeVector sixes, CodeVector fours,
                                        const Function& function) {
    const auto mask = [](uint32_t byte)
                          AIO_UNROLLED { return hn::Set(CodeTag(), byte * 0x01010101u); };
    const CodeVector first = hn::And(sixes, mask(0x3f));
    const CodeVector last =
        hn::Or(hn::And(fours, mask(0x0f)), hn::And(hn::ShiftRight<2>(sixes), mask(0x30)));
    Unroll<8>([&](auto run) AIO_UNROLLED {
      constexpr int kShift = 8 * (run % 4);
      const CodeVector byte =
          hn::And(hn::ShiftRight<kShift>(run < 4 ? first : last), hn::Set(CodeTag(), 255u));
      function(run, hn::BitCast(SumTag(), byte));
    });
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

// Read ahead of the products: tiles are one stream, but its parts are used in jumps. Formats
// with blocks of many runs stream best when asked for far ahead into the second cache, the
// others a page ahead into the first (measured; either way round loses a sixth).
template <WeightType kType>
HWY_INLINE void PrefetchAhead(const std::byte* data) {
  if constexpr (QuantFormat<kType>::kRuns > 1) {
    __builtin_prefetch(data + 8192, 0, 2);
  } else {
    __builtin_prefetch(data + 4096);
  }
}

// Takes the offsets of a block's runs, times the sums of their activations, off `total`.
template <WeightType kType, size_t kTokens>
HWY_INLINE void SubtractOffsets(const std::byte* block, const MatMulScratch::BlockSums* sums,
                                FloatVector (&total)[kTokens][kVectors]) {
  const FloatTag d;
  for (size_t v = 0; v < kVectors; ++v) {
    FloatVector taken[kTokens];
    Unroll<kTokens>([&](auto t) AIO_UNROLLED { taken[t] = hn::Zero(d); });
    QuantFormat<kType>::ForEachOffset(block, v, [&](size_t run, FloatVector offset) AIO_UNROLLED {
      Unroll<kTokens>([&](auto t) AIO_UNROLLED {
        taken[t] = hn::MulAdd(offset, hn::Set(d, sums[run * kTokens + t].sum), taken[t]);
      });
    });
    const FloatVector scale =
        LoadHalves(block + PackedBlock::kDmin * kQuantTileRows + v * kLanes * 2);
    Unroll<kTokens>(
        [&](auto t) AIO_UNROLLED { total[t][v] = hn::NegMulAdd(scale, taken[t], total[t][v]); });
  }
}

// The activations of a run, the tokens' side by side.
struct Activations {
  const int8_t* codes;
  const MatMulScratch::BlockSums* sums;
};

// Adds a run of the block to the block's sums, with all scales but the block's own. Integers
// are exact until then: at most 2^31 - 1, which Q6_K comes close to (16 * 32 * 32512 * 128).
template <class Dot, WeightType kType, size_t kTokens>
HWY_INLINE void AddRun(const std::byte* block, size_t run,
                       const typename QuantFormat<kType>::Scales& scales, const Activations& x,
                       FloatVector (&block_sum)[kTokens][kVectors]) {
  using Format = QuantFormat<kType>;
  constexpr size_t kScaleRuns = Format::kScaleRuns;
  constexpr size_t kGroups = Format::kGroups;
  constexpr int32_t kZero = ZeroCode(kType);
  const FloatTag d;
  ForEachPart<kScaleRuns>([&](auto part, auto v) AIO_UNROLLED {
    Dot dots[kTokens];
    Unroll<kTokens>([&](auto t) AIO_UNROLLED { dots[t].Clear(); });
    Unroll<kGroups>([&](auto i) AIO_UNROLLED {
      constexpr size_t kGroup = decltype(part)::value * kGroups + i;
      const auto w = Dot::Prepare(Format::Codes(block, run, kGroup, v));
      Unroll<kTokens>([&](auto t)
                          AIO_UNROLLED { dots[t].Add(w, x.codes + t * kRunCodeBytes, kGroup); });
    });
    SumVector scale;
    if constexpr (Format::kHasScales)
      scale = Format::Scale(block, scales, run * kScaleRuns + part, v);
    Unroll<kTokens>([&](auto t) AIO_UNROLLED {
      const MatMulScratch::BlockSums& s = x.sums[t];
      const int32_t sum_x = kZero == 0 ? 0 : kScaleRuns == 2 ? s.halves[part] : s.all;
      SumVector dot = dots[t].Total(-kZero * sum_x);
      if constexpr (Format::kHasScales) dot = hn::Mul(dot, scale);
      FloatVector& sum = block_sum[t][v];
      sum = hn::MulAdd(hn::ConvertTo(d, dot), hn::Set(d, s.scale), sum);
    });
  });
}

template <size_t kTokens>
HWY_INLINE void Clear(FloatVector (&sums)[kTokens][kVectors]) {
  Unroll<kTokens>([&](auto t) AIO_UNROLLED {
    Unroll<kVectors>([&](auto v) AIO_UNROLLED { sums[t][v] = hn::Zero(FloatTag()); });
  });
}

// kTokens tokens times one tile.
template <class Dot, WeightType kType, size_t kTokens>
HWY_INLINE void QuantTile(const TileCall& call, size_t tile, size_t token) {
  using Format = QuantFormat<kType>;
  using Sums = std::conditional_t<kTokens == 1 && Format::kGroups == 8, typename Dot::Long, Dot>;
  constexpr size_t kRunBytes = Format::kBlockBytes / Format::kRuns;
  const size_t runs = static_cast<size_t>(call.weights.columns) / MatMulScratch::kBlock;
  Activations x{call.codes + token * runs * kRunCodeBytes, call.sums + token * runs};
  const std::byte* block = call.weights.data + tile * call.weights.tile_bytes();

  FloatVector total[kTokens][kVectors];
  Clear(total);
  for (size_t first = 0; first < runs; first += Format::kRuns) {
    typename Format::Scales scales;
    Format::ReadScales(block, scales);
    if constexpr (Format::kHasOffsets) SubtractOffsets<kType, kTokens>(block, x.sums, total);
    FloatVector block_sum[kTokens][kVectors];
    Clear(block_sum);
#pragma GCC unroll 1
    for (size_t run = 0; run < Format::kRuns; ++run) {
      Unroll<(kRunBytes + 63) / 64>([&](auto line) AIO_UNROLLED {
        PrefetchAhead<kType>(block + run * kRunBytes + line * 64);
      });
      AddRun<Sums, kType, kTokens>(block, run, scales, x, block_sum);
      x.codes += kTokens * kRunCodeBytes;
      x.sums += kTokens;
    }
    Unroll<kVectors>([&](auto v) AIO_UNROLLED {
      const FloatVector scale = LoadHalves(block + v * kLanes * 2);
      Unroll<kTokens>([&](auto t) AIO_UNROLLED {
        total[t][v] = hn::MulAdd(scale, block_sum[t][v], total[t][v]);
      });
    });
    block += Format::kBlockBytes;
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
  sums.all = sums.halves[0] + sums.halves[1];
  sums.sum = sums.scale * static_cast<float>(sums.all);
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
