// GGUF v2/v3 files, read through mmap.
//
// Every length, offset, count, alignment and type is checked against the file's size
// before it is used: a truncated, bit-flipped or hostile file gives an error that names
// the file, the key or tensor, and what was expected.
#ifndef AIO_FORMATS_GGUF_H_
#define AIO_FORMATS_GGUF_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "formats/tensor_type.h"

namespace aio {

class MappedFile;

struct GgufTensor {
  std::string_view name;       // points into the file; valid UTF-8, not empty
  uint32_t type = 0;           // a TensorType or one that cannot be run
  std::vector<uint64_t> dims;  // 1 to 4, each >= 1; GGUF order: dims[0] is contiguous ("columns")
  uint64_t elements = 0;
  std::span<const std::byte> data;  // in the mapping; empty for types of unknown size
};

// One metadata value. Strings and arrays point into the file.
struct GgufValue {
  enum class Type : uint32_t {
    kUint8 = 0,
    kInt8 = 1,
    kUint16 = 2,
    kInt16 = 3,
    kUint32 = 4,
    kInt32 = 5,
    kFloat32 = 6,
    kBool = 7,
    kString = 8,
    kArray = 9,
    kUint64 = 10,
    kInt64 = 11,
    kFloat64 = 12,
  };
  Type type{};
  Type element_type{};  // for kArray
  uint64_t count = 0;   // for kArray
  // The encoded value; of a string its text without the length, of an array its elements.
  std::span<const std::byte> raw;
};

struct GgufKeyValue {
  std::string_view key;  // valid UTF-8, not empty
  GgufValue value;
};

// Immutable after Open(); thread-safe.
class GgufFile {
 public:
  // Maps the file and checks its whole header. The file must not shrink while it is open.
  // kNotFound, kPermissionDenied; kUnimplemented for what GGUF has but we do not read (other
  // versions, big-endian, arrays of arrays); kInvalidArgument for the rest. The message
  // begins with the path.
  static Result<std::shared_ptr<const GgufFile>> Open(const std::string& path);
  // The same over bytes that outlive the result; `name` stands in for the path in errors.
  // Tensors are as aligned in memory as `bytes` and alignment() allow.
  static Result<std::shared_ptr<const GgufFile>> Parse(std::span<const std::byte> bytes,
                                                       std::string name);
  ~GgufFile();

  const std::string& path() const;
  uint64_t file_size() const;
  uint32_t version() const;    // 2 or 3
  uint64_t alignment() const;  // of every tensor's offset in the file: a power of two >= 8
  const std::vector<GgufKeyValue>& metadata() const;  // file order
  const std::vector<GgufTensor>& tensors() const;     // file order

  const GgufTensor* FindTensor(std::string_view name) const;  // null if absent
  const GgufValue* FindValue(std::string_view key) const;     // null if absent

  // Typed lookups. A missing key is kNotFound, a wrong type kInvalidArgument; both name
  // the file and the key. Integers of any width are accepted where the value fits.
  Result<int64_t> GetInt(std::string_view key) const;
  Result<double> GetFloat(std::string_view key) const;  // float32, float64 or integer
  Result<bool> GetBool(std::string_view key) const;
  Result<std::string_view> GetString(std::string_view key) const;
  Result<std::vector<std::string_view>> GetStringArray(std::string_view key) const;
  Result<std::vector<float>> GetFloatArray(std::string_view key) const;
  Result<std::vector<int64_t>> GetIntArray(std::string_view key) const;

  // Says that `part` of a tensor's data will not be needed soon: of a mapped file, its
  // memory is given back, and comes from the file again when it is read.
  void Release(std::span<const std::byte> part) const;

  // A value for people: numbers, quoted and shortened strings, "[1, 2]", "[32000 strings]".
  std::string Describe(const GgufValue& value) const;

 private:
  struct Impl;
  explicit GgufFile(std::unique_ptr<Impl> impl);
  static Result<std::shared_ptr<const GgufFile>> Make(std::string name,
                                                      std::span<const std::byte> bytes,
                                                      MappedFile mapping);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_FORMATS_GGUF_H_
