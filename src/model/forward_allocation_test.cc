// A step takes no memory from the heap: counted by replacing operator new in this binary.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "kernels/aligned.h"
#include "model/forward.h"
#include "model/testing/test_model.h"

namespace {
std::atomic<int> g_allocations{0};
}  // namespace

// Not inlined: gcc would see free() meet a pointer from operator new, and warn.
[[gnu::noinline]] void* operator new(size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

// The aligned forms, from which AlignedVector takes its memory.
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  const auto multiple = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(multiple, (size + multiple - 1) / multiple * multiple)) {
    return memory;
  }
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace aio {
namespace {

TEST(ForwardTest, TheCounterSeesActivations) {
  const int before = g_allocations.load();
  const AlignedVector<float> activations(64);
  EXPECT_EQ(g_allocations.load() - before, 1);
  const std::shared_ptr<const Model> model = LoadRandomModel(TestModelSpec());
  const int before_scratch = g_allocations.load();
  const ForwardScratch scratch(model->config(), 1, 1);
  EXPECT_GT(g_allocations.load(), before_scratch);
}

TEST(ForwardTest, AStepDoesNotAllocate) {
  TestModelSpec spec;
  spec.matrix_type = TensorType::kF16;
  const std::shared_ptr<const Model> model = LoadRandomModel(spec);
  const auto cache = KvCache::Create(model->config(), KvType::kF16, 4).value();
  ForwardScratch scratch(model->config(), 16, 16);
  ThreadPool pool(2);
  const std::vector<int32_t> table = {0, 1, 2, 3};
  std::vector<ForwardRow> rows;
  for (int p = 0; p < 16; ++p) rows.push_back({p, p, table, true});
  Forward(*model, rows, *cache, scratch, pool);  // chooses the instruction set
  const int before = g_allocations.load();
  Forward(*model, rows, *cache, scratch, pool);
  for (int p = 16; p < 64; ++p) {
    const ForwardRow row{p, p, table, true};
    Forward(*model, {&row, 1}, *cache, scratch, pool);
  }
  EXPECT_EQ(g_allocations.load() - before, 0);
  EXPECT_GT(before, 0);  // the counter counts
}

}  // namespace
}  // namespace aio
