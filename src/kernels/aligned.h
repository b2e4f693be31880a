// Vectors that begin on a cache line: an activation row that straddles lines costs the
// matrix product a third of its speed.
#ifndef AIO_KERNELS_ALIGNED_H_
#define AIO_KERNELS_ALIGNED_H_

#include <cstddef>
#include <new>
#include <vector>

namespace aio {

inline constexpr std::align_val_t kCacheLine{64};

template <typename T>
struct CacheLineAllocator {
  using value_type = T;

  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}  // NOLINT: implicit by convention

  T* allocate(size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), kCacheLine));
  }
  void deallocate(T* memory, size_t /*count*/) { ::operator delete(memory, kCacheLine); }

  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }
};

template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace aio

#endif  // AIO_KERNELS_ALIGNED_H_
