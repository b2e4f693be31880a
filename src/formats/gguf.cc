#include "formats/gguf.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "formats/gguf_parser.h"
#include "formats/mapped_file.h"
#include "formats/quote.h"

namespace aio {
namespace {

using Type = GgufValue::Type;

// Calls visit(std::type_identity<T>{}) with the C++ type of a number.
template <typename Visitor>
auto VisitNumberType(Type type, const Visitor& visit) {
  switch (type) {
    case Type::kUint8:
      return visit(std::type_identity<uint8_t>{});
    case Type::kInt8:
      return visit(std::type_identity<int8_t>{});
    case Type::kUint16:
      return visit(std::type_identity<uint16_t>{});
    case Type::kInt16:
      return visit(std::type_identity<int16_t>{});
    case Type::kUint32:
      return visit(std::type_identity<uint32_t>{});
    case Type::kInt32:
      return visit(std::type_identity<int32_t>{});
    case Type::kFloat32:
      return visit(std::type_identity<float>{});
    case Type::kUint64:
      return visit(std::type_identity<uint64_t>{});
    case Type::kInt64:
      return visit(std::type_identity<int64_t>{});
    case Type::kFloat64:
      return visit(std::type_identity<double>{});
    case Type::kBool:
    case Type::kString:
    case Type::kArray:
      break;
  }
  CheckFailed(__FILE__, __LINE__, "the type is a number");
}

bool IsNumber(Type type) {
  return type != Type::kBool && type != Type::kString && type != Type::kArray;
}

bool IsInteger(Type type) {
  return IsNumber(type) && type != Type::kFloat32 && type != Type::kFloat64;
}

// Numbers lie in the file at any address.
template <typename T>
T Load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

// False if `from` does not fit.
template <typename From>
bool Convert(From from, int64_t& to) {
  if constexpr (std::is_integral_v<From>) {
    to = static_cast<int64_t>(+from);  // +: an int8_t is a number here, not a character
    return std::in_range<int64_t>(from);
  } else {
    return false;
  }
}

template <typename From>
bool Convert(From from, double& to) {
  to = static_cast<double>(from);
  return true;
}

template <typename From>
bool Convert(From from, float& to) {
  if constexpr (std::is_same_v<From, double>) {
    if (std::isfinite(from) && std::abs(from) > std::numeric_limits<float>::max()) return false;
  }
  to = static_cast<float>(from);
  return true;
}

template <typename To>
constexpr std::string_view kTargetName = std::is_same_v<To, int64_t>  ? "int64"
                                         : std::is_same_v<To, double> ? "float64"
                                                                      : "float32";

// Decodes out.size() numbers of `type` from `raw`.
template <typename To>
Status LoadNumbers(Type type, std::span<const std::byte> raw, std::span<To> out) {
  return VisitNumberType(type, [&]<typename From>(std::type_identity<From>) {
    for (size_t i = 0; i < out.size(); ++i) {
      const From number = Load<From>(raw.data() + i * sizeof(From));
      if (!Convert(number, out[i])) {
        return InvalidArgument(
            fmt::format("{}, which does not fit into {}", number, kTargetName<To>));
      }
    }
    return Status::Ok();
  });
}

// "uint32", "an array of string"
std::string DescribeType(const GgufValue& value) {
  if (value.type != Type::kArray) return std::string(GgufTypeName(value.type));
  return fmt::format("an array of {}", GgufTypeName(value.element_type));
}

std::string_view AsText(std::span<const std::byte> raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

std::string DescribeNumbers(Type type, std::span<const std::byte> raw, size_t count) {
  return VisitNumberType(type, [&]<typename T>(std::type_identity<T>) {
    std::vector<T> numbers(count);
    if (count > 0) std::memcpy(numbers.data(), raw.data(), count * sizeof(T));
    return fmt::format("{}", fmt::join(numbers, ", "));
  });
}

std::string DescribeArray(const GgufValue& value) {
  constexpr uint64_t kMaxShown = 8;
  if (IsNumber(value.element_type) && value.count <= kMaxShown) {
    return fmt::format("[{}]", DescribeNumbers(value.element_type, value.raw, value.count));
  }
  const bool strings = value.element_type == Type::kString;
  return fmt::format("[{} {}{}{}]", value.count, GgufTypeName(value.element_type),
                     strings ? "" : " value", value.count == 1 ? "" : "s");
}

}  // namespace

struct GgufFile::Impl {
  std::string path;
  MappedFile mapping;                // empty if the bytes are the caller's
  std::span<const std::byte> bytes;  // what is parsed
  GgufHeader header;

  Status KeyError(std::string_view key, std::string_view fault) const {
    return InvalidArgument(
        fmt::format("{}: metadata key {} {}", path, QuoteForMessage(key), fault));
  }

  Status WrongType(std::string_view key, const GgufValue& value, std::string_view wanted) const {
    return KeyError(key, fmt::format("is {}; expected {}", DescribeType(value), wanted));
  }

  const GgufValue* Find(std::string_view key) const {
    const size_t position = header.key_index.Find(key);
    return position == GgufNameIndex::kAbsent ? nullptr : &header.metadata[position].value;
  }

  Result<const GgufValue*> Require(std::string_view key) const {
    if (const GgufValue* value = Find(key)) return value;
    return NotFound(fmt::format("{}: metadata key {} is missing", path, QuoteForMessage(key)));
  }

  template <typename To>
  Result<To> GetNumber(std::string_view key, bool (*accepts)(Type), std::string_view wanted) const {
    AIO_ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
    if (!accepts(value->type)) return WrongType(key, *value, wanted);
    To number{};
    const Status status = LoadNumbers(value->type, value->raw, std::span(&number, 1));
    if (!status.ok()) return KeyError(key, "is " + status.message());
    return number;
  }

  template <typename To>
  Result<std::vector<To>> GetNumbers(std::string_view key, bool (*accepts)(Type),
                                     std::string_view wanted) const {
    AIO_ASSIGN_OR_RETURN(const GgufValue* value, Require(key));
    if (value->type != Type::kArray || !accepts(value->element_type)) {
      return WrongType(key, *value, wanted);
    }
    std::vector<To> numbers(value->count);
    const Status status = LoadNumbers(value->element_type, value->raw, std::span(numbers));
    if (!status.ok()) return KeyError(key, "has the element " + status.message());
    return numbers;
  }
};

GgufFile::GgufFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GgufFile::~GgufFile() = default;

Result<std::shared_ptr<const GgufFile>> GgufFile::Open(const std::string& path) {
  Result<MappedFile> mapping = MappedFile::Open(path);
  if (!mapping.ok()) return mapping.status().WithContext(path);
  const std::span<const std::byte> bytes = mapping->bytes();
  return Make(path, bytes, *std::move(mapping));
}

Result<std::shared_ptr<const GgufFile>> GgufFile::Parse(std::span<const std::byte> bytes,
                                                        std::string name) {
  return Make(std::move(name), bytes, MappedFile());
}

Result<std::shared_ptr<const GgufFile>> GgufFile::Make(std::string name,
                                                       std::span<const std::byte> bytes,
                                                       MappedFile mapping) {
  Result<GgufHeader> header = ParseGgufHeader(bytes);
  if (!header.ok()) return header.status().WithContext(name);
  auto impl =
      std::make_unique<Impl>(Impl{std::move(name), std::move(mapping), bytes, *std::move(header)});
  return std::shared_ptr<const GgufFile>(new GgufFile(std::move(impl)));
}

const std::string& GgufFile::path() const { return impl_->path; }
uint64_t GgufFile::file_size() const { return impl_->bytes.size(); }
uint32_t GgufFile::version() const { return impl_->header.version; }
uint64_t GgufFile::alignment() const { return impl_->header.alignment; }
const std::vector<GgufKeyValue>& GgufFile::metadata() const { return impl_->header.metadata; }
const std::vector<GgufTensor>& GgufFile::tensors() const { return impl_->header.tensors; }

const GgufTensor* GgufFile::FindTensor(std::string_view name) const {
  const size_t position = impl_->header.tensor_index.Find(name);
  return position == GgufNameIndex::kAbsent ? nullptr : &impl_->header.tensors[position];
}

const GgufValue* GgufFile::FindValue(std::string_view key) const { return impl_->Find(key); }

Result<int64_t> GgufFile::GetInt(std::string_view key) const {
  return impl_->GetNumber<int64_t>(key, IsInteger, "an integer");
}

Result<double> GgufFile::GetFloat(std::string_view key) const {
  return impl_->GetNumber<double>(key, IsNumber, "a number");
}

Result<bool> GgufFile::GetBool(std::string_view key) const {
  AIO_ASSIGN_OR_RETURN(const GgufValue* value, impl_->Require(key));
  if (value->type != Type::kBool) return impl_->WrongType(key, *value, "bool");
  return value->raw[0] != std::byte{0};
}

Result<std::string_view> GgufFile::GetString(std::string_view key) const {
  AIO_ASSIGN_OR_RETURN(const GgufValue* value, impl_->Require(key));
  if (value->type != Type::kString) return impl_->WrongType(key, *value, "string");
  return AsText(value->raw);
}

Result<std::vector<std::string_view>> GgufFile::GetStringArray(std::string_view key) const {
  AIO_ASSIGN_OR_RETURN(const GgufValue* value, impl_->Require(key));
  if (value->type != Type::kArray || value->element_type != Type::kString) {
    return impl_->WrongType(key, *value, "an array of string");
  }
  std::vector<std::string_view> strings;
  strings.reserve(value->count);
  // The parser has walked these lengths and found them within the file.
  size_t position = 0;
  for (uint64_t i = 0; i < value->count; ++i) {
    const auto length = Load<uint64_t>(value->raw.data() + position);
    position += sizeof(length);
    strings.push_back(AsText(value->raw.subspan(position, length)));
    position += length;
  }
  return strings;
}

Result<std::vector<float>> GgufFile::GetFloatArray(std::string_view key) const {
  return impl_->GetNumbers<float>(key, IsNumber, "an array of numbers");
}

Result<std::vector<int64_t>> GgufFile::GetIntArray(std::string_view key) const {
  return impl_->GetNumbers<int64_t>(key, IsInteger, "an array of integers");
}

void GgufFile::Release(std::span<const std::byte> part) const {
  if (!impl_->mapping.bytes().empty()) impl_->mapping.Release(part);
}

std::string GgufFile::Describe(const GgufValue& value) const {
  switch (value.type) {
    case Type::kString:
      return QuoteForMessage(AsText(value.raw));
    case Type::kBool:
      return value.raw[0] == std::byte{0} ? "false" : "true";
    case Type::kArray:
      return DescribeArray(value);
    default:
      return DescribeNumbers(value.type, value.raw, 1);
  }
}

}  // namespace aio
