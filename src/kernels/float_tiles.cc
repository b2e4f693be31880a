// Tiles of float weights times some tokens, accumulated in registers: lanes are rows, each
// activation is broadcast.
//
// Order of accumulation of an output, however many tokens share the pass: column by column
// within kColumnBlock columns, then the blocks' sums in order, then the bias.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/simd_targets.h"
#include "kernels/target.h"
#include "kernels/tile_call.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/float_tiles.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/loads-inl.h"
#include "kernels/token_groups-inl.h"

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

constexpr size_t kColumnBlock = 256;
constexpr size_t kVectors = kFloatTileRows / kLanes;

// Tokens that share a pass over a tile: as many as the registers hold accumulators for.
// (Sanitizers multiply what is unrolled beyond what a compiler can take.)
#if HWY_TARGET == HWY_AVX3 && !defined(AIO_SANITIZED)
constexpr size_t kMaxTokens = 12;
#elif HWY_TARGET == HWY_NEON
constexpr size_t kMaxTokens = 3;
#elif HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
constexpr size_t kMaxTokens = 2;
#else
constexpr size_t kMaxTokens = 1;
#endif

// From so many tokens on, their passes over a block of a tile are faster when it was decoded
// once; for fewer, decoding with each pass is.
constexpr size_t kTokensWorthDecoding = 4 * kMaxTokens + 1;

// Read ahead of halves that meet several tokens: those products leave the processor no room to
// look as far ahead itself. One token's do; and F32 may be a decoded block, in the cache.
constexpr size_t kPrefetchBytes = 4096;

// Some columns of one tile and all tokens.
struct FloatBlock {
  const std::byte* weights;  // of the first column
  const float* x;            // of the first column and token, interleaved (InterleaveColumns)
  size_t columns;            // of the whole row
  size_t count;              // of these
  bool first;                // block of the row
  const float* bias;         // of the tile's first row; null unless this is the last block
  float* y;                  // of the first token, the tile's first row
  size_t y_stride;
  size_t rows;  // of the tile that are there
};

// y = sum, or y += sum, then + bias; for rows [row, row + count).
HWY_INLINE void StoreSum(const FloatBlock& block, float* y, size_t row, size_t count,
                         FloatVector sum) {
  if (!block.first) sum = hn::Add(LoadUpTo(y + row, count), sum);
  if (block.bias != nullptr) sum = hn::Add(sum, LoadUpTo(block.bias + row, count));
  StoreUpTo(sum, y + row, count);
}

// The same for a tile that lacks rows. Apart, to keep it out of the unrolled code.
HWY_NOINLINE void StoreRaggedSums(const FloatBlock& block, float* y, const float* sums) {
  for (size_t row = 0; row < block.rows; row += kLanes) {
    const size_t count = std::min(kLanes, block.rows - row);
    StoreSum(block, y, row, count, hn::LoadU(FloatTag(), sums + row));
  }
}

// sum + w * x, where a compiler would load x into a register once for all w. Beside
// conversions from halves that costs AVX-512 (Zen 4) a seventh of its speed: let each product
// read x itself.
HWY_INLINE FloatVector MulAddBroadcast(FloatVector w, const float& x, FloatVector sum) {
#if HWY_TARGET == HWY_AVX3
  auto raw = sum.raw;  // a copy, or arrays of sums would stay in memory
  asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(raw) : "v"(w.raw), "m"(x));
  return FloatVector{raw};
#else
  return hn::MulAdd(w, hn::Set(FloatTag(), x), sum);
#endif
}

template <WeightType kType, size_t kTokens>
HWY_INLINE void FloatTile(const FloatBlock& block, size_t token) {
  using Row = StoredRow<kType>;
  const FloatTag d;
  FloatVector sum[kTokens][kVectors];
  Unroll<kTokens>([&](auto t) AIO_UNROLLED {
    Unroll<kVectors>([&](auto v) AIO_UNROLLED { sum[t][v] = hn::Zero(d); });
  });
  const std::byte* weights = block.weights;
  const float* x = block.x;
  for (size_t k = 0; k < block.count; ++k) {
    if constexpr (kTokens > 1 && kType != WeightType::kF32) {
      __builtin_prefetch(weights + kPrefetchBytes);
    }
    FloatVector w[kVectors];
    Unroll<kVectors>([&](auto v) AIO_UNROLLED { w[v] = Row::Load(weights, v * kLanes); });
    Unroll<kTokens>([&](auto t) AIO_UNROLLED {
      Unroll<kVectors>([&](auto v)
                           AIO_UNROLLED { sum[t][v] = MulAddBroadcast(w[v], x[t], sum[t][v]); });
    });
    weights += Row::Bytes(kFloatTileRows);
    x += kTokens;
  }
  float* y = block.y + token * block.y_stride;
  if (block.rows < kFloatTileRows) {
    alignas(64) float sums[kFloatTileRows];
    Unroll<kTokens>([&](auto t) AIO_UNROLLED {
      Unroll<kVectors>([&](auto v) AIO_UNROLLED { hn::Store(sum[t][v], d, sums + v * kLanes); });
      StoreRaggedSums(block, y + t * block.y_stride, sums);
    });
    return;
  }
  Unroll<kTokens>([&](auto t) AIO_UNROLLED {
    Unroll<kVectors>([&](auto v) AIO_UNROLLED {
      StoreSum(block, y + t * block.y_stride, v * kLanes, kLanes, sum[t][v]);
    });
  });
}

template <WeightType kType>
HWY_NOINLINE void AllTokens(const FloatBlock& block, size_t tokens, size_t first_column) {
  ForEachGroup<kMaxTokens>(tokens, [&](size_t token, auto count) HWY_ATTR {
    constexpr size_t kTokens = decltype(count)::value;
    FloatBlock group = block;
    group.x += token * block.columns + first_column * kTokens;
    FloatTile<kType, kTokens>(group, token);
  });
}

// Decodes a block of a tile, for the many tokens that will read it.
template <WeightType kType>
HWY_NOINLINE void DecodeTile(const std::byte* weights, size_t columns, float* out) {
  const FloatTag d;
  for (size_t i = 0; i < columns * kFloatTileRows; i += kLanes) {
    hn::StoreU(StoredRow<kType>::Load(weights, i), d, out + i);
  }
}

template <WeightType kType>
HWY_INLINE void FloatTiles(const TileCall& call, size_t begin, size_t end) {
  const size_t columns = call.weights.columns;
  const size_t rows = call.weights.rows;
  const size_t tile_bytes = call.weights.tile_bytes();
  alignas(64) float decoded[kColumnBlock * kFloatTileRows];
  for (size_t tile = begin; tile < end; ++tile) {
    const size_t row = tile * kFloatTileRows;
    for (size_t k = 0; k < columns; k += kColumnBlock) {
      const size_t count = std::min(kColumnBlock, columns - k);
      FloatBlock block{};
      block.weights =
          call.weights.data + tile * tile_bytes + k * StoredRow<kType>::Bytes(kFloatTileRows);
      block.x = call.x;
      block.columns = columns;
      block.count = count;
      block.first = k == 0;
      block.bias = k + count == columns && call.bias != nullptr ? call.bias + row : nullptr;
      block.y = call.y + row;
      block.y_stride = rows;
      block.rows = std::min<size_t>(kFloatTileRows, rows - row);
      if (kType == WeightType::kF32 || call.tokens < kTokensWorthDecoding) {
        AllTokens<kType>(block, call.tokens, k);
        continue;
      }
      DecodeTile<kType>(block.weights, count, decoded);
      block.weights = reinterpret_cast<const std::byte*>(decoded);
      AllTokens<WeightType::kF32>(block, call.tokens, k);
    }
  }
}

void FloatTilesOfAnyType(const TileCall& call, size_t begin, size_t end) {
  switch (call.weights.type) {
    case WeightType::kF16:
      return FloatTiles<WeightType::kF16>(call, begin, end);
    case WeightType::kBF16:
      return FloatTiles<WeightType::kBF16>(call, begin, end);
    default:
      return FloatTiles<WeightType::kF32>(call, begin, end);
  }
}

// The tokens of a group side by side: out[k][t], group after group. Read row-major, tokens
// whose rows lie a multiple of 4 KiB apart would push each other out of the cache: hence here
// a cache line at a time.
void InterleaveColumns(const float* x, size_t tokens, size_t columns, size_t begin, size_t end,
                       float* out) {
  constexpr size_t kLine = 16;
  ForEachGroup<kMaxTokens>(tokens, [&](size_t token, auto count) HWY_ATTR {
    constexpr size_t kTokens = decltype(count)::value;
    for (size_t k = begin; k < end; k += kLine) {
      const size_t line = std::min(kLine, end - k);
      float* group = out + token * columns + k * kTokens;
      for (size_t t = 0; t < kTokens; ++t) {
        const float* row = x + (token + t) * columns + k;
        for (size_t i = 0; i < line; ++i) group[i * kTokens + t] = row[i];
      }
    }
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(FloatTilesOfAnyType);
HWY_EXPORT(InterleaveColumns);

void MultiplyFloatTiles(const TileCall& call, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(FloatTilesOfAnyType)(call, begin, end);
}

void InterleaveActivations(std::span<const float> x, size_t tokens, size_t begin, size_t end,
                           float* out) {
  HWY_DYNAMIC_DISPATCH(InterleaveColumns)(x.data(), tokens, x.size() / tokens, begin, end, out);
}

}  // namespace aio
#endif  // HWY_ONCE
