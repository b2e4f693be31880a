// The walk over a GGUF header, with every check it needs. Use GgufFile (gguf.h); this is
// its inside.
#ifndef AIO_FORMATS_GGUF_PARSER_H_
#define AIO_FORMATS_GGUF_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "formats/gguf.h"

namespace aio {

// Bounds that hold whatever a file claims and however large it is.
inline constexpr uint64_t kGgufMaxKeys = 1 << 20;
inline constexpr uint64_t kGgufMaxTensors = 1 << 20;
inline constexpr uint64_t kGgufMaxNameBytes = 65535;  // the specification's bound for keys
inline constexpr uint32_t kGgufMaxDims = 4;
inline constexpr uint64_t kGgufDefaultAlignment = 32;
inline constexpr uint64_t kGgufMinAlignment = 8;

// Finds a position by name; a sorted list, so that no file can make it slow.
class GgufNameIndex {
 public:
  static constexpr size_t kAbsent = SIZE_MAX;

  void Add(std::string_view name, size_t position) { names_.emplace_back(name, position); }
  // After the last Add(). Returns a position whose name an earlier one has, or kAbsent.
  size_t SortAndFindDuplicate();
  size_t Find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, size_t>> names_;
};

struct GgufHeader {
  uint32_t version = 0;
  uint64_t alignment = kGgufDefaultAlignment;
  std::vector<GgufKeyValue> metadata;
  std::vector<GgufTensor> tensors;
  GgufNameIndex key_index;
  GgufNameIndex tensor_index;
};

// All views in the result point into `bytes`. Messages name the key or tensor and what was
// expected; the caller adds the file.
Result<GgufHeader> ParseGgufHeader(std::span<const std::byte> bytes);

std::string_view GgufTypeName(GgufValue::Type type);  // "uint8", ..., "array"
size_t GgufScalarBytes(GgufValue::Type type);         // 0 for strings and arrays

}  // namespace aio

#endif  // AIO_FORMATS_GGUF_PARSER_H_
