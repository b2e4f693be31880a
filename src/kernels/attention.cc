// Attention of the query heads that share one KV head, over a blocked KV cache.
#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/check.h"
#include "kernels/kernels.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/exp-inl.h"
#include "kernels/loads-inl.h"

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

constexpr size_t kBlock = kKvBlockTokens;

// The softmax of one query head over the keys seen so far.
struct RunningSoftmax {
  float max = std::numeric_limits<float>::lowest();
  float sum = 0.0f;
};

// One block's `count` <= kBlock keys or values of one head.
struct Block {
  const std::byte* data;
  size_t count;
  size_t head_size;
};

// scores[j] = scale * query . key[j]; the slots of keys that are not there get the lowest
// float, which weighs nothing.
template <WeightType kType>
HWY_INLINE void ScoreKeys(const Block& keys, const float* query, float scale, float* scores) {
  using Row = StoredRow<kType>;
  const FloatTag d;
  const size_t size = keys.head_size;
  for (size_t j = 0; j < keys.count; ++j) {
    const std::byte* key = keys.data + j * Row::Bytes(size);
    FloatVector sum0 = hn::Zero(d);
    FloatVector sum1 = hn::Zero(d);
    size_t i = 0;
    for (; i + 2 * kLanes <= size; i += 2 * kLanes) {
      sum0 = hn::MulAdd(Row::Load(key, i), hn::LoadU(d, query + i), sum0);
      sum1 = hn::MulAdd(Row::Load(key, i + kLanes), hn::LoadU(d, query + i + kLanes), sum1);
    }
    for (; i + kLanes <= size; i += kLanes) {
      sum0 = hn::MulAdd(Row::Load(key, i), hn::LoadU(d, query + i), sum0);
    }
    if (i < size) {
      sum1 = hn::MulAdd(LoadTail<kType>(key, i, size - i), LoadTail(query + i, size - i), sum1);
    }
    scores[j] = SumLanes(hn::Add(sum0, sum1)) * scale;
  }
  std::fill(scores + keys.count, scores + kBlock, std::numeric_limits<float>::lowest());
}

// Turns the block's scores into weights relative to the new maximum, and returns the
// factor that what was accumulated before must be multiplied with.
HWY_INLINE float UpdateSoftmax(float* scores, RunningSoftmax& state) {
  const FloatTag d;
  const float max = std::max(state.max, *std::max_element(scores, scores + kBlock));
  FloatVector sums = hn::Zero(d);
  for (size_t j = 0; j < kBlock; j += kLanes) {
    const FloatVector weight = BoundedExp(hn::Sub(hn::LoadU(d, scores + j), hn::Set(d, max)));
    hn::StoreU(weight, d, scores + j);
    sums = hn::Add(sums, weight);
  }
  const float decay = hn::GetLane(BoundedExp(hn::Set(d, state.max - max)));
  state.sum = state.sum * decay + SumLanes(sums);
  state.max = max;
  return decay;
}

// out[i..] = out[i..] * decay + sum over j of weights[j] * value[j][i..] for kVectors
// vectors, the j in order.
template <WeightType kType, size_t kVectors>
HWY_INLINE void AddValues(const Block& values, const float* weights, FloatVector decay, size_t i,
                          float* out) {
  using Row = StoredRow<kType>;
  const FloatTag d;
  FloatVector sum[kVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) {
    sum[v] = hn::Mul(hn::LoadU(d, out + i + v * kLanes), decay);
  }
  for (size_t j = 0; j < values.count; ++j) {
    const std::byte* value = values.data + j * Row::Bytes(values.head_size);
    const FloatVector weight = hn::Set(d, weights[j]);
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      sum[v] = hn::MulAdd(weight, Row::Load(value, i + v * kLanes), sum[v]);
    }
  }
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, out + i + v * kLanes);
}

template <WeightType kType>
HWY_INLINE void AddAllValues(const Block& values, const float* weights, float decay, float* out) {
  const FloatTag d;
  const FloatVector decays = hn::Set(d, decay);
  const size_t size = values.head_size;
  size_t i = 0;
  for (; i + 4 * kLanes <= size; i += 4 * kLanes) {
    AddValues<kType, 4>(values, weights, decays, i, out);
  }
  for (; i + kLanes <= size; i += kLanes) {
    AddValues<kType, 1>(values, weights, decays, i, out);
  }
  if (i == size) return;
  FloatVector sum = hn::Mul(LoadTail(out + i, size - i), decays);
  for (size_t j = 0; j < values.count; ++j) {
    const std::byte* value = values.data + j * StoredRow<kType>::Bytes(size);
    sum = hn::MulAdd(hn::Set(d, weights[j]), LoadTail<kType>(value, i, size - i), sum);
  }
  StoreTail(sum, out + i, size - i);
}

// At most kMaxGroup heads. Blocks outermost, so that a block is read from memory once for
// all heads of the group.
constexpr size_t kMaxGroup = 16;

template <WeightType kType>
HWY_INLINE void AttendGroup(const KvHeadView& kv, const int32_t* block_table, size_t num_keys,
                            float scale, const float* query, size_t group, float* out) {
  const FloatTag d;
  const size_t size = kv.head_size;
  RunningSoftmax state[kMaxGroup];
  alignas(64) float scores[kBlock];
  std::fill(out, out + group * size, 0.0f);
  for (size_t first = 0; first < num_keys; first += kBlock) {
    const size_t offset = kv.block_stride * static_cast<size_t>(block_table[first / kBlock]);
    const size_t count = std::min(kBlock, num_keys - first);
    for (size_t h = 0; h < group; ++h) {
      ScoreKeys<kType>({kv.keys + offset, count, size}, query + h * size, scale, scores);
      const float decay = UpdateSoftmax(scores, state[h]);
      AddAllValues<kType>({kv.values + offset, count, size}, scores, decay, out + h * size);
    }
  }
  for (size_t h = 0; h < group; ++h) {
    const FloatVector normalizer = hn::Set(d, 1.0f / state[h].sum);
    ForEachVector(size, [&](size_t i, size_t count) HWY_ATTR {
      float* o = out + h * size + i;
      StoreUpTo(hn::Mul(LoadUpTo(o, count), normalizer), o, count);
    });
  }
}

void AttendHeads(const KvHeadView& kv, const int32_t* block_table, size_t num_keys, float scale,
                 const float* query, size_t heads, float* out) {
  const size_t size = kv.head_size;
  for (size_t h = 0; h < heads; h += kMaxGroup) {
    const size_t group = std::min(kMaxGroup, heads - h);
    const float* q = query + h * size;
    if (kv.type == WeightType::kF32) {
      AttendGroup<WeightType::kF32>(kv, block_table, num_keys, scale, q, group, out + h * size);
    } else {
      AttendGroup<WeightType::kF16>(kv, block_table, num_keys, scale, q, group, out + h * size);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(AttendHeads);

void Attention(const KvHeadView& kv, std::span<const int32_t> block_table, int num_keys,
               float scale, std::span<const float> query, std::span<float> out) {
  AIO_CHECK(kv.type == WeightType::kF32 || kv.type == WeightType::kF16);
  AIO_CHECK(num_keys > 0 && kv.head_size > 0);
  AIO_CHECK(block_table.size() * kKvBlockTokens >= static_cast<size_t>(num_keys));
  const size_t heads = query.size() / static_cast<size_t>(kv.head_size);
  AIO_CHECK(query.size() == heads * kv.head_size && out.size() == query.size());
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(AttendHeads)
  (kv, block_table.data(), num_keys, scale, query.data(), heads, out.data());
}

}  // namespace aio
#endif  // HWY_ONCE
