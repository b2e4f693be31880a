#include "kernels/matmul.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "kernels/target.h"
#include "kernels/tile_call.h"

namespace aio {
namespace {

// A task is a run of tiles of one product: small enough that the threads end together.
// Affects speed only.
constexpr size_t kTaskBytes = size_t{64} << 10;

size_t TilesPerTask(const PackedMatrix& weights) {
  return std::max<size_t>(1, kTaskBytes / weights.tile_bytes());
}
size_t NumTasks(const PackedMatrix& weights) {
  const size_t tiles = TilesPerTask(weights);
  return (static_cast<size_t>(weights.num_tiles()) + tiles - 1) / tiles;
}

void CheckProduct(const Product& product, size_t columns, size_t tokens) {
  const PackedMatrix& weights = product.weights;
  AIO_CHECK(!weights.empty() && weights.rows > 0 && weights.columns > 0);
  AIO_CHECK(static_cast<size_t>(weights.columns) == columns, "products of one call share x");
  AIO_CHECK(product.y.size() == tokens * static_cast<size_t>(weights.rows));
  AIO_CHECK(product.bias.empty() || product.bias.size() == static_cast<size_t>(weights.rows));
}

// Parallel over columns. A single token's few are not worth handing out.
void PrepareActivations(std::span<const float> x, size_t tokens, bool floats, bool codes,
                        MatMulScratch& scratch, ThreadPool& pool) {
  constexpr size_t kTaskValues = 8192;
  const size_t columns = x.size() / tokens;
  const auto prepare = [&](size_t begin, size_t end) {
    if (floats) InterleaveActivations(x, tokens, begin, end, scratch.floats());
    if (codes) {
      RoundActivations(x, tokens, begin / MatMulScratch::kBlock, end / MatMulScratch::kBlock,
                       scratch.codes(), scratch.sums());
    }
  };
  const size_t tasks = std::max<size_t>(1, tokens * columns / kTaskValues);
  const size_t share = (columns / MatMulScratch::kBlock + tasks) / tasks * MatMulScratch::kBlock;
  pool.ParallelFor((columns + share - 1) / share, [&](size_t task, int /*thread*/) {
    prepare(task * share, std::min(columns, (task + 1) * share));
  });
}

// Tasks [begin, end) of one product: as one stream for few tokens; one by one for many, which
// take several passes and are to find a task's weights in the cache.
void MultiplyTasks(const TileCall& call, size_t begin, size_t end) {
  constexpr size_t kFewTokens = 8;
  const size_t tiles = TilesPerTask(call.weights);
  const size_t stop = std::min<size_t>(call.weights.num_tiles(), end * tiles);
  const size_t step = call.tokens <= kFewTokens ? (end - begin) * tiles : tiles;
  for (size_t tile = begin * tiles; tile < stop; tile += step) {
    if (IsQuantized(call.weights.type)) {
      MultiplyQuantTiles(call, tile, std::min(stop, tile + step));
    } else {
      MultiplyFloatTiles(call, tile, std::min(stop, tile + step));
    }
  }
}

}  // namespace

MatMulScratch::MatMulScratch(size_t max_tokens, size_t max_columns)
    : floats_(max_tokens * max_columns),
      codes_(max_tokens * (max_columns / kBlock) * kBlockCodes),
      sums_(max_tokens * (max_columns / kBlock)) {}

void MatMul(std::span<const Product> products, std::span<const float> x, MatMulScratch& scratch,
            ThreadPool& pool) {
  constexpr size_t kMaxProducts = 4;
  AIO_CHECK(!products.empty() && products.size() <= kMaxProducts);
  const size_t columns = products[0].weights.columns;
  const size_t tokens = x.size() / columns;
  AIO_CHECK(x.size() == tokens * columns);
  AIO_CHECK(x.size() <= scratch.capacity(), "the scratch is too small");
  if (tokens == 0) return;
  internal::EnsureTargetChosen();

  // One token's floats are in order as they are.
  const float* floats = tokens == 1 ? x.data() : scratch.floats();
  std::array<TileCall, kMaxProducts> calls;
  std::array<size_t, kMaxProducts> first_task{};
  size_t num_tasks = 0;
  bool any_quantized = false;
  bool any_float = false;
  for (size_t i = 0; i < products.size(); ++i) {
    const Product& product = products[i];
    CheckProduct(product, columns, tokens);
    calls[i] = {product.weights, product.bias.empty() ? nullptr : product.bias.data(),
                floats,          product.y.data(),
                tokens,          scratch.codes(),
                scratch.sums()};
    first_task[i] = num_tasks;
    num_tasks += NumTasks(product.weights);
    (IsQuantized(product.weights.type) ? any_quantized : any_float) = true;
  }
  if (any_quantized || tokens > 1) {
    PrepareActivations(x, tokens, any_float && tokens > 1, any_quantized, scratch, pool);
  }
  pool.ParallelForRuns(num_tasks, [&](size_t task, size_t end, int /*thread*/) {
    for (size_t i = 0; i < products.size() && task < end; ++i) {
      const size_t next = i + 1 < products.size() ? first_task[i + 1] : num_tasks;
      if (task >= next) continue;
      const size_t stop = std::min(end, next);
      MultiplyTasks(calls[i], task - first_task[i], stop - first_task[i]);
      task = stop;
    }
  });
}

}  // namespace aio
