#include "eval/data_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <memory>
#include <system_error>

namespace aio {

namespace {

constexpr size_t kBytesMax = size_t{1} << 30;

}  // namespace

Result<std::string> ReadDataFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return InvalidArgument(path + ": is a folder, not a file");
  }
  // Reads what is not compressed as it is.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) return NotFound(path + ": cannot be opened");
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const int read = gzread(file.get(), buffer.data(), buffer.size());
    int code = Z_OK;
    const char* fault = gzerror(file.get(), &code);
    if (read < 0 || code == Z_BUF_ERROR) {
      return InvalidArgument(fmt::format("{}: cannot be read: {}", path, fault));
    }
    if (read == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(read));
    if (text.size() > kBytesMax) {
      return InvalidArgument(path + ": holds more than 1 GiB; is it a data set?");
    }
  }
}

}  // namespace aio
