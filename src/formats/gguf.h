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
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aio {

// The numbers are GGUF's (ggml_type). Types we only name cannot be loaded by a model;
// TensorTypeName() still says what they are.
enum class TensorType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ8_0 = 8,
  kBF16 = 30,
};
std::string_view TensorTypeName(uint32_t type);  // "F16", "Q4_K", ...; "type 99" style for unknown
bool IsRunnableTensorType(uint32_t type);        // one of the enumerators above

struct GgufTensor {
  std::string_view name;       // points into the file
  uint32_t type = 0;           // a TensorType or one that cannot be run
  std::vector<uint64_t> dims;  // GGUF order: dims[0] is contiguous ("columns")
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
  Type element_type{};             // for kArray
  uint64_t count = 0;              // for kArray
  std::span<const std::byte> raw;  // the encoded value (for kArray: its elements)
};

struct GgufKeyValue {
  std::string_view key;
  GgufValue value;
};

// Immutable after Open(); thread-safe.
class GgufFile {
 public:
  // Maps and checks the whole header. kNotFound / kInvalidArgument with the file's name.
  static Result<std::shared_ptr<const GgufFile>> Open(const std::string& path);
  // The same over bytes that outlive the result; `name` stands in for the path in errors.
  static Result<std::shared_ptr<const GgufFile>> Parse(std::span<const std::byte> bytes,
                                                       std::string name);
  ~GgufFile();

  const std::string& path() const;
  uint64_t file_size() const;
  uint32_t version() const;
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

  // A value for people: numbers, quoted and shortened strings, "[32000 strings]".
  std::string Describe(const GgufValue& value) const;

 private:
  struct Impl;
  explicit GgufFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aio

#endif  // AIO_FORMATS_GGUF_H_
