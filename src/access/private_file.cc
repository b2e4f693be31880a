#include "access/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "base/file_descriptor.h"

namespace aio {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBytesMax = 1 << 20;

Status FileError(const std::string& path, std::string_view doing, int error) {
  return SystemError(doing, error).WithContext(path);
}

Status CheckIsPrivate(const FileDescriptor& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return FileError(path, "examine", errno);
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path + ": is not a plain file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Status(StatusCode::kPermissionDenied,
                  fmt::format("{}: others than its owner may use it (mode {:o}); run chmod 600 {}",
                              path, info.st_mode & 07777, path));
  }
  return Status::Ok();
}

Status WriteAll(const FileDescriptor& file, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(path, "write", errno);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(file.get()) != 0) return FileError(path, "write", errno);
  return Status::Ok();
}

// A new file beside `path`, then its name.
Status Replace(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  const FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // of mode 0600
  if (!file.valid()) return FileError(path, "make a file beside it", errno);
  Status status = WriteAll(file, temporary, text);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = FileError(path, "replace", errno);
  }
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

}  // namespace

Result<std::string> ReadPrivateFile(const std::string& path) {
  // Without waiting, should it be a pipe.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return FileError(path, "open", errno);
  AIO_RETURN_IF_ERROR(CheckIsPrivate(file, path));
  std::string text(kBytesMax + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(path, "read", errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > kBytesMax) {
    return InvalidArgument(fmt::format("{}: larger than {} bytes", path, kBytesMax));
  }
  text.resize(size);
  return text;
}

Status EditPrivateFile(const std::string& path, const std::function<Status(std::string&)>& edit) {
  std::error_code error;
  // Through symbolic links, which stay.
  fs::path target = fs::absolute(path, error);
  if (!error) target = fs::weakly_canonical(target, error);
  if (error) return FileError(path, "find", error.value());
  // The folder is what is locked: the file itself is replaced.
  const FileDescriptor folder(
      ::open(target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return FileError(path, "open its folder", errno);
  if (::flock(folder.get(), LOCK_EX) != 0) return FileError(path, "lock its folder", errno);
  std::string text;
  if (fs::exists(target, error)) {
    AIO_ASSIGN_OR_RETURN(text, ReadPrivateFile(target.string()));
  }
  AIO_RETURN_IF_ERROR(edit(text));
  AIO_RETURN_IF_ERROR(Replace(target.string(), text));
  ::fsync(folder.get());  // so that the name lasts; what a reader sees is right anyway
  return Status::Ok();
}

}  // namespace aio
