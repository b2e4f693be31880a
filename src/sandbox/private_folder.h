// A folder of the host's for one run, where there is no mount namespace to have one in memory.
#ifndef AIO_SANDBOX_PRIVATE_FOLDER_H_
#define AIO_SANDBOX_PRIVATE_FOLDER_H_

#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace aio {

// Removes the folder and what is in it in the end.
class PrivateFolder {
 public:
  PrivateFolder() = default;  // none
  ~PrivateFolder();
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateFolder& operator=(PrivateFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  // With `program` in it, by the name that it has in a sandbox.
  static Result<PrivateFolder> Create(std::string_view program);

  const std::string& path() const { return path_; }

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace aio

#endif  // AIO_SANDBOX_PRIVATE_FOLDER_H_
