#include "base/page_memory.h"

#include <sys/mman.h>

#include <string>

namespace aio {

Result<PageMemory> PageMemory::Reserve(int64_t bytes) {
  PageMemory memory;
  if (bytes == 0) return memory;
  void* data = MAP_FAILED;
  if (bytes > 0) {
    data = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (data == MAP_FAILED) {
    return ResourceExhausted("cannot reserve " + std::to_string(bytes) + " bytes of memory");
  }
  // Only advice: small pages are still correct.
  static_cast<void>(madvise(data, static_cast<size_t>(bytes), MADV_HUGEPAGE));
  memory.data_ = static_cast<std::byte*>(data);
  memory.bytes_ = static_cast<size_t>(bytes);
  return memory;
}

PageMemory::~PageMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace aio
