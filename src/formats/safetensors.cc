#include "formats/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "formats/mapped_file.h"
#include "formats/quote.h"

namespace aio {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kLengthBytes = 8;
// The reference implementation's own bound.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxDims = 8;

struct DtypeBytes {
  std::string_view name;
  uint64_t bytes;
};
constexpr DtypeBytes kDtypes[] = {
    {"F32", 4},     {"F16", 2},  {"BF16", 2}, {"F64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1},
    {"F8_E8M0", 1}, {"BOOL", 1}, {"I8", 1},   {"U8", 1},  {"I16", 2},     {"U16", 2},
    {"I32", 4},     {"U32", 4},  {"I64", 8},  {"U64", 8}, {"C64", 8},
};

std::optional<uint64_t> BytesOf(std::string_view dtype) {
  for (const DtypeBytes& known : kDtypes) {
    if (known.name == dtype) return known.bytes;
  }
  return std::nullopt;
}

// A tensor as the header describes it.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> offsets;  // begin and end
  bool has_shape = false;
};

// Takes the header's JSON event by event: no more than the entries is ever held, and what is
// not as the format says ends the reading with a fault.
class HeaderReader final : public Json::json_sax_t {
 public:
  std::vector<Entry> TakeEntries() { return std::move(entries_); }
  const std::string& fault() const { return fault_; }

  bool null() override { return Unexpected("null"); }
  bool boolean(bool) override { return Unexpected("a truth value"); }
  bool number_integer(number_integer_t) override { return Unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return Unexpected("a fraction or a number above 2^64");
  }
  bool binary(binary_t&) override { return Unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (numbers_ == nullptr) return Unexpected("a number");
    if (numbers_->size() == kMaxDims) {
      return Fault(fmt::format("{} has more than {} numbers", Place(), kMaxDims));
    }
    numbers_->push_back(value);
    return true;
  }

  bool string(string_t& value) override {
    if (level_ == Level::kNotes) return true;
    if (level_ != Level::kTensor || field_ != "dtype") return Unexpected("a string");
    entries_.back().dtype = std::move(value);
    return true;
  }

  bool start_object(size_t) override {
    switch (level_) {
      case Level::kOutside:
        level_ = Level::kFile;
        return true;
      case Level::kFile:
        level_ = field_ == "__metadata__" ? Level::kNotes : Level::kTensor;
        if (level_ == Level::kTensor) entries_.emplace_back().name = field_;
        return true;
      default:
        return Unexpected("an object");
    }
  }
  bool end_object() override {
    if (level_ == Level::kTensor) {
      const Entry& entry = entries_.back();
      if (entry.dtype.empty() || !entry.has_shape || entry.offsets.size() != 2) {
        return Fault(fmt::format("tensor {} needs dtype, shape and two data_offsets",
                                 QuoteForMessage(entry.name)));
      }
    }
    level_ = level_ == Level::kFile ? Level::kOutside : Level::kFile;
    return true;
  }

  bool key(string_t& value) override {
    if (level_ == Level::kTensor && value != "dtype" && value != "shape" &&
        value != "data_offsets") {
      return Fault(fmt::format("tensor {} has an unknown field {}",
                               QuoteForMessage(entries_.back().name), QuoteForMessage(value)));
    }
    field_ = std::move(value);
    if (level_ == Level::kFile && field_.empty()) return Fault("a tensor has no name");
    return true;
  }

  bool start_array(size_t) override {
    if (level_ != Level::kTensor || numbers_ != nullptr || field_ == "dtype") {
      return Unexpected("an array");
    }
    Entry& entry = entries_.back();
    numbers_ = field_ == "shape" ? &entry.shape : &entry.offsets;
    entry.has_shape = entry.has_shape || field_ == "shape";
    numbers_->clear();
    return true;
  }
  bool end_array() override {
    numbers_ = nullptr;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    return Fault(fmt::format("is no JSON at byte {}", position));
  }

 private:
  enum class Level { kOutside, kFile, kTensor, kNotes };

  std::string Place() const {
    if (level_ == Level::kTensor) {
      return fmt::format("tensor {}: {}", QuoteForMessage(entries_.back().name), field_);
    }
    return level_ == Level::kOutside ? "the header" : QuoteForMessage(field_);
  }
  bool Unexpected(std::string_view what) {
    return Fault(fmt::format("{} has {} where none belongs", Place(), what));
  }
  bool Fault(std::string text) {
    fault_ = std::move(text);
    return false;
  }

  Level level_ = Level::kOutside;
  std::string field_;
  std::vector<uint64_t>* numbers_ = nullptr;  // the list that is being read
  std::vector<Entry> entries_;
  std::string fault_;
};

// Where the file or one of its tensors is wrong.
class Checker {
 public:
  Checker(const std::string& path, uint64_t data_bytes) : path_(path), data_bytes_(data_bytes) {}

  // Puts the entries in the order of their data, which must fill the file.
  Status Check(std::vector<Entry>& entries) const {
    for (const Entry& entry : entries) AIO_RETURN_IF_ERROR(CheckEntry(entry));
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.offsets, a.name) < std::tie(b.offsets, b.name);
    });
    uint64_t end = 0;
    for (const Entry& entry : entries) {
      if (entry.offsets[0] != end) {
        return Invalid(entry, fmt::format("begins at byte {} of the data, expected {}: tensors "
                                          "must neither overlap nor leave gaps",
                                          entry.offsets[0], end));
      }
      end = entry.offsets[1];
    }
    if (end == data_bytes_) return Status::Ok();
    return InvalidArgument(fmt::format("{}: its tensors take {} bytes, but {} follow the header",
                                       path_, end, data_bytes_));
  }

  static std::optional<uint64_t> Elements(const std::vector<uint64_t>& shape) {
    uint64_t elements = 1;
    for (const uint64_t dim : shape) {
      if (__builtin_mul_overflow(elements, dim, &elements)) return std::nullopt;
    }
    return elements;
  }

 private:
  Status Invalid(const Entry& entry, std::string_view problem) const {
    return InvalidArgument(
        fmt::format("{}: tensor {} {}", path_, QuoteForMessage(entry.name), problem));
  }

  Status CheckEntry(const Entry& entry) const {
    const std::optional<uint64_t> value_bytes = BytesOf(entry.dtype);
    if (!value_bytes) {
      return Unimplemented(fmt::format("{}: tensor {} has an unknown dtype {}", path_,
                                       QuoteForMessage(entry.name), QuoteForMessage(entry.dtype)));
    }
    const uint64_t begin = entry.offsets[0];
    const uint64_t end = entry.offsets[1];
    if (begin > end) {
      return Invalid(entry, fmt::format("ends at byte {}, before it begins at {}", end, begin));
    }
    if (end > data_bytes_) {
      return Invalid(entry, fmt::format("ends at byte {} of the data, but the file has only {}; "
                                        "is it cut short? Fetch it again",
                                        end, data_bytes_));
    }
    const std::optional<uint64_t> elements = Elements(entry.shape);
    uint64_t bytes = 0;
    if (!elements || __builtin_mul_overflow(*elements, *value_bytes, &bytes) ||
        bytes != end - begin) {
      return Invalid(entry, fmt::format("has {} bytes, which {} [{}] does not take", end - begin,
                                        entry.dtype, fmt::join(entry.shape, ", ")));
    }
    return Status::Ok();
  }

  const std::string& path_;
  const uint64_t data_bytes_;
};

// The bytes of the header's JSON.
Result<std::span<const std::byte>> FindHeader(const std::string& path,
                                              std::span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes) {
    return InvalidArgument(fmt::format(
        "{}: has {} bytes, too few for a safetensors file; fetch it again", path, bytes.size()));
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > kMaxHeaderBytes) {
    return InvalidArgument(
        fmt::format("{}: claims a header of {} bytes (at most {}); is it a safetensors file?", path,
                    length, kMaxHeaderBytes));
  }
  if (length > bytes.size() - kLengthBytes) {
    return InvalidArgument(fmt::format(
        "{}: its header should have {} bytes, but {} follow; the file is cut short, fetch it again",
        path, length, bytes.size() - kLengthBytes));
  }
  return bytes.subspan(kLengthBytes, length);
}

Result<std::vector<Entry>> ReadEntries(const std::string& path, std::span<const std::byte> header) {
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  HeaderReader reader;
  if (!text.starts_with('{')) {
    return InvalidArgument(path + ": its header does not begin with {; is it a safetensors file?");
  }
  if (!Json::sax_parse(text.begin(), text.end(), &reader)) {
    return InvalidArgument(fmt::format("{}: header: {}", path, reader.fault()));
  }
  return reader.TakeEntries();
}

}  // namespace

struct SafetensorsFile::Impl {
  std::string path;
  uint64_t file_size = 0;
  MappedFile mapping;  // empty when the bytes are the caller's
  std::vector<SafetensorsTensor> tensors;
  std::vector<size_t> by_name;  // positions in `tensors`, sorted by name
};

SafetensorsFile::SafetensorsFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SafetensorsFile::~SafetensorsFile() = default;

Result<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Open(const std::string& path) {
  Result<MappedFile> mapping = MappedFile::Open(path);
  if (!mapping.ok()) return std::move(mapping).status().WithContext(path);
  const std::span<const std::byte> bytes = mapping->bytes();
  return Make(path, bytes, std::move(mapping).value());
}

Result<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Parse(
    std::span<const std::byte> bytes, std::string name) {
  return Make(std::move(name), bytes, MappedFile());
}

Result<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Make(
    std::string name, std::span<const std::byte> bytes, MappedFile mapping) {
  auto impl = std::make_unique<Impl>();
  impl->path = std::move(name);
  impl->file_size = bytes.size();
  impl->mapping = std::move(mapping);
  AIO_ASSIGN_OR_RETURN(const std::span<const std::byte> header, FindHeader(impl->path, bytes));
  AIO_ASSIGN_OR_RETURN(std::vector<Entry> entries, ReadEntries(impl->path, header));
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + header.size());
  AIO_RETURN_IF_ERROR(Checker(impl->path, data.size()).Check(entries));
  for (Entry& entry : entries) {
    impl->by_name.push_back(impl->tensors.size());
    const uint64_t elements = *Checker::Elements(entry.shape);
    impl->tensors.push_back({std::move(entry.name), std::move(entry.dtype), std::move(entry.shape),
                             elements,
                             data.subspan(entry.offsets[0], entry.offsets[1] - entry.offsets[0])});
  }
  const auto name_of = [&](size_t i) -> std::string_view { return impl->tensors[i].name; };
  std::sort(impl->by_name.begin(), impl->by_name.end(),
            [&](size_t a, size_t b) { return name_of(a) < name_of(b); });
  const auto twice =
      std::adjacent_find(impl->by_name.begin(), impl->by_name.end(),
                         [&](size_t a, size_t b) { return name_of(a) == name_of(b); });
  if (twice != impl->by_name.end()) {
    return InvalidArgument(
        fmt::format("{}: tensor {} is there twice", impl->path, QuoteForMessage(name_of(*twice))));
  }
  return std::shared_ptr<const SafetensorsFile>(new SafetensorsFile(std::move(impl)));
}

const std::string& SafetensorsFile::path() const { return impl_->path; }
uint64_t SafetensorsFile::file_size() const { return impl_->file_size; }
const std::vector<SafetensorsTensor>& SafetensorsFile::tensors() const { return impl_->tensors; }

const SafetensorsTensor* SafetensorsFile::FindTensor(std::string_view name) const {
  const auto at = std::lower_bound(
      impl_->by_name.begin(), impl_->by_name.end(), name,
      [&](size_t i, std::string_view wanted) { return impl_->tensors[i].name < wanted; });
  if (at == impl_->by_name.end() || impl_->tensors[*at].name != name) return nullptr;
  return &impl_->tensors[*at];
}

void SafetensorsFile::Release(std::span<const std::byte> part) const {
  if (!impl_->mapping.bytes().empty()) impl_->mapping.Release(part);
}

}  // namespace aio
