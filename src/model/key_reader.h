// Reads `<architecture>.<key>` metadata values, with errors that name the file and the key.
#ifndef AIO_MODEL_KEY_READER_H_
#define AIO_MODEL_KEY_READER_H_

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "formats/gguf.h"

namespace aio {

// `file` must outlive it.
class KeyReader {
 public:
  KeyReader(const GgufFile& file, std::string architecture)
      : file_(file), architecture_(std::move(architecture)) {}

  const GgufFile& file() const { return file_; }
  std::string Key(std::string_view key) const { return fmt::format("{}.{}", architecture_, key); }
  bool Has(std::string_view key) const { return file_.FindValue(Key(key)) != nullptr; }

  // "models/x.gguf: llama.block_count: <problem>"
  Status Invalid(std::string_view key, std::string_view problem) const {
    return InvalidArgument(Where(key) + std::string(problem));
  }
  Status Unsupported(std::string_view key, std::string_view problem) const {
    return Unimplemented(Where(key) + std::string(problem));
  }

  Result<int> Int(std::string_view key, int min, int max) const {
    AIO_ASSIGN_OR_RETURN(const int64_t value, file_.GetInt(Key(key)));
    AIO_RETURN_IF_ERROR(CheckRange(key, value, min, max));
    return static_cast<int>(value);
  }
  Result<int> IntOr(std::string_view key, int absent, int min, int max) const {
    if (!Has(key)) return absent;
    return Int(key, min, max);
  }

  Result<float> Float(std::string_view key, double min, double max) const {
    AIO_ASSIGN_OR_RETURN(const double value, file_.GetFloat(Key(key)));
    AIO_RETURN_IF_ERROR(CheckRange(key, value, min, max));
    return static_cast<float>(value);
  }
  Result<float> FloatOr(std::string_view key, float absent, double min, double max) const {
    if (!Has(key)) return absent;
    return Float(key, min, max);
  }

 private:
  std::string Where(std::string_view key) const {
    return fmt::format("{}: {}: ", file_.path(), Key(key));
  }

  template <typename T>
  Status CheckRange(std::string_view key, T value, T min, T max) const {
    if (value >= min && value <= max) return Status::Ok();  // which NaN is not
    return Invalid(key, fmt::format("{} is out of range; expected {} to {}", value, min, max));
  }
  Status CheckRange(std::string_view key, int64_t value, int min, int max) const {
    return CheckRange<int64_t>(key, value, min, max);
  }

  const GgufFile& file_;
  std::string architecture_;
};

}  // namespace aio

#endif  // AIO_MODEL_KEY_READER_H_
