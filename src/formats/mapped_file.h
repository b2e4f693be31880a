// A file mapped into memory, read-only.
#ifndef AIO_FORMATS_MAPPED_FILE_H_
#define AIO_FORMATS_MAPPED_FILE_H_

#include <cstddef>
#include <span>
#include <string>

#include "base/status.h"

namespace aio {

// Owns the mapping; moving it leaves the bytes where they are. The file must not shrink
// while it is mapped.
class MappedFile {
 public:
  // Only regular files. kNotFound, kPermissionDenied or kInvalidArgument; the message does
  // not name the file. An empty file gives empty bytes().
  static Result<MappedFile> Open(const std::string& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  // Gives the memory of `part` of bytes() back; read again, it comes from the file again.
  void Release(std::span<const std::byte> part) const;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace aio

#endif  // AIO_FORMATS_MAPPED_FILE_H_
