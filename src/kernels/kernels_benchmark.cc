// Speed of the matrix product, in bytes of weights read per second (and FLOP/s), next to
// a plain streaming read of the same memory.
//
//   kernels_benchmark --benchmark_filter=F16
//
// Arguments: tokens per call, threads.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "kernels/aligned.h"
#include "kernels/kernels.h"
#include "kernels/matmul.h"
#include "kernels/target.h"

namespace aio {
namespace {

// Memory of whole huge pages where the system grants them: small pages lie where chance put
// them, and push each other out of the caches more or less.
class Memory {
 public:
  explicit Memory(size_t bytes) : bytes_((bytes / kPage + 2) * kPage) {
    pages_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    AIO_CHECK(pages_ != MAP_FAILED);
    static_cast<void>(madvise(pages_, bytes_, MADV_HUGEPAGE));
    std::memset(pages_, 0x11, bytes_);  // small normal numbers in every encoding
    data_ = static_cast<std::byte*>(pages_) + kPage - reinterpret_cast<uintptr_t>(pages_) % kPage;
  }
  ~Memory() { munmap(pages_, bytes_); }
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }

 private:
  static constexpr size_t kPage = size_t{2} << 20;

  size_t bytes_;
  void* pages_;
  std::byte* data_;
};

// How much there is to multiply.
struct Size {
  size_t kilobytes;
  int columns;
};
constexpr Size kStreamed{512 << 10, 4096};
constexpr Size kPrefill{32 << 10, 4096};
// From the second-level cache: what the arithmetic alone takes.
constexpr Size kCached{512, 512};

void BM_MatMul(benchmark::State& state, WeightType type, Size size) {
  const size_t columns = size.columns;
  PackedMatrix weights{nullptr, type, 1, size.columns};
  weights.rows =
      weights.tile_rows() * static_cast<int>((size.kilobytes << 10) / weights.tile_bytes());
  const Memory memory(weights.bytes());
  weights.data = memory.data();
  const size_t tokens = state.range(0);
  ThreadPool pool(static_cast<int>(state.range(1)));
  AlignedVector<float> x(tokens * columns, 0.5f);
  AlignedVector<float> y(tokens * weights.rows);
  MatMulScratch scratch(tokens, columns);
  const Product product{weights, {}, y};
  for (auto _ : state) MatMul({&product, 1}, x, scratch, pool);
  const double calls = static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(calls * static_cast<double>(weights.bytes())));
  state.counters["GFLOP/s"] =
      benchmark::Counter(calls * 2e-9 * weights.rows * size.columns * static_cast<double>(tokens),
                         benchmark::Counter::kIsRate);
  state.SetLabel(std::string(ActiveTarget()));
}

// Of matrices as they are stored, to packed ones. Arguments: threads.
void BM_Pack(benchmark::State& state, WeightType type) {
  Matrix stored{nullptr, type, 4096, kStreamed.columns};
  const Memory memory(stored.bytes());
  stored.data = memory.data();
  const PackedMatrix packed = PackedShape(stored);
  Memory out(packed.bytes());
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    pool.ParallelFor(packed.num_tiles(), [&](size_t tile, int) {
      PackTile(stored, static_cast<int>(tile), out.data() + tile * packed.tile_bytes());
    });
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(stored.bytes()));
}

void BM_StreamingRead(benchmark::State& state) {
  constexpr size_t kBytes = size_t{512} << 20;
  constexpr size_t kTaskBytes = size_t{1} << 20;
  const Memory memory(kBytes);
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    pool.ParallelFor(kBytes / kTaskBytes, [&](size_t task, int) {
      const auto* words = reinterpret_cast<const uint64_t*>(memory.data() + task * kTaskBytes);
      benchmark::DoNotOptimize(SumOfWords({words, kTaskBytes / sizeof(uint64_t)}));
    });
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kBytes));
}

void Threads(benchmark::internal::Benchmark* b) {
  b->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(BM_StreamingRead)->Apply(Threads);
void Sizes(benchmark::internal::Benchmark* b) {
  for (const int tokens : {1, 2, 4, 8}) {
    for (const int threads : {1, 2}) b->Args({tokens, threads});
  }
  b->UseRealTime()->Unit(benchmark::kMillisecond);
}
void Cached(benchmark::internal::Benchmark* b) {
  for (const int tokens : {1, 2, 4, 8}) b->Args({tokens, 1});
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
}
void ManyTokens(benchmark::internal::Benchmark* b) {
  b->Args({256, 1})->Args({256, 2})->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(BM_MatMul, F32, WeightType::kF32, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, F16, WeightType::kF16, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, BF16, WeightType::kBF16, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, Q8_0, WeightType::kQ8_0, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, Q4_0, WeightType::kQ4_0, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, Q4_K, WeightType::kQ4_K, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, Q5_K, WeightType::kQ5_K, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, Q6_K, WeightType::kQ6_K, kStreamed)->Apply(Sizes);
BENCHMARK_CAPTURE(BM_MatMul, F16_prefill, WeightType::kF16, kPrefill)->Apply(ManyTokens);
BENCHMARK_CAPTURE(BM_MatMul, Q8_0_prefill, WeightType::kQ8_0, kPrefill)->Apply(ManyTokens);
BENCHMARK_CAPTURE(BM_MatMul, F16_cached, WeightType::kF16, kCached)->Apply(Cached);
BENCHMARK_CAPTURE(BM_MatMul, BF16_cached, WeightType::kBF16, kCached)->Apply(Cached);
BENCHMARK_CAPTURE(BM_MatMul, Q8_0_cached, WeightType::kQ8_0, kCached)->Apply(Cached);
BENCHMARK_CAPTURE(BM_MatMul, Q4_0_cached, WeightType::kQ4_0, kCached)->Apply(Cached);
BENCHMARK_CAPTURE(BM_MatMul, Q4_K_cached, WeightType::kQ4_K, kCached)->Apply(Cached);
BENCHMARK_CAPTURE(BM_MatMul, Q5_K_cached, WeightType::kQ5_K, kCached)->Apply(Cached);
BENCHMARK_CAPTURE(BM_MatMul, Q6_K_cached, WeightType::kQ6_K, kCached)->Apply(Cached);
BENCHMARK_CAPTURE(BM_Pack, F32, WeightType::kF32)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Pack, F16, WeightType::kF16)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Pack, Q8_0, WeightType::kQ8_0)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Pack, Q4_0, WeightType::kQ4_0)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Pack, Q4_K, WeightType::kQ4_K)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Pack, Q5_K, WeightType::kQ5_K)->Apply(Threads);
BENCHMARK_CAPTURE(BM_Pack, Q6_K, WeightType::kQ6_K)->Apply(Threads);

}  // namespace
}  // namespace aio
