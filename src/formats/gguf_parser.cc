#include "formats/gguf_parser.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "formats/quote.h"

namespace aio {

static_assert(std::endian::native == std::endian::little, "GGUF is read as it lies in the file");

namespace {

using Type = GgufValue::Type;

// The least that one entry takes in the file; a larger count than fits is a lie.
constexpr uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;             // length, key, type, value
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;  // length, name, n, dim, type, offset

// Reads forward through the file and never past its end.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return bytes_.size() - position_; }

  // The next `size` bytes; `what` names them in the error.
  Status Take(std::string_view what, uint64_t size, std::span<const std::byte>& out) {
    if (size > remaining()) return Truncated(what, size);
    out = bytes_.subspan(position_, size);
    position_ += size;
    return Status::Ok();
  }

  template <typename T>
  Status Read(std::string_view what, T& out) {
    std::span<const std::byte> raw;
    AIO_RETURN_IF_ERROR(Take(what, sizeof(T), raw));
    std::memcpy(&out, raw.data(), sizeof(T));
    return Status::Ok();
  }

  Status ReadString(std::string_view what, std::string_view& out) {
    uint64_t length = 0;
    std::span<const std::byte> raw;
    AIO_RETURN_IF_ERROR(Read("the length of " + std::string(what), length));
    AIO_RETURN_IF_ERROR(Take(what, length, raw));
    out = {reinterpret_cast<const char*>(raw.data()), raw.size()};
    return Status::Ok();
  }

  // Skips a string; false if it reaches past the end. Vocabularies have 10^5 of them.
  bool SkipString() {
    uint64_t length = 0;
    if (remaining() < sizeof(length)) return false;
    std::memcpy(&length, bytes_.data() + position_, sizeof(length));
    if (length > remaining() - sizeof(length)) return false;
    position_ += sizeof(length) + length;
    return true;
  }

 private:
  Status Truncated(std::string_view what, uint64_t size) const {
    return InvalidArgument(
        fmt::format("{} takes {} bytes from byte {} on, but the file ends at byte {}: it is "
                    "truncated or damaged",
                    what, size, position_, bytes_.size()));
  }

  std::span<const std::byte> bytes_;
  uint64_t position_ = 0;
};

class Parser {
 public:
  explicit Parser(std::span<const std::byte> bytes) : bytes_(bytes), cursor_(bytes) {}

  Result<GgufHeader> Run() {
    AIO_RETURN_IF_ERROR(ReadMagicAndVersion());
    AIO_RETURN_IF_ERROR(ReadCounts());
    AIO_RETURN_IF_ERROR(ReadMetadata());
    AIO_RETURN_IF_ERROR(FindAlignment());
    AIO_RETURN_IF_ERROR(ReadTensorInfos());
    AIO_RETURN_IF_ERROR(PlaceTensors());
    AIO_RETURN_IF_ERROR(CheckOverlaps());
    return std::move(header_);
  }

 private:
  Status ReadMagicAndVersion();
  Status ReadCounts();
  Status ReadMetadata();
  Status ReadKeyValue(GgufKeyValue& out);
  Status ReadValue(GgufValue& out);
  Status ReadArray(GgufValue& out);
  Status ReadStrings(GgufValue& out);
  Status FindAlignment();
  Status ReadTensorInfos();
  Status ReadTensorInfo(GgufTensor& out, uint64_t& offset);
  Status ReadShape(GgufTensor& out);
  Status PlaceTensors();
  Status PlaceTensor(uint64_t data_start, uint64_t offset, GgufTensor& tensor);
  Status CheckOverlaps() const;

  std::span<const std::byte> bytes_;
  Cursor cursor_;
  GgufHeader header_;
  uint64_t num_keys_ = 0;
  uint64_t num_tensors_ = 0;
  std::vector<uint64_t> offsets_;  // of each tensor, from the start of the data section
};

// What a file that is no GGUF file may be instead, by its first bytes.
std::string_view GuessFormat(std::string_view start) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kFormats = {{
      {"lmgg", "it is a GGML file from before GGUF; convert the model again"},
      {"fmgg", "it is a GGMF file from before GGUF; convert the model again"},
      {"tjgg", "it is a GGJT file from before GGUF; convert the model again"},
      {"vers", "it looks like a Git LFS pointer; fetch the file itself with `git lfs pull`"},
      {"<!DO", "it is a web page; the download went wrong"},
      {"<htm", "it is a web page; the download went wrong"},
      {"PK\x03\x04", "it is a zip archive, perhaps a PyTorch checkpoint; convert it to GGUF"},
      {"\x1f\x8b", "it is compressed with gzip; unpack it first"},
  }};
  for (const auto& [magic, guess] : kFormats) {
    if (start.starts_with(magic)) return guess;
  }
  return "it is not a GGUF file";
}

Status Parser::ReadMagicAndVersion() {
  if (bytes_.empty()) return InvalidArgument("the file is empty; expected a GGUF file");
  const size_t magic_size = std::min<size_t>(bytes_.size(), 4);
  const std::string_view magic(reinterpret_cast<const char*>(bytes_.data()), magic_size);
  if (!std::string_view("GGUF").starts_with(magic) && magic != "FUGG") {
    return InvalidArgument(fmt::format("begins with {} where a GGUF file has \"GGUF\": {}",
                                       QuoteForMessage(magic), GuessFormat(magic)));
  }
  uint32_t skipped = 0;
  AIO_RETURN_IF_ERROR(cursor_.Read("the magic number", skipped));
  uint32_t version = 0;
  AIO_RETURN_IF_ERROR(cursor_.Read("the version", version));
  // No version needs the upper half; a big-endian file has its version there.
  if (magic == "FUGG" || (version != 0 && (version & 0xFFFF) == 0)) {
    return Unimplemented(
        fmt::format("is a big-endian GGUF file (version bytes read as {:#x}); only little-endian "
                    "files are supported: convert it for this machine",
                    version));
  }
  if (version == 1) {
    return Unimplemented(
        "is GGUF version 1; only versions 2 and 3 are supported: convert it again");
  }
  if (version != 2 && version != 3) {
    return Unimplemented(
        fmt::format("is GGUF version {}; only versions 2 and 3 are supported", version));
  }
  header_.version = version;
  return Status::Ok();
}

Status CheckCount(std::string_view what, uint64_t count, uint64_t limit, uint64_t fitting) {
  if (count > limit) {
    return InvalidArgument(
        fmt::format("claims {} {}; at most {} are supported: it is damaged", count, what, limit));
  }
  if (count > fitting) {
    return InvalidArgument(
        fmt::format("claims {} {}, but has room for at most {}: it is truncated or damaged", count,
                    what, fitting));
  }
  return Status::Ok();
}

Status Parser::ReadCounts() {
  AIO_RETURN_IF_ERROR(cursor_.Read("the number of tensors", num_tensors_));
  AIO_RETURN_IF_ERROR(cursor_.Read("the number of metadata keys", num_keys_));
  AIO_RETURN_IF_ERROR(
      CheckCount("metadata keys", num_keys_, kGgufMaxKeys, cursor_.remaining() / kMinKeyBytes));
  return CheckCount("tensors", num_tensors_, kGgufMaxTensors,
                    cursor_.remaining() / kMinTensorBytes);
}

// Keys and tensor names go into messages, JSON and logs, so they must be text.
Status CheckName(std::string_view what, std::string_view name) {
  if (name.empty()) return InvalidArgument(fmt::format("{} is empty", what));
  if (name.size() > kGgufMaxNameBytes) {
    return InvalidArgument(fmt::format("{} has {} bytes; at most {} are allowed", what, name.size(),
                                       kGgufMaxNameBytes));
  }
  const size_t invalid = FindInvalidUtf8(name);
  if (invalid == std::string_view::npos) return Status::Ok();
  return InvalidArgument(fmt::format("{} {} is not valid UTF-8 at its byte {}: the file is damaged",
                                     what, QuoteForMessage(name), invalid));
}

Status Parser::ReadMetadata() {
  for (uint64_t i = 0; i < num_keys_; ++i) {
    GgufKeyValue entry;
    if (Status status = ReadKeyValue(entry); !status.ok()) {
      const std::string context = entry.key.empty()
                                      ? fmt::format("metadata key {} of {}", i + 1, num_keys_)
                                      : fmt::format("metadata key {}", QuoteForMessage(entry.key));
      return std::move(status).WithContext(context);
    }
    header_.key_index.Add(entry.key, header_.metadata.size());
    header_.metadata.push_back(entry);
  }
  const size_t duplicate = header_.key_index.SortAndFindDuplicate();
  if (duplicate == GgufNameIndex::kAbsent) return Status::Ok();
  return InvalidArgument(fmt::format("metadata key {} appears more than once",
                                     QuoteForMessage(header_.metadata[duplicate].key)));
}

Status Parser::ReadKeyValue(GgufKeyValue& out) {
  std::string_view key;
  AIO_RETURN_IF_ERROR(cursor_.ReadString("its name", key));
  AIO_RETURN_IF_ERROR(CheckName("its name", key));
  out.key = key;
  return ReadValue(out.value);
}

Status ReadType(Cursor& cursor, std::string_view what, Type& out) {
  uint32_t type = 0;
  AIO_RETURN_IF_ERROR(cursor.Read(what, type));
  if (type > static_cast<uint32_t>(Type::kFloat64)) {
    return InvalidArgument(fmt::format("{} is {} at byte {}; expected 0 (uint8) to 12 (float64)",
                                       what, type, cursor.position() - sizeof(type)));
  }
  out = static_cast<Type>(type);
  return Status::Ok();
}

Status CheckBools(std::span<const std::byte> raw) {
  for (const std::byte value : raw) {
    if (std::to_integer<int>(value) > 1) {
      return InvalidArgument(fmt::format("holds a bool of {}; expected 0 or 1: the file is damaged",
                                         std::to_integer<int>(value)));
    }
  }
  return Status::Ok();
}

Status Parser::ReadValue(GgufValue& out) {
  AIO_RETURN_IF_ERROR(ReadType(cursor_, "the type of its value", out.type));
  if (out.type == Type::kArray) return ReadArray(out);
  if (out.type == Type::kString) {
    std::string_view text;
    AIO_RETURN_IF_ERROR(cursor_.ReadString("its string", text));
    out.raw = std::as_bytes(std::span(text));
    return Status::Ok();
  }
  AIO_RETURN_IF_ERROR(cursor_.Take("its value", GgufScalarBytes(out.type), out.raw));
  return out.type == Type::kBool ? CheckBools(out.raw) : Status::Ok();
}

Status Parser::ReadArray(GgufValue& out) {
  AIO_RETURN_IF_ERROR(ReadType(cursor_, "the type of its elements", out.element_type));
  if (out.element_type == Type::kArray) {
    return Unimplemented("is an array of arrays, which is not supported");
  }
  AIO_RETURN_IF_ERROR(cursor_.Read("the number of its elements", out.count));
  if (out.element_type == Type::kString) return ReadStrings(out);
  const uint64_t element_bytes = GgufScalarBytes(out.element_type);
  if (out.count > cursor_.remaining() / element_bytes) {
    return InvalidArgument(fmt::format(
        "claims {} elements of {}, but the file has only {} bytes left: it is truncated or damaged",
        out.count, GgufTypeName(out.element_type), cursor_.remaining()));
  }
  AIO_RETURN_IF_ERROR(cursor_.Take("its elements", out.count * element_bytes, out.raw));
  return out.element_type == Type::kBool ? CheckBools(out.raw) : Status::Ok();
}

Status Parser::ReadStrings(GgufValue& out) {
  const uint64_t start = cursor_.position();
  if (out.count > cursor_.remaining() / sizeof(uint64_t)) {
    return InvalidArgument(
        fmt::format("claims {} strings, but the file has only {} bytes left: it is truncated or "
                    "damaged",
                    out.count, cursor_.remaining()));
  }
  for (uint64_t i = 0; i < out.count; ++i) {
    const uint64_t at = cursor_.position();
    if (!cursor_.SkipString()) {
      return InvalidArgument(fmt::format(
          "string {} of {}, at byte {}, reaches past the end of the file at byte {}: it "
          "is truncated or damaged",
          i + 1, out.count, at, bytes_.size()));
    }
  }
  out.raw = bytes_.subspan(start, cursor_.position() - start);
  return Status::Ok();
}

Status Parser::FindAlignment() {
  const size_t position = header_.key_index.Find("general.alignment");
  if (position == GgufNameIndex::kAbsent) return Status::Ok();
  const GgufValue& value = header_.metadata[position].value;
  if (value.type != Type::kUint32) {
    return InvalidArgument(fmt::format("metadata key \"general.alignment\" is {}; expected uint32",
                                       GgufTypeName(value.type)));
  }
  uint32_t alignment = 0;
  std::memcpy(&alignment, value.raw.data(), sizeof(alignment));
  if (!std::has_single_bit(alignment) || alignment < kGgufMinAlignment) {
    return InvalidArgument(
        fmt::format("metadata key \"general.alignment\" is {}; expected a power of two of at least "
                    "{}",
                    alignment, kGgufMinAlignment));
  }
  header_.alignment = alignment;
  return Status::Ok();
}

Status Parser::ReadTensorInfos() {
  for (uint64_t i = 0; i < num_tensors_; ++i) {
    GgufTensor tensor;
    uint64_t offset = 0;
    if (Status status = ReadTensorInfo(tensor, offset); !status.ok()) {
      const std::string context = tensor.name.empty()
                                      ? fmt::format("tensor {} of {}", i + 1, num_tensors_)
                                      : fmt::format("tensor {}", QuoteForMessage(tensor.name));
      return std::move(status).WithContext(context);
    }
    header_.tensor_index.Add(tensor.name, header_.tensors.size());
    header_.tensors.push_back(std::move(tensor));
    offsets_.push_back(offset);
  }
  const size_t duplicate = header_.tensor_index.SortAndFindDuplicate();
  if (duplicate == GgufNameIndex::kAbsent) return Status::Ok();
  return InvalidArgument(fmt::format("tensor {} appears more than once",
                                     QuoteForMessage(header_.tensors[duplicate].name)));
}

Status Parser::ReadTensorInfo(GgufTensor& out, uint64_t& offset) {
  std::string_view name;
  AIO_RETURN_IF_ERROR(cursor_.ReadString("its name", name));
  AIO_RETURN_IF_ERROR(CheckName("its name", name));
  out.name = name;
  AIO_RETURN_IF_ERROR(ReadShape(out));
  AIO_RETURN_IF_ERROR(cursor_.Read("its type", out.type));
  const std::optional<TensorBlock> block = FindTensorBlock(out.type);
  if (block && out.dims[0] % block->elements != 0) {
    return InvalidArgument(fmt::format(
        "its rows have {} elements; expected a multiple of {}, the block size of its type {}",
        out.dims[0], block->elements, TensorTypeName(out.type)));
  }
  return cursor_.Read("its offset", offset);
}

Status Parser::ReadShape(GgufTensor& out) {
  uint32_t num_dims = 0;
  AIO_RETURN_IF_ERROR(cursor_.Read("its number of dimensions", num_dims));
  if (num_dims < 1 || num_dims > kGgufMaxDims) {
    return InvalidArgument(
        fmt::format("has {} dimensions; expected 1 to {}", num_dims, kGgufMaxDims));
  }
  out.dims.resize(num_dims);
  out.elements = 1;
  for (uint64_t& dim : out.dims) AIO_RETURN_IF_ERROR(cursor_.Read("its shape", dim));
  for (const uint64_t dim : out.dims) {
    if (dim == 0) {
      return InvalidArgument(fmt::format(
          "has shape [{}]; expected every dimension to be at least 1", fmt::join(out.dims, ", ")));
    }
    if (__builtin_mul_overflow(out.elements, dim, &out.elements) ||
        out.elements > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return InvalidArgument(fmt::format("has shape [{}], which is more than 2^63 elements",
                                         fmt::join(out.dims, ", ")));
    }
  }
  return Status::Ok();
}

Status Parser::PlaceTensors() {
  const uint64_t mask = header_.alignment - 1;
  const uint64_t data_start = (cursor_.position() + mask) & ~mask;
  for (size_t i = 0; i < header_.tensors.size(); ++i) {
    GgufTensor& tensor = header_.tensors[i];
    if (Status status = PlaceTensor(data_start, offsets_[i], tensor); !status.ok()) {
      return std::move(status).WithContext(fmt::format("tensor {}", QuoteForMessage(tensor.name)));
    }
  }
  return Status::Ok();
}

// "F16 [64, 32]"
std::string DescribeShape(const GgufTensor& tensor) {
  return fmt::format("{} [{}]", TensorTypeName(tensor.type), fmt::join(tensor.dims, ", "));
}

Status Parser::PlaceTensor(uint64_t data_start, uint64_t offset, GgufTensor& tensor) {
  if (offset % header_.alignment != 0) {
    return InvalidArgument(fmt::format("its offset is {}; expected a multiple of the alignment {}",
                                       offset, header_.alignment));
  }
  const uint64_t data_bytes = bytes_.size() - std::min<uint64_t>(data_start, bytes_.size());
  if (offset >= data_bytes) {
    return InvalidArgument(
        fmt::format("its data begins at offset {} of the tensor data, which has {} bytes: the file "
                    "is truncated or damaged",
                    offset, data_bytes));
  }
  if (!FindTensorBlock(tensor.type)) return Status::Ok();  // size unknown: named, never read
  const std::optional<uint64_t> size = TensorBytes(tensor.type, tensor.elements);
  if (!size) {
    return InvalidArgument(fmt::format("{} takes more than 2^64 bytes", DescribeShape(tensor)));
  }
  if (*size > data_bytes - offset) {
    return InvalidArgument(fmt::format(
        "{} takes {} bytes from byte {} on, but the file ends at byte {}: it is truncated or "
        "damaged",
        DescribeShape(tensor), *size, data_start + offset, bytes_.size()));
  }
  tensor.data = bytes_.subspan(data_start + offset, *size);
  return Status::Ok();
}

Status Parser::CheckOverlaps() const {
  std::vector<const GgufTensor*> by_offset;
  for (const GgufTensor& tensor : header_.tensors) {
    if (!tensor.data.empty()) by_offset.push_back(&tensor);
  }
  std::sort(by_offset.begin(), by_offset.end(), [](const GgufTensor* a, const GgufTensor* b) {
    return a->data.data() < b->data.data();
  });
  for (size_t i = 1; i < by_offset.size(); ++i) {
    const GgufTensor& before = *by_offset[i - 1];
    const GgufTensor& after = *by_offset[i];
    if (before.data.data() + before.data.size() > after.data.data()) {
      return InvalidArgument(fmt::format(
          "tensor {}: its data at byte {} overlaps that of tensor {}, {} bytes from byte {} on",
          QuoteForMessage(after.name), after.data.data() - bytes_.data(),
          QuoteForMessage(before.name), before.data.size(), before.data.data() - bytes_.data()));
    }
  }
  return Status::Ok();
}

}  // namespace

size_t GgufNameIndex::SortAndFindDuplicate() {
  std::sort(names_.begin(), names_.end());
  for (size_t i = 1; i < names_.size(); ++i) {
    if (names_[i].first == names_[i - 1].first) return names_[i].second;
  }
  return kAbsent;
}

size_t GgufNameIndex::Find(std::string_view name) const {
  const auto it = std::lower_bound(names_.begin(), names_.end(), std::pair(name, size_t{0}));
  return it != names_.end() && it->first == name ? it->second : kAbsent;
}

Result<GgufHeader> ParseGgufHeader(std::span<const std::byte> bytes) { return Parser(bytes).Run(); }

std::string_view GgufTypeName(Type type) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "bool", "string", "array",
       "uint64", "int64", "float64"});
  return kNames[static_cast<size_t>(type)];
}

size_t GgufScalarBytes(Type type) {
  constexpr auto kBytes = std::to_array<uint8_t>({1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8});
  return kBytes[static_cast<size_t>(type)];
}

}  // namespace aio
