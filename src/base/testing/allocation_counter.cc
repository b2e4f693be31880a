#include "base/testing/allocation_counter.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<int> g_allocations{0};
thread_local int t_until_failure = 0;  // 0: none fails

// Counts one; whether it is to fail.
bool IsToFail() {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  return t_until_failure > 0 && --t_until_failure == 0;
}
}  // namespace

// Not inlined: gcc would see free() meet a pointer from operator new, and warn.
[[gnu::noinline]] void* operator new(size_t size) {
  if (IsToFail()) throw std::bad_alloc();
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  if (IsToFail()) return nullptr;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

// The aligned forms, from which AlignedVector takes its memory.
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  if (IsToFail()) throw std::bad_alloc();
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

int AllocationCount() { return g_allocations.load(); }

FailingAllocation::FailingAllocation(int nth) { t_until_failure = nth; }
FailingAllocation::~FailingAllocation() { t_until_failure = 0; }
bool FailingAllocation::has_failed() const { return t_until_failure == 0; }

}  // namespace aio
