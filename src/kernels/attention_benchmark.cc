// Speed of attention: decoding in bytes of keys and values read a second, next to a plain
// streaming read of the same memory; prefill in FLOP/s.
//
//   attention_benchmark --benchmark_filter=Decode
//
// Arguments: query heads that share a KV head (and rows, of prefill), threads.
#include <benchmark/benchmark.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "base/page_memory.h"
#include "base/thread_pool.h"
#include "kernels/aligned.h"
#include "kernels/attention.h"
#include "kernels/kernels.h"
#include "kernels/target.h"

namespace aio {
namespace {

constexpr int kHeadSize = 128;
constexpr int kKeys = 32768;
constexpr int kAll = kKeys / kKvBlockTokens;
constexpr size_t kBytes = size_t{1} << 30;  // of keys and values: more than any cache holds

// As many KV heads as fill the memory, all positions written.
class Cache {
 public:
  explicit Cache(KvType type) : piece_bytes_(LayoutOfPiece(type, kHeadSize).bytes) {
    num_heads_ = static_cast<int>(kBytes / (piece_bytes_ * kBlocks));
    memory_ = PageMemory::Reserve(static_cast<int64_t>(bytes())).value();
    first_ = {memory_.data(), kBlocks, type, kHeadSize};
    std::vector<float> x(kHeadSize);
    for (int slot = 0; slot < kKvBlockTokens; ++slot) {
      for (int i = 0; i < kHeadSize; ++i) x[i] = static_cast<float>((i * 37 + slot * 11) % 64) / 64;
      StoreKeyValue(first_, 0, slot, x, x);
    }
    for (size_t at = piece_bytes_; at < bytes(); at += piece_bytes_) {
      std::memcpy(memory_.data() + at, memory_.data(), piece_bytes_);
    }
  }
  size_t bytes() const { return num_heads_ * head_bytes(); }
  int num_heads() const { return num_heads_; }
  const std::byte* data() const { return memory_.data(); }
  KvHeadView Head(size_t head) const {
    KvHeadView view = first_;
    view.pieces += head * head_bytes();
    return view;
  }

 private:
  static constexpr int kBlocks = kAll;
  size_t head_bytes() const { return piece_bytes_ * kBlocks; }

  size_t piece_bytes_;
  int num_heads_;
  PageMemory memory_;
  KvHeadView first_;
};

const Cache& CacheOf(KvType type) {
  static const Cache f16(KvType::kF16);
  static const Cache q8_0(KvType::kQ8_0);
  return type == KvType::kF16 ? f16 : q8_0;
}

std::vector<int32_t> Neighbours(int distinct = kAll) {
  std::vector<int32_t> table(kAll);
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<int32_t>(i) % distinct;
  return table;
}

AttentionTile TileOf(const std::vector<int32_t>& table, int rows, int heads) {
  static const AlignedVector<float> query(kAttentionPairs * kHeadSize, 0.125f);
  AttentionTile tile;
  tile.block_table = table;
  tile.first_position = kKeys - rows;
  tile.rows = rows;
  tile.heads = heads;
  tile.scale = 0.1f;
  tile.query = query.data();
  tile.row_stride = static_cast<size_t>(heads) * kHeadSize;
  return tile;
}

// One token at 32K keys, every KV head of every layer once; of `distinct` blocks.
void BM_Decode(benchmark::State& state, KvType type, int distinct) {
  const Cache& cache = CacheOf(type);
  const std::vector<int32_t> table = Neighbours(distinct);
  const AttentionTile all = TileOf(table, 1, static_cast<int>(state.range(0)));
  ThreadPool pool(static_cast<int>(state.range(1)));
  std::vector<AlignedVector<float>> out(cache.num_heads(),
                                        AlignedVector<float>(kAttentionPairs * kHeadSize));
  for (auto _ : state) {
    pool.ParallelFor(cache.num_heads(), [&](size_t head, int /*thread*/) {
      AttentionTile tile = all;
      tile.kv = cache.Head(distinct == kAll ? head : 0);
      tile.out = out[head].data();
      Attention(tile);
    });
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(cache.bytes()));
  state.SetLabel(std::string(ActiveTarget()));
}

// A tile of a long prefill, the same KV head for all tiles of a thread.
void BM_Prefill(benchmark::State& state, KvType type) {
  const Cache& cache = CacheOf(type);
  const std::vector<int32_t> table = Neighbours();
  const int heads = static_cast<int>(state.range(0));
  const int rows = kAttentionPairs / heads;
  const AttentionTile all = TileOf(table, rows, heads);
  ThreadPool pool(static_cast<int>(state.range(1)));
  constexpr size_t kTiles = 16;
  std::vector<AlignedVector<float>> out(kTiles, AlignedVector<float>(kAttentionPairs * kHeadSize));
  for (auto _ : state) {
    pool.ParallelFor(kTiles, [&](size_t i, int /*thread*/) {
      AttentionTile tile = all;
      tile.kv = cache.Head(i * 2 / kTiles);
      tile.out = out[i].data();
      Attention(tile);
    });
  }
  const double flops = 4e-9 * kTiles * rows * heads * kKeys * kHeadSize;
  state.counters["GFLOP/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * flops,
                                                 benchmark::Counter::kIsRate);
  state.SetLabel(std::string(ActiveTarget()));
}

void BM_StreamingRead(benchmark::State& state) {
  constexpr size_t kTaskBytes = size_t{1} << 20;
  const Cache& cache = CacheOf(KvType::kF16);
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    pool.ParallelFor(cache.bytes() / kTaskBytes, [&](size_t task, int /*thread*/) {
      const auto* words = reinterpret_cast<const uint64_t*>(cache.data() + task * kTaskBytes);
      benchmark::DoNotOptimize(SumOfWords({words, kTaskBytes / sizeof(uint64_t)}));
    });
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(cache.bytes()));
}

void Read(benchmark::internal::Benchmark* b) {
  b->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}
void Groups(benchmark::internal::Benchmark* b) {
  for (const int group : {1, 2, 4, 8}) {
    for (const int threads : {1, 2}) b->Args({group, threads});
  }
  b->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(BM_StreamingRead)->Name("Read/before")->Apply(Read);
BENCHMARK_CAPTURE(BM_Decode, F16, KvType::kF16, kAll)->Apply(Groups);
BENCHMARK(BM_StreamingRead)->Name("Read/between")->Apply(Read);
BENCHMARK_CAPTURE(BM_Decode, Q8_0, KvType::kQ8_0, kAll)->Apply(Groups);
BENCHMARK(BM_StreamingRead)->Name("Read/after")->Apply(Read);
// Blocks that stay in the cache: what the arithmetic alone would reach.
BENCHMARK_CAPTURE(BM_Decode, F16_cached, KvType::kF16, 4)->Apply(Groups);
BENCHMARK_CAPTURE(BM_Decode, Q8_0_cached, KvType::kQ8_0, 4)->Apply(Groups);
BENCHMARK_CAPTURE(BM_Prefill, F16, KvType::kF16)->Apply(Groups);
BENCHMARK_CAPTURE(BM_Prefill, Q8_0, KvType::kQ8_0)->Apply(Groups);

}  // namespace
}  // namespace aio
