#include "kernels/attention.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/check.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/exp-inl.h"
#include "kernels/int_dot-inl.h"
#include "kernels/loads-inl.h"
#include "kernels/token_groups-inl.h"

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

constexpr size_t kBlock = kKvBlockTokens;
constexpr size_t kPairStride = kAttentionPairs;
constexpr size_t kMaxHeadSize = 1024;
constexpr size_t kBlockVectors = kBlock / kLanes;

// Pairs that share a pass, and accumulators that the registers hold. They affect speed only.
// (Sanitizers multiply what is unrolled beyond what a compiler can take.)
#if HWY_TARGET == HWY_AVX3 && !defined(AIO_SANITIZED)
constexpr size_t kMaxPairs = 8;
constexpr size_t kScoreSums = 16;
constexpr size_t kValueSums = 24;
#elif HWY_TARGET == HWY_NEON
constexpr size_t kMaxPairs = 4;
constexpr size_t kScoreSums = 16;
constexpr size_t kValueSums = 16;
#elif HWY_TARGET == HWY_SCALAR
constexpr size_t kMaxPairs = 1;
constexpr size_t kScoreSums = 8;
constexpr size_t kValueSums = 4;
#else
constexpr size_t kMaxPairs = 4;
constexpr size_t kScoreSums = 8;
constexpr size_t kValueSums = 8;
#endif

// The largest power of two <= `most` and 8; at least 1.
constexpr size_t Vectors(size_t most) { return most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1; }
// Of keys, at two accumulators each.
constexpr size_t ScoreVectors(size_t pairs) {
  return std::min(kBlockVectors, Vectors(kScoreSums / (2 * pairs)));
}

// Stored numbers without their scales: Load(data, i) decodes kLanes from the i-th on.
template <KvType kType>
struct Codes;
template <>
struct Codes<KvType::kF32> : StoredRow<WeightType::kF32> {};
template <>
struct Codes<KvType::kF16> : StoredRow<WeightType::kF16> {};
template <>
struct Codes<KvType::kQ8_0> {
  static HWY_INLINE FloatVector Load(const std::byte* data, size_t offset) {
    const hn::Rebind<int8_t, FloatTag> code_tag;
    const hn::Rebind<int32_t, FloatTag> int_tag;
    const auto codes = hn::LoadU(code_tag, reinterpret_cast<const int8_t*>(data) + offset);
    return hn::ConvertTo(FloatTag(), hn::PromoteTo(int_tag, codes));
  }
};

HWY_INLINE FloatVector LoadScales(const std::byte* scales, size_t offset) {
  return StoredRow<WeightType::kF16>::Load(scales, offset);
}

// One block of a tile's KV head.
struct Piece {
  const std::byte* key_scales;
  const std::byte* value_scales;
  const std::byte* keys;
  const std::byte* values;
  ptrdiff_t ahead;  // bytes from here to the block that comes next
  size_t head_size;
  size_t padded_size;
};

// Asks for what will be wanted in the next block. Halves of few pairs are read so fast that the
// processor sees the stream, and does better alone. To the second cache: the first one can
// wait for a few lines only.
template <KvType kType, size_t kPairs, size_t kBytes>
HWY_INLINE void Prefetch(const std::byte* data) {
  if constexpr (kType == KvType::kQ8_0 || kPairs > 4) {
    Unroll<(kBytes + 63) / 64>([&](auto line) AIO_UNROLLED {
      __builtin_prefetch(data + line * 64, /*rw=*/0, /*locality=*/2);
    });
  }
}

HWY_INLINE void PrefetchScales(const Piece& piece) {
  for (const std::byte* line = piece.key_scales; line < piece.keys; line += 64) {
    __builtin_prefetch(line + piece.ahead, /*rw=*/0, /*locality=*/2);
  }
}

// Queries and their products with floats.
template <KvType kType>
class FloatScores {
 public:
  void SetQuery(size_t p, const float* query, size_t size, float scale) {
    for (size_t i = 0; i < size; ++i) queries_[i * kPairStride + p] = query[i] * scale;
  }

  // scores[p][j] = query first + p . key j
  HWY_NOINLINE void Score(const Piece& piece, size_t first, size_t pairs, float* scores) const {
    ForEachGroup<kMaxPairs>(pairs, [&](size_t p, auto count) HWY_ATTR {
      constexpr size_t kPairs = decltype(count)::value;
      constexpr size_t kVectors = ScoreVectors(kPairs);
      for (size_t j = 0; j < kBlock; j += kVectors * kLanes) {
        ScoreSome<kPairs, kVectors>(piece, j, queries_ + first + p, scores + p * kBlock + j);
      }
    });
  }

 private:
  template <size_t kPairs, size_t kVectors>
  static HWY_INLINE void ScoreSome(const Piece& piece, size_t j, const float* queries,
                                   float* scores) {
    constexpr size_t kRowBytes = kBlock * KvValueBytes(kType);
    const FloatTag d;
    FloatVector even[kPairs][kVectors];
    FloatVector odd[kPairs][kVectors];
    Unroll<kPairs>([&](auto p) AIO_UNROLLED {
      Unroll<kVectors>([&](auto v) AIO_UNROLLED { even[p][v] = odd[p][v] = hn::Zero(d); });
    });
    const auto add = [&](size_t i, FloatVector(&sums)[kPairs][kVectors]) AIO_UNROLLED {
      const std::byte* keys = piece.keys + i * kRowBytes;
      Prefetch<kType, kPairs, kRowBytes>(keys + piece.ahead);
      FloatVector k[kVectors];
      Unroll<kVectors>([&](auto v)
                           AIO_UNROLLED { k[v] = Codes<kType>::Load(keys, j + v * kLanes); });
      Unroll<kPairs>([&](auto p) AIO_UNROLLED {
        const FloatVector q = hn::Set(d, queries[i * kPairStride + p]);
        Unroll<kVectors>([&](auto v)
                             AIO_UNROLLED { sums[p][v] = hn::MulAdd(k[v], q, sums[p][v]); });
      });
    };
    size_t i = 0;
    for (; i + 1 < piece.head_size; i += 2) {
      add(i, even);
      add(i + 1, odd);
    }
    if (i < piece.head_size) add(i, even);
    Unroll<kPairs>([&](auto p) AIO_UNROLLED {
      Unroll<kVectors>([&](auto v) AIO_UNROLLED {
        hn::Store(hn::Add(even[p][v], odd[p][v]), d, scores + p * kBlock + v * kLanes);
      });
    });
  }

  alignas(64) float queries_[kMaxHeadSize * kPairStride];  // [head_size][kPairStride], scaled
};

// Queries rounded to 16 bits, and their products with codes: exact until the keys' scales are
// applied, run by run.
template <typename Dot>
class CodeScores {
 public:
  void SetQuery(size_t p, const float* query, size_t size, float scale) {
    constexpr float kMaxCode = 32512.0f;   // 127 * 256: high and low byte fit int8
    constexpr float kNothing = 0x1p-100f;  // smaller ones count as zero; 1 / it is finite
    const FloatTag d;
    FloatVector largest = hn::Zero(d);
    for (size_t i = 0; i < size; i += kLanes) {
      largest = hn::Max(largest, hn::Abs(hn::LoadU(d, query + i)));
    }
    const float magnitude = hn::GetLane(hn::MaxOfLanes(d, largest));
    const bool nothing = !(magnitude > kNothing);
    const FloatVector inverse = hn::Set(d, nothing ? 0.0f : kMaxCode / magnitude);
    scales_[p] = nothing ? 0.0f : magnitude / kMaxCode * scale;
    for (size_t run = 0; run < size / kKvScaleDims; ++run) {
      alignas(64) int32_t rounded[kKvScaleDims];
      SumVector sum = hn::Zero(SumTag());
      for (size_t i = 0; i < kKvScaleDims; i += kLanes) {
        const FloatVector x = hn::LoadU(d, query + run * kKvScaleDims + i);
        const SumVector code = hn::NearestInt(hn::Mul(x, inverse));
        hn::Store(code, SumTag(), rounded + i);
        sum = hn::Add(sum, code);
      }
      corrections_[p][run] = -kKvKeyCodeZero * hn::GetLane(hn::SumOfLanes(SumTag(), sum));
      Dot::Store(rounded, codes_[p][run]);
    }
  }

  // scores[p][j] = query first + p . key j
  HWY_NOINLINE void Score(const Piece& piece, size_t first, size_t pairs, float* scores) const {
    ForEachGroup<kMaxPairs>(pairs, [&](size_t p, auto count) HWY_ATTR {
      constexpr size_t kPairs = decltype(count)::value;
      constexpr size_t kVectors = ScoreVectors(kPairs);
      for (size_t j = 0; j < kBlock; j += kVectors * kLanes) {
        ScoreSome<kPairs, kVectors>(piece, j, first + p, scores + p * kBlock + j);
      }
    });
  }

 private:
  template <size_t kPairs, size_t kVectors>
  HWY_INLINE void ScoreSome(const Piece& piece, size_t j, size_t first, float* scores) const {
    constexpr size_t kRowBytes = kBlock * kKvKeyGroup;
    constexpr size_t kGroups = kKvScaleDims / kKvKeyGroup;
    const FloatTag d;
    FloatVector total[kPairs][kVectors];
    Unroll<kPairs>([&](auto p) AIO_UNROLLED {
      Unroll<kVectors>([&](auto v) AIO_UNROLLED { total[p][v] = hn::Zero(d); });
    });
    const std::byte* keys = piece.keys;
    for (size_t run = 0; run < piece.head_size / kKvScaleDims; ++run) {
      Dot sums[kPairs][kVectors];
      Unroll<kPairs>([&](auto p) AIO_UNROLLED {
        Unroll<kVectors>([&](auto v) AIO_UNROLLED { sums[p][v].Clear(); });
      });
      for (size_t group = 0; group < kGroups; ++group) {
        Prefetch<KvType::kQ8_0, kPairs, kRowBytes>(keys + piece.ahead);
        Unroll<kVectors>([&](auto v) AIO_UNROLLED {
          const std::byte* codes = keys + (j + v * kLanes) * kKvKeyGroup;
          const auto k =
              Dot::Prepare(hn::LoadU(CodeTag(), reinterpret_cast<const uint32_t*>(codes)));
          Unroll<kPairs>([&](auto p)
                             AIO_UNROLLED { sums[p][v].Add(k, codes_[first + p][run], group); });
        });
        keys += kRowBytes;
      }
      Unroll<kVectors>([&](auto v) AIO_UNROLLED {
        const FloatVector scale = LoadScales(piece.key_scales, run * kBlock + j + v * kLanes);
        Unroll<kPairs>([&](auto p) AIO_UNROLLED {
          const SumVector sum = sums[p][v].Total(corrections_[first + p][run]);
          total[p][v] = hn::MulAdd(hn::ConvertTo(d, sum), scale, total[p][v]);
        });
      });
    }
    Unroll<kPairs>([&](auto p) AIO_UNROLLED {
      const FloatVector scale = hn::Set(d, scales_[first + p]);
      Unroll<kVectors>([&](auto v) AIO_UNROLLED {
        hn::Store(hn::Mul(total[p][v], scale), d, scores + p * kBlock + v * kLanes);
      });
    });
  }

  static constexpr size_t kMaxRuns = kMaxHeadSize / kKvScaleDims;
  alignas(64) int8_t codes_[kAttentionPairs][kMaxRuns][kRunCodeBytes];
  int32_t corrections_[kAttentionPairs][kMaxRuns];  // what the codes' offset adds to a sum
  float scales_[kAttentionPairs];
};

// sums[p][i..] += sum over j < count of weights[p][j] * value[j][i..] for kVectors vectors,
// the j in order. A row of `sums` has piece.padded_size.
template <KvType kType, size_t kPairs, size_t kVectors>
HWY_INLINE void AddColumns(const Piece& piece, const float* weights, size_t count, size_t i,
                           float* sums) {
  constexpr size_t kBytes = KvValueBytes(kType);
  constexpr size_t kRunVectors = kKvScaleDims / kLanes;  // vectors that share a scale
  constexpr size_t kRuns = HasScales(kType) ? std::max<size_t>(1, kVectors / kRunVectors) : 1;
  const FloatTag d;
  alignas(64) float scaled[kRuns * kPairs * kBlock];
  if constexpr (HasScales(kType)) {
    for (size_t run = 0; run < kRuns; ++run) {
      for (size_t j = 0; j < kBlock; j += kLanes) {
        const FloatVector scale =
            LoadScales(piece.value_scales, (i / kKvScaleDims + run) * kBlock + j);
        Unroll<kPairs>([&](auto p) AIO_UNROLLED {
          hn::Store(hn::Mul(hn::Load(d, weights + p * kBlock + j), scale), d,
                    scaled + (run * kPairs + p) * kBlock + j);
        });
      }
    }
    weights = scaled;
  }
  FloatVector sum[kPairs][kVectors];
  Unroll<kPairs>([&](auto p) AIO_UNROLLED {
    Unroll<kVectors>([&](auto v) AIO_UNROLLED {
      sum[p][v] = hn::Load(d, sums + p * piece.padded_size + i + v * kLanes);
    });
  });
  const std::byte* values = piece.values + i * kBytes;
  for (size_t j = 0; j < count; ++j) {
    Prefetch<kType, kPairs, kVectors * kLanes * kBytes>(values + piece.ahead);
    FloatVector value[kVectors];
    Unroll<kVectors>([&](auto v)
                         AIO_UNROLLED { value[v] = Codes<kType>::Load(values, v * kLanes); });
    Unroll<kRuns>([&](auto run) AIO_UNROLLED {
      constexpr size_t kShare = kVectors / kRuns;
      Unroll<kPairs>([&](auto p) AIO_UNROLLED {
        const FloatVector weight = hn::Set(d, weights[(run * kPairs + p) * kBlock + j]);
        Unroll<kShare>([&](auto s) AIO_UNROLLED {
          constexpr size_t v = run * kShare + s;
          sum[p][v] = hn::MulAdd(weight, value[v], sum[p][v]);
        });
      });
    });
    values += piece.padded_size * kBytes;
  }
  Unroll<kPairs>([&](auto p) AIO_UNROLLED {
    Unroll<kVectors>([&](auto v) AIO_UNROLLED {
      hn::Store(sum[p][v], d, sums + p * piece.padded_size + i + v * kLanes);
    });
  });
}

// Columns from `i` on: as many as can be at once, the rest with half as many, and so on.
template <KvType kType, size_t kPairs, size_t kVectors>
HWY_INLINE void AddValues(const Piece& piece, const float* weights, size_t count, size_t i,
                          float* sums) {
  for (; i + kVectors * kLanes <= piece.padded_size; i += kVectors * kLanes) {
    AddColumns<kType, kPairs, kVectors>(piece, weights, count, i, sums);
  }
  if constexpr (kVectors > 1) {
    AddValues<kType, kPairs, kVectors / 2>(piece, weights, count, i, sums);
  }
}

template <KvType kType>
HWY_NOINLINE void AddAllValues(const Piece& piece, const float* weights, size_t pairs, size_t count,
                               float* sums) {
  ForEachGroup<kMaxPairs>(pairs, [&](size_t p, auto constant) HWY_ATTR {
    constexpr size_t kPairs = decltype(constant)::value;
    AddValues<kType, kPairs, Vectors(kValueSums / kPairs)>(piece, weights + p * kBlock, count, 0,
                                                           sums + p * piece.padded_size);
  });
}

HWY_INLINE float ExpOfOne(float x) { return hn::GetLane(BoundedExp(hn::Set(FloatTag(), x))); }

// x *= factor; `size` is whole vectors.
HWY_INLINE void Scale(float* x, size_t size, float factor) {
  const FloatTag d;
  const FloatVector factors = hn::Set(d, factor);
  for (size_t i = 0; i < size; i += kLanes)
    hn::Store(hn::Mul(hn::Load(d, x + i), factors), d, x + i);
}

// The softmax of one pair over the keys of a span seen so far.
struct RunningSoftmax {
  float max;
  alignas(64) float sums[kLanes];  // a lane is every kLanes-th position

  HWY_INLINE void Clear() {
    max = std::numeric_limits<float>::lowest();
    hn::Store(hn::Zero(FloatTag()), FloatTag(), sums);
  }

  // Turns the scores of the first `count` keys of a block into weights relative to the new
  // maximum, those beyond into zero; returns the factor that what was accumulated before must
  // be multiplied with.
  HWY_INLINE float Update(float* scores, size_t count) {
    const FloatTag d;
    const float before = max;
    // What stands beyond may be anything, NaN too.
    std::fill(scores + count, scores + kBlock, std::numeric_limits<float>::lowest());
    FloatVector maxima = hn::Set(d, max);
    for (size_t j = 0; j < kBlock; j += kLanes) maxima = hn::Max(maxima, hn::Load(d, scores + j));
    max = hn::GetLane(hn::MaxOfLanes(d, maxima));
    FloatVector sum = hn::Load(d, sums);
    float decay = 1.0f;
    if (max != before) {  // else it would multiply by exactly one
      decay = ExpOfOne(before - max);
      sum = hn::Mul(sum, hn::Set(d, decay));
    }
    for (size_t j = 0; j < kBlock; j += kLanes) {
      const FloatVector weight = BoundedExp(hn::Sub(hn::Load(d, scores + j), hn::Set(d, max)));
      hn::Store(weight, d, scores + j);
      sum = hn::Add(sum, weight);
    }
    hn::Store(sum, d, sums);
    return decay;
  }
};

// What a span comes to, for all pairs of a tile.
struct Partial {
  Partial(const AttentionTile& tile, float* memory)
      : stride(KvPaddedHeadSize(tile.kv.head_size)),
        sums(memory),
        max(memory + kAttentionPairs * stride),
        total(max + kAttentionPairs) {}

  size_t stride;
  float* sums;   // [kAttentionPairs][stride]: of weight times value
  float* max;    // [kAttentionPairs]: the score that weighs one
  float* total;  // [kAttentionPairs]: of weights
};

// One span of a tile, block by block.
template <KvType kType, typename Scores>
struct SpanTask {
  SpanTask(const AttentionTile& tile, const Partial& partial)
      : tile(tile),
        partial(partial),
        heads(tile.heads),
        layout(LayoutOfPiece(kType, tile.kv.head_size)) {}

  const AttentionTile& tile;
  const Partial partial;
  const size_t heads;
  const KvPieceLayout layout;
  RunningSoftmax state[kAttentionPairs];
  alignas(64) float scores[kAttentionPairs * kBlock];
  Scores queries;

  const std::byte* PieceOf(size_t position) const {
    return tile.kv.pieces + layout.bytes * static_cast<size_t>(tile.block_table[position / kBlock]);
  }
  Piece MakePiece(size_t first, size_t end) const {
    const std::byte* at = PieceOf(first);
    const std::byte* next = first + kBlock < end ? PieceOf(first + kBlock) : at;
    return {at + layout.key_scales,
            at + layout.value_scales,
            at + layout.keys,
            at + layout.values,
            next - at,
            static_cast<size_t>(tile.kv.head_size),
            partial.stride};
  }

  void Begin() {
    const size_t size = tile.kv.head_size;
    for (size_t p = 0; p < tile.rows * heads; ++p) {
      state[p].Clear();
      const float* query = tile.query + p / heads * tile.row_stride + p % heads * size;
      queries.SetQuery(p, query, size, tile.scale);
    }
    std::fill(partial.sums, partial.max, 0.0f);
  }

  // The values of `rows` rows that see `count` of the block's keys each.
  HWY_INLINE void AddRows(const Piece& piece, size_t row, size_t rows, size_t count) {
    const size_t p = row * heads;
    AddAllValues<kType>(piece, scores + p * kBlock, rows * heads, count,
                        partial.sums + p * partial.stride);
  }

  // The keys of positions [first, first + kBlock), as far as each row sees them: those of the
  // last rows all, those of rows between as many as they may, those of the first none.
  HWY_INLINE void AttendBlock(size_t first, const Piece& piece) {
    const size_t rows = tile.rows;
    const size_t seen = static_cast<size_t>(tile.first_position) + 1;  // by row 0
    const size_t begin = first < seen ? 0 : first - seen + 1;
    const size_t all = std::min(rows, first + kBlock < seen ? 0 : first + kBlock - seen);
    const auto count_of = [&](size_t row) { return std::min(kBlock, seen + row - first); };
    PrefetchScales(piece);
    queries.Score(piece, begin * heads, (rows - begin) * heads, scores + begin * heads * kBlock);
    for (size_t p = begin * heads; p < rows * heads; ++p) {
      const float decay = state[p].Update(scores + p * kBlock, count_of(p / heads));
      if (decay != 1.0f) Scale(partial.sums + p * partial.stride, partial.stride, decay);
    }
    // Rows that see a part go alone: adding nought times what another row sees could change
    // the sign of a zero, or make a NaN.
    for (size_t row = begin; row < all; ++row) AddRows(piece, row, 1, count_of(row));
    if (all < rows) AddRows(piece, all, rows - all, kBlock);
  }

  void Run(int span) {
    Begin();
    const size_t first = static_cast<size_t>(span) * kAttentionSpanKeys;
    const size_t end = std::min<size_t>(tile.num_keys(), first + kAttentionSpanKeys);
    for (size_t key = first; key < end; key += kBlock) AttendBlock(key, MakePiece(key, end));
    for (size_t p = 0; p < tile.rows * heads; ++p) {
      partial.max[p] = state[p].max;
      partial.total[p] = SumLanes(hn::Load(FloatTag(), state[p].sums));
    }
  }
};

void AttendSpanOfAnyType(const AttentionTile& tile, int span, float* memory) {
  const Partial partial(tile, memory);
  switch (tile.kv.type) {
    case KvType::kF32:
      return SpanTask<KvType::kF32, FloatScores<KvType::kF32>>(tile, partial).Run(span);
    case KvType::kF16:
      return SpanTask<KvType::kF16, FloatScores<KvType::kF16>>(tile, partial).Run(span);
    case KvType::kQ8_0:
#if HWY_TARGET == HWY_AVX3
      if (internal::HasVnni()) {
        return SpanTask<KvType::kQ8_0, CodeScores<VnniDot>>(tile, partial).Run(span);
      }
#endif
      return SpanTask<KvType::kQ8_0, CodeScores<WideDot>>(tile, partial).Run(span);
  }
}

// Adds what the rows that reach `span` found there.
void MergeSpan(const AttentionTile& tile, int span, const Partial& partial, const Partial& total) {
  const FloatTag d;
  for (int p = 0; p < tile.rows * tile.heads; ++p) {
    if (tile.first_position + p / tile.heads < span * kAttentionSpanKeys) continue;
    const float max = std::max(total.max[p], partial.max[p]);
    const float old_factor = ExpOfOne(total.max[p] - max);
    const float new_factor = ExpOfOne(partial.max[p] - max);
    total.max[p] = max;
    total.total[p] = total.total[p] * old_factor + partial.total[p] * new_factor;
    for (size_t i = 0; i < total.stride; i += kLanes) {
      float* sums = total.sums + p * total.stride + i;
      const FloatVector old = hn::Mul(hn::Load(d, sums), hn::Set(d, old_factor));
      const FloatVector added = hn::Load(d, partial.sums + p * total.stride + i);
      hn::Store(hn::MulAdd(added, hn::Set(d, new_factor), old), d, sums);
    }
  }
}

void WriteOut(const AttentionTile& tile, const Partial& total) {
  const size_t size = tile.kv.head_size;
  const size_t heads = tile.heads;
  for (size_t p = 0; p < tile.rows * heads; ++p) {
    float* sums = total.sums + p * total.stride;
    Scale(sums, total.stride, 1.0f / total.total[p]);
    std::copy(sums, sums + size, tile.out + p / heads * tile.row_stride + p % heads * size);
  }
}

void MergeAllSpans(const AttentionTile& tile, float* partials) {
  const Partial total(tile, partials);
  for (int span = 1; span < tile.num_spans(); ++span) {
    partials += AttentionPartialFloats(tile.kv.head_size);
    MergeSpan(tile, span, Partial(tile, partials), total);
  }
  WriteOut(tile, total);
}

void AttendAllSpans(const AttentionTile& tile) {
  constexpr size_t kFloats = AttentionPartialFloats(kMaxHeadSize);
  alignas(64) float total_memory[kFloats];
  alignas(64) float span_memory[kFloats];
  const Partial total(tile, total_memory);
  AttendSpanOfAnyType(tile, 0, total_memory);
  for (int span = 1; span < tile.num_spans(); ++span) {
    AttendSpanOfAnyType(tile, span, span_memory);
    MergeSpan(tile, span, Partial(tile, span_memory), total);
  }
  WriteOut(tile, total);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(AttendAllSpans);
HWY_EXPORT(AttendSpanOfAnyType);
HWY_EXPORT(MergeAllSpans);

namespace {

void CheckTile(const AttentionTile& tile) {
  AIO_CHECK(KvTypeHolds(tile.kv.type, tile.kv.head_size) && tile.kv.head_size <= 1024);
  AIO_CHECK(tile.rows > 0 && tile.heads > 0 && tile.first_position >= 0);
  AIO_CHECK(tile.rows * tile.heads <= kAttentionPairs, "more pairs than a tile holds");
  AIO_CHECK(tile.block_table.size() * kKvBlockTokens >= static_cast<size_t>(tile.num_keys()));
  internal::EnsureTargetChosen();
}

}  // namespace

void Attention(const AttentionTile& tile) {
  CheckTile(tile);
  HWY_DYNAMIC_DISPATCH(AttendAllSpans)(tile);
}

void AttendSpan(const AttentionTile& tile, int span, float* partial) {
  CheckTile(tile);
  AIO_CHECK(span >= 0 && span < tile.num_spans());
  HWY_DYNAMIC_DISPATCH(AttendSpanOfAnyType)(tile, span, partial);
}

void MergeSpans(const AttentionTile& tile, float* partials) {
  CheckTile(tile);
  HWY_DYNAMIC_DISPATCH(MergeAllSpans)(tile, partials);
}

}  // namespace aio
#endif  // HWY_ONCE
