// Helpers of the tests and the fuzzer of GGUF files; no part of the library.
#ifndef AIO_FORMATS_GGUF_TESTING_H_
#define AIO_FORMATS_GGUF_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf.h"

namespace aio {

// Builds a file field by field, so that any field can be wrong.
class RawGguf {
 public:
  RawGguf() = default;  // nothing at all
  RawGguf(uint32_t version, uint64_t num_tensors, uint64_t num_keys) {
    Text("GGUF").Number(version).Number(num_tensors).Number(num_keys);
  }

  RawGguf& Bytes(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  template <typename T>
  RawGguf& Number(T number) {
    return Bytes(std::as_bytes(std::span(&number, 1)));
  }
  RawGguf& Text(std::string_view text) { return Bytes(std::as_bytes(std::span(text))); }
  RawGguf& String(std::string_view text) { return Number(uint64_t{text.size()}).Text(text); }

  // The value, or its elements, are to follow.
  RawGguf& Key(std::string_view key, GgufValue::Type type) {
    return String(key).Number(static_cast<uint32_t>(type));
  }
  RawGguf& ArrayKey(std::string_view key, GgufValue::Type element_type, uint64_t count) {
    return Key(key, GgufValue::Type::kArray)
        .Number(static_cast<uint32_t>(element_type))
        .Number(count);
  }
  RawGguf& Tensor(std::string_view name, uint32_t type, std::initializer_list<uint64_t> dims,
                  uint64_t offset) {
    String(name).Number(static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) Number(dim);
    return Number(type).Number(offset);
  }
  RawGguf& Zeros(size_t count) {
    bytes_.resize(bytes_.size() + count);
    return *this;
  }
  RawGguf& Pad(size_t alignment = 32) {
    return Zeros((alignment - bytes_.size() % alignment) % alignment);
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// Reads all that a parsed file offers: every typed getter on every key, every description,
// both ends of every tensor. The digest keeps the compiler from leaving a read out.
inline uint64_t TouchGguf(const GgufFile& file) {
  uint64_t digest = file.version() + file.alignment() + file.file_size();
  for (const auto& [key, value] : file.metadata()) {
    digest += file.FindValue(key) == &value;
    digest += file.Describe(value).size();
    if (const auto result = file.GetInt(key); result.ok()) digest += *result == 1;
    if (const auto result = file.GetFloat(key); result.ok()) digest += *result == 1;
    if (const auto result = file.GetBool(key); result.ok()) digest += *result;
    if (const auto result = file.GetString(key); result.ok()) {
      for (const char c : *result) digest += static_cast<unsigned char>(c);
    }
    if (const auto result = file.GetStringArray(key); result.ok()) {
      for (const std::string_view text : *result) {
        if (!text.empty()) digest += static_cast<unsigned char>(text.front() ^ text.back());
      }
    }
    if (const auto result = file.GetFloatArray(key); result.ok()) digest += result->size();
    if (const auto result = file.GetIntArray(key); result.ok()) digest += result->size();
  }
  for (const GgufTensor& tensor : file.tensors()) {
    digest += file.FindTensor(tensor.name) == &tensor;
    digest += TensorTypeName(tensor.type).size() + tensor.dims.size();
    if (tensor.data.empty()) continue;
    digest += std::to_integer<uint64_t>(tensor.data.front() ^ tensor.data.back());
  }
  return digest;
}

}  // namespace aio

#endif  // AIO_FORMATS_GGUF_TESTING_H_
