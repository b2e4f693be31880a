// Large memory straight from the system, in huge pages where it grants them: streaming
// reads from 4 KiB pages cost a fifth of the bandwidth.
#ifndef AIO_BASE_PAGE_MEMORY_H_
#define AIO_BASE_PAGE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/status.h"

namespace aio {

// Owns the memory; zero until written, and taken from the system page by page then.
class PageMemory {
 public:
  // kResourceExhausted with the bytes when the system refuses. `bytes` may be 0.
  static Result<PageMemory> Reserve(int64_t bytes);

  PageMemory() = default;
  PageMemory(PageMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  PageMemory& operator=(PageMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~PageMemory();

  std::byte* data() const { return data_; }  // begins on a page
  size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace aio

#endif  // AIO_BASE_PAGE_MEMORY_H_
