// Products of stored weights with a few or many rows of activations.
//
// The unit is a tile: kRows weight rows times kTokens tokens, accumulated in registers
// over the whole row. A weight vector is decoded once a tile and multiplied with every
// token's activations. Whatever the tile, an output (row, token) is the same sum: vector
// v of the row goes to chain v % kChains, what does not fill a step to chain 0, then the
// chains are added pairwise and the lanes last. Hence tiles may be cut any way without
// changing a bit.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "kernels/kernels.h"
#include "kernels/simd_targets.h"
#include "kernels/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "kernels/loads-inl.h"

#ifndef AIO_KERNELS_MATMUL_ONCE
#define AIO_KERNELS_MATMUL_ONCE
namespace aio {
// One MatMul() call; shared by all targets.
struct MatMulCall {
  Matrix weights;
  const float* bias = nullptr;  // or null
  const float* x = nullptr;     // [tokens, columns]
  float* y = nullptr;           // [tokens, rows]
  size_t tokens = 0;
};
}  // namespace aio
#endif

HWY_BEFORE_NAMESPACE();
namespace aio::HWY_NAMESPACE {

// Independent sums a row is accumulated in: enough to hide the latency of MulAdd when
// one token streams through the weights.
constexpr size_t kChains = 4;

// Values per step of the main loop: whole Q8_0 blocks and whole rounds of the chains.
constexpr size_t kStepValues = std::max<size_t>(kQ8BlockValues, kChains* kLanes);
constexpr size_t kStepVectors = kStepValues / kLanes;

// The sums of one tile, in registers: every loop over them must be unrolled.
template <WeightType kType, size_t kRows, size_t kTokens>
class Tile {
 public:
  HWY_INLINE Tile(const MatMulCall& call, size_t row, size_t token)
      : columns_(call.weights.columns),
        row_bytes_(call.weights.row_bytes()),
        weights_(call.weights.data + row * row_bytes_),
        x_(call.x + token * columns_) {
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t t = 0; t < kTokens; ++t) {
#pragma GCC unroll 4
        for (size_t c = 0; c < kChains; ++c) sum_[r][t][c] = hn::Zero(FloatTag());
      }
    }
  }

  // Adds the products of the values from `block` + `offset` on to a chain; `block` is a
  // multiple of 32.
  HWY_INLINE void AddVector(size_t block, size_t offset, size_t chain) {
    const std::byte* weights = weights_ + StoredRow<kType>::Bytes(block);
    const float* x = x_ + block + offset;
    AddProducts(
        chain,
        [&](size_t r) HWY_ATTR { return StoredRow<kType>::Load(weights + r * row_bytes_, offset); },
        [&](size_t t) HWY_ATTR { return hn::LoadU(FloatTag(), x + t * columns_); });
  }

  // The last values of the rows, fewer than a vector.
  HWY_INLINE void AddTail(size_t offset) {
    const size_t count = columns_ - offset;
    AddProducts(
        0,
        [&](size_t r)
            HWY_ATTR { return LoadTail<kType>(weights_ + r * row_bytes_, offset, count); },
        [&](size_t t) HWY_ATTR { return LoadTail(x_ + t * columns_ + offset, count); });
  }

  HWY_INLINE float Total(size_t r, size_t t) const {
    static_assert(kChains == 4);
    const auto& sum = sum_[r][t];
    return SumLanes(hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3])));
  }

 private:
  template <typename LoadWeights, typename LoadX>
  HWY_INLINE void AddProducts(size_t chain, LoadWeights load_weights, LoadX load_x) {
    FloatVector w[kRows];
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) w[r] = load_weights(r);
#pragma GCC unroll 4
    for (size_t t = 0; t < kTokens; ++t) {
      const FloatVector x = load_x(t);
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
        sum_[r][t][chain] = hn::MulAdd(w[r], x, sum_[r][t][chain]);
      }
    }
  }

  size_t columns_;
  size_t row_bytes_;
  const std::byte* weights_;
  const float* x_;
  FloatVector sum_[kRows][kTokens][kChains];
};

// y for rows [row, row + kRows) and tokens [token, token + kTokens).
template <WeightType kType, size_t kRows, size_t kTokens>
HWY_INLINE void ComputeTile(const MatMulCall& call, size_t row, size_t token) {
  const size_t columns = call.weights.columns;
  Tile<kType, kRows, kTokens> tile(call, row, token);
  size_t k = 0;
  for (; k + kStepValues <= columns; k += kStepValues) {
#pragma GCC unroll 16
    for (size_t v = 0; v < kStepVectors; ++v) tile.AddVector(k, v * kLanes, v % kChains);
  }
  for (; k + kLanes <= columns; k += kLanes) {
    const size_t offset = k % kQ8BlockValues;
    tile.AddVector(k - offset, offset, 0);
  }
  if constexpr (kType != WeightType::kQ8_0) {  // whose rows are whole vectors
    if (k < columns) tile.AddTail(k);
  }
  const size_t rows = call.weights.rows;
#pragma GCC unroll 4
  for (size_t r = 0; r < kRows; ++r) {
    const float bias = call.bias == nullptr ? 0.0f : call.bias[row + r];
#pragma GCC unroll 4
    for (size_t t = 0; t < kTokens; ++t) {
      call.y[(token + t) * rows + row + r] = tile.Total(r, t) + bias;
    }
  }
}

// Rows [begin, end) for tokens [token, token + kTokens).
template <WeightType kType, size_t kRows, size_t kTokens>
HWY_NOINLINE void Rows(const MatMulCall& call, size_t begin, size_t end, size_t token) {
  size_t row = begin;
  for (; row + kRows <= end; row += kRows) ComputeTile<kType, kRows, kTokens>(call, row, token);
  if constexpr (kRows > 1) {
    for (; row < end; ++row) ComputeTile<kType, 1, kTokens>(call, row, token);
  }
}

// Rows of a tile of several tokens: what fits the registers, 32 on AVX-512 and NEON, 16
// elsewhere, three tokens with all their chains.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr size_t kTileRows = 2;
#else
constexpr size_t kTileRows = 1;
#endif

// Tokens outermost: the task's weights stay in the cache for all of them. One token reads
// one row at a time, which is what memory streams best.
template <WeightType kType>
HWY_INLINE void AllTokens(const MatMulCall& call, size_t begin, size_t end) {
  size_t token = 0;
  for (; token + 3 <= call.tokens; token += 3) Rows<kType, kTileRows, 3>(call, begin, end, token);
  const size_t left = call.tokens - token;
  if (left == 2) return Rows<kType, kTileRows, 2>(call, begin, end, token);
  if (left == 1) return Rows<kType, 1, 1>(call, begin, end, token);
}

void MatMulRows(const MatMulCall& call, size_t begin, size_t end) {
  switch (call.weights.type) {
    case WeightType::kF32:
      return AllTokens<WeightType::kF32>(call, begin, end);
    case WeightType::kF16:
      return AllTokens<WeightType::kF16>(call, begin, end);
    case WeightType::kBF16:
      return AllTokens<WeightType::kBF16>(call, begin, end);
    case WeightType::kQ8_0:
      return AllTokens<WeightType::kQ8_0>(call, begin, end);
  }
}

template <WeightType kType>
HWY_INLINE void DecodeStored(const std::byte* data, size_t columns, float* out) {
  const FloatTag d;
  size_t k = 0;
  for (; k + kLanes <= columns; k += kLanes) {
    hn::StoreU(StoredRow<kType>::Load(data, k), d, out + k);
  }
  if constexpr (kType != WeightType::kQ8_0) {
    if (k < columns) StoreTail(LoadTail<kType>(data, k, columns - k), out + k, columns - k);
  }
}

void DecodeRow(const Matrix& weights, size_t row, float* out) {
  const std::byte* data = weights.data + row * weights.row_bytes();
  const size_t columns = weights.columns;
  switch (weights.type) {
    case WeightType::kF32:
      return DecodeStored<WeightType::kF32>(data, columns, out);
    case WeightType::kF16:
      return DecodeStored<WeightType::kF16>(data, columns, out);
    case WeightType::kBF16:
      return DecodeStored<WeightType::kBF16>(data, columns, out);
    case WeightType::kQ8_0:
      return DecodeStored<WeightType::kQ8_0>(data, columns, out);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace aio::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace aio {

HWY_EXPORT(MatMulRows);
HWY_EXPORT(DecodeRow);

namespace {

// Weights a task reads: small enough that every thread gets several, large enough that
// handing it out costs nothing, and within the second-level cache when many tokens pass
// over it. Affects speed only.
constexpr size_t kTaskBytesMin = size_t{64} << 10;
constexpr size_t kTaskBytesMax = size_t{512} << 10;
constexpr size_t kTasksPerThread = 8;
constexpr size_t kTaskRowsMultiple = 4;

size_t RowsPerTask(const Matrix& weights, int num_threads) {
  const size_t share = weights.bytes() / (kTasksPerThread * static_cast<size_t>(num_threads));
  const size_t bytes = std::clamp(share, kTaskBytesMin, kTaskBytesMax);
  const size_t rows = std::max<size_t>(1, bytes / weights.row_bytes());
  return (rows + kTaskRowsMultiple - 1) / kTaskRowsMultiple * kTaskRowsMultiple;
}

}  // namespace

void MatMul(const Matrix& weights, std::span<const float> bias, std::span<const float> x,
            std::span<float> y, ThreadPool& pool) {
  AIO_CHECK(!weights.empty() && weights.rows > 0 && weights.columns > 0);
  const size_t rows = weights.rows;
  const size_t columns = weights.columns;
  const size_t tokens = x.size() / columns;
  AIO_CHECK(x.size() == tokens * columns && y.size() == tokens * rows);
  AIO_CHECK(bias.empty() || bias.size() == rows);
  const MatMulCall call{weights, bias.empty() ? nullptr : bias.data(), x.data(), y.data(), tokens};

  internal::EnsureTargetChosen();
  const size_t rows_per_task = RowsPerTask(weights, pool.num_threads());
  const size_t num_tasks = (rows + rows_per_task - 1) / rows_per_task;
  pool.ParallelFor(num_tasks, [&](size_t task, int /*thread*/) {
    const size_t begin = task * rows_per_task;
    HWY_DYNAMIC_DISPATCH(MatMulRows)(call, begin, std::min(rows, begin + rows_per_task));
  });
}

void DecodeRow(const Matrix& weights, int row, std::span<float> out) {
  AIO_CHECK(row >= 0 && row < weights.rows);
  AIO_CHECK(out.size() == static_cast<size_t>(weights.columns));
  internal::EnsureTargetChosen();
  HWY_DYNAMIC_DISPATCH(DecodeRow)(weights, row, out.data());
}

}  // namespace aio
#endif  // HWY_ONCE
