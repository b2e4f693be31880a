// An open file, and what the system says when it fails.
#ifndef AIO_BASE_FILE_DESCRIPTOR_H_
#define AIO_BASE_FILE_DESCRIPTOR_H_

#include <string_view>
#include <utility>

#include "base/status.h"

namespace aio {

// Owns a descriptor; closes it in the end.
class FileDescriptor {
 public:
  FileDescriptor() = default;  // none
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  void Close();

 private:
  int fd_ = -1;
};

// "cannot open: No such file or directory" from `error` (an errno) and what was tried.
Status SystemError(std::string_view doing, int error);

}  // namespace aio

#endif  // AIO_BASE_FILE_DESCRIPTOR_H_
