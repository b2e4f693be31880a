// An open file, and what the system says when it fails.
#ifndef AIO_FORMATS_FILE_DESCRIPTOR_H_
#define AIO_FORMATS_FILE_DESCRIPTOR_H_

#include <string_view>

#include "base/status.h"

namespace aio {

// Owns a descriptor; closes it in the end.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

// "cannot open: No such file or directory" from `error` (an errno) and what was tried.
Status SystemError(std::string_view doing, int error);

}  // namespace aio

#endif  // AIO_FORMATS_FILE_DESCRIPTOR_H_
