// Writes GGUF v3 files: for tests, and for tools that convert models.
#ifndef AIO_FORMATS_GGUF_WRITER_H_
#define AIO_FORMATS_GGUF_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

struct GgufValue;

// Collects keys and tensors, then encodes them in the order they came. Setting a key again
// replaces its value. Names are the program's own: an empty or repeated tensor name, or data
// that does not fit `type` and `dims`, is a broken invariant. Not thread-safe.
class GgufWriter {
 public:
  GgufWriter();
  ~GgufWriter();

  void SetUint32(std::string_view key, uint32_t value);
  void SetFloat32(std::string_view key, float value);
  void SetBool(std::string_view key, bool value);
  void SetString(std::string_view key, std::string_view value);
  void SetStringArray(std::string_view key, std::span<const std::string> values);
  void SetFloat32Array(std::string_view key, std::span<const float> values);
  void SetInt32Array(std::string_view key, std::span<const int32_t> values);

  // A value as another file has it; every type. "general.alignment" is left out: it is
  // about that file's layout, and this writer always uses the default of 32.
  void SetValue(std::string_view key, const GgufValue& value);

  // `dims` in GGUF order; `data` holds the encoded tensor and is copied. Withdrawn and
  // unknown types are taken as they are.
  void AddTensor(std::string_view name, uint32_t type, std::span<const uint64_t> dims,
                 std::span<const std::byte> data);

  // A tensor whose data is made only when the file is written: too large to hold. `type` is
  // one of known size.
  void DeclareTensor(std::string_view name, uint32_t type, std::span<const uint64_t> dims);

  std::vector<std::byte> Encode() const;  // alignment 32; no declared tensors

  // Hands over the next bytes of a declared tensor.
  using Put = std::function<Status(std::span<const std::byte>)>;
  // Puts all data of declared tensor `name`, piece by piece; called in the order of the
  // declarations.
  using TensorSource = std::function<Status(std::string_view name, const Put& put)>;

  // Atomically: a temporary file beside `path`, then rename. On any failure, also the
  // source's own, nothing is left behind and `path` is as it was. kInvalidArgument when it is
  // something else than a file.
  Status WriteFile(const std::string& path, const TensorSource& source = nullptr) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_FORMATS_GGUF_WRITER_H_
