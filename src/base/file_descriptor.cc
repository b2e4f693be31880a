#include "base/file_descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace aio {

void FileDescriptor::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Status SystemError(std::string_view doing, int error) {
  const std::string message =
      "cannot " + std::string(doing) + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return NotFound(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return Status(StatusCode::kPermissionDenied, message);
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
      return ResourceExhausted(message);
    default:
      return InvalidArgument(message);
  }
}

}  // namespace aio
