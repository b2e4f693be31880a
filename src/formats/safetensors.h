// Safetensors files, read through mmap: a length, a JSON header that says where each tensor
// lies, then the tensors (https://github.com/huggingface/safetensors, "Format").
//
// Every length and offset is checked against the file's size before it is used, and tensors
// must fill the file without gaps or overlaps, as the format demands: a truncated or hostile
// file gives an error that names the file and the tensor.
#ifndef AIO_FORMATS_SAFETENSORS_H_
#define AIO_FORMATS_SAFETENSORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

class MappedFile;

struct SafetensorsTensor {
  std::string name;                 // valid UTF-8, not empty
  std::string dtype;                // "F32", "BF16", ...: one whose size is known
  std::vector<uint64_t> shape;      // row-major, outermost first; empty for a single value
  uint64_t elements = 0;            // 0 where a dimension is 0
  std::span<const std::byte> data;  // in the mapping, at any address
};

// Immutable after Open(); thread-safe.
class SafetensorsFile {
 public:
  // Maps the file and checks its whole header. The file must not shrink while it is open.
  // kNotFound, kPermissionDenied; kUnimplemented for a dtype we do not know;
  // kInvalidArgument for the rest. The message begins with the path.
  static Result<std::shared_ptr<const SafetensorsFile>> Open(const std::string& path);
  // The same over bytes that outlive the result; `name` stands in for the path in errors.
  static Result<std::shared_ptr<const SafetensorsFile>> Parse(std::span<const std::byte> bytes,
                                                              std::string name);
  ~SafetensorsFile();

  const std::string& path() const;
  uint64_t file_size() const;
  const std::vector<SafetensorsTensor>& tensors() const;             // in the order of their data
  const SafetensorsTensor* FindTensor(std::string_view name) const;  // null if absent

  // As GgufFile::Release().
  void Release(std::span<const std::byte> part) const;

 private:
  struct Impl;
  explicit SafetensorsFile(std::unique_ptr<Impl> impl);
  static Result<std::shared_ptr<const SafetensorsFile>> Make(std::string name,
                                                             std::span<const std::byte> bytes,
                                                             MappedFile mapping);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_FORMATS_SAFETENSORS_H_
