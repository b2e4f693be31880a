#include "formats/gguf_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/file_descriptor.h"
#include "formats/gguf.h"
#include "formats/gguf_parser.h"

namespace aio {
namespace {

using Bytes = std::vector<std::byte>;
using Type = GgufValue::Type;

void AppendBytes(std::span<const std::byte> from, Bytes& out) {
  out.insert(out.end(), from.begin(), from.end());
}

template <typename T>
void AppendNumber(T number, Bytes& out) {
  AppendBytes(std::as_bytes(std::span(&number, 1)), out);
}

void AppendString(std::string_view text, Bytes& out) {
  AppendNumber(uint64_t{text.size()}, out);
  AppendBytes(std::as_bytes(std::span(text)), out);
}

// Zeros up to the next aligned position.
void AppendPadding(Bytes& out) {
  out.resize((out.size() + kGgufDefaultAlignment - 1) / kGgufDefaultAlignment *
             kGgufDefaultAlignment);
}

void AppendArrayStart(Type element_type, uint64_t count, Bytes& out) {
  AppendNumber(static_cast<uint32_t>(element_type), out);
  AppendNumber(count, out);
}

Status WriteAll(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return Status::Ok();
}

// Writes a file from its start, and has the disk begin before the end: encoding and writing
// then overlap, and little is left for fsync() to wait for.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  Status Write(std::span<const std::byte> bytes) {
    AIO_RETURN_IF_ERROR(WriteAll(fd_, bytes));
    written_ += static_cast<off_t>(bytes.size());
    constexpr off_t kBurst = off_t{32} << 20;
    if (written_ - begun_ < kBurst) return Status::Ok();
    // Only advice: a file system that cannot take it writes at the end.
    sync_file_range(fd_, begun_, written_ - begun_, SYNC_FILE_RANGE_WRITE);
    begun_ = written_;
    return Status::Ok();
  }

  Status Finish() {
    // The name must never show a file whose data a power cut can still take away.
    return fsync(fd_) == 0 ? Status::Ok() : SystemError("write to disk", errno);
  }

 private:
  const int fd_;
  off_t written_ = 0;
  off_t begun_ = 0;  // up to here the disk has been told
};

// Only a file is replaced: renaming over a device would take it away from everyone.
Status CheckReplaceable(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return Status::Ok();
  return InvalidArgument(path + (S_ISDIR(info.st_mode) ? ": is a directory; name a file in it"
                                                       : ": is not a regular file"));
}

// Creates a file beside `path` under a name that nobody has; what a crashed run left behind
// (in a container process numbers come again) is passed over.
int CreateTemporary(const std::string& path, std::string& temporary) {
  static std::atomic<unsigned> counter{0};
  constexpr int kMaxAttempts = 1000;
  int fd = -1;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    temporary = path + ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
    fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) break;
  }
  return fd;
}

}  // namespace

struct GgufWriter::Impl {
  struct Entry {
    std::string key;
    Type type;
    Bytes value;  // as in the file, after the type
  };
  struct Tensor {
    std::string name;
    uint32_t type;
    std::vector<uint64_t> dims;
    uint64_t bytes;
    Bytes data;
    bool declared;

    uint64_t padding() const {
      return (kGgufDefaultAlignment - bytes % kGgufDefaultAlignment) % kGgufDefaultAlignment;
    }
  };

  std::vector<Entry> entries;
  std::vector<Tensor> tensors;

  void Set(std::string_view key, Type type, Bytes value) {
    AIO_CHECK(!key.empty(), "a GGUF key has a name");
    const auto same = std::find_if(entries.begin(), entries.end(),
                                   [&](const Entry& entry) { return entry.key == key; });
    if (same != entries.end()) {
      same->type = type;
      same->value = std::move(value);
    } else {
      entries.push_back({std::string(key), type, std::move(value)});
    }
  }

  template <typename T>
  void SetNumber(std::string_view key, Type type, T value) {
    Bytes bytes;
    AppendNumber(value, bytes);
    Set(key, type, std::move(bytes));
  }

  template <typename T>
  void SetNumbers(std::string_view key, Type element_type, std::span<const T> values) {
    Bytes bytes;
    AppendArrayStart(element_type, values.size(), bytes);
    AppendBytes(std::as_bytes(values), bytes);
    Set(key, Type::kArray, std::move(bytes));
  }

  // All that stands before the tensors' data, padded.
  Bytes EncodeHeader() const;
  Status WriteTo(Output& output, const TensorSource& source) const;
  static Status WriteTensor(Output& output, const Tensor& tensor, const TensorSource& source);
  void Add(Tensor tensor);
};

GgufWriter::GgufWriter() : impl_(std::make_unique<Impl>()) {}
GgufWriter::~GgufWriter() = default;

void GgufWriter::SetUint32(std::string_view key, uint32_t value) {
  impl_->SetNumber(key, Type::kUint32, value);
}

void GgufWriter::SetFloat32(std::string_view key, float value) {
  impl_->SetNumber(key, Type::kFloat32, value);
}

void GgufWriter::SetBool(std::string_view key, bool value) {
  impl_->SetNumber(key, Type::kBool, uint8_t{value});
}

void GgufWriter::SetString(std::string_view key, std::string_view value) {
  Bytes bytes;
  AppendString(value, bytes);
  impl_->Set(key, Type::kString, std::move(bytes));
}

void GgufWriter::SetStringArray(std::string_view key, std::span<const std::string> values) {
  Bytes bytes;
  AppendArrayStart(Type::kString, values.size(), bytes);
  for (const std::string& value : values) AppendString(value, bytes);
  impl_->Set(key, Type::kArray, std::move(bytes));
}

void GgufWriter::SetFloat32Array(std::string_view key, std::span<const float> values) {
  impl_->SetNumbers(key, Type::kFloat32, values);
}

void GgufWriter::SetInt32Array(std::string_view key, std::span<const int32_t> values) {
  impl_->SetNumbers(key, Type::kInt32, values);
}

void GgufWriter::SetValue(std::string_view key, const GgufValue& value) {
  if (key == "general.alignment") return;
  Bytes bytes;
  if (value.type == Type::kArray) AppendArrayStart(value.element_type, value.count, bytes);
  if (value.type == Type::kString) AppendNumber(uint64_t{value.raw.size()}, bytes);
  AppendBytes(value.raw, bytes);
  impl_->Set(key, value.type, std::move(bytes));
}

void GgufWriter::Impl::Add(Tensor tensor) {
  AIO_CHECK(!tensor.name.empty(), "a tensor has a name");
  AIO_CHECK(!tensor.dims.empty() && tensor.dims.size() <= kGgufMaxDims,
            "a tensor has 1 to 4 dimensions");
  for (const Tensor& other : tensors) {
    AIO_CHECK(other.name != tensor.name, "tensor names are unique");
  }
  uint64_t elements = 1;
  for (const uint64_t dim : tensor.dims) elements *= dim;
  const std::optional<uint64_t> bytes = TensorBytes(tensor.type, elements);
  if (tensor.declared) {
    AIO_CHECK(bytes.has_value(), "a declared tensor is whole blocks of a known size");
    tensor.bytes = *bytes;
  }
  AIO_CHECK(!FindTensorBlock(tensor.type) || bytes == tensor.bytes,
            "a tensor's data fits its type and shape");
  tensors.push_back(std::move(tensor));
}

void GgufWriter::AddTensor(std::string_view name, uint32_t type, std::span<const uint64_t> dims,
                           std::span<const std::byte> data) {
  impl_->Add({std::string(name),
              type,
              {dims.begin(), dims.end()},
              data.size(),
              {data.begin(), data.end()},
              false});
}

void GgufWriter::DeclareTensor(std::string_view name, uint32_t type,
                               std::span<const uint64_t> dims) {
  impl_->Add({std::string(name), type, {dims.begin(), dims.end()}, 0, {}, true});
}

std::vector<std::byte> GgufWriter::Impl::EncodeHeader() const {
  Bytes out;
  AppendBytes(std::as_bytes(std::span("GGUF", 4)), out);
  AppendNumber(uint32_t{3}, out);
  AppendNumber(uint64_t{tensors.size()}, out);
  AppendNumber(uint64_t{entries.size()}, out);
  for (const Entry& entry : entries) {
    AppendString(entry.key, out);
    AppendNumber(static_cast<uint32_t>(entry.type), out);
    AppendBytes(entry.value, out);
  }
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors) {
    AppendString(tensor.name, out);
    AppendNumber(static_cast<uint32_t>(tensor.dims.size()), out);
    for (const uint64_t dim : tensor.dims) AppendNumber(dim, out);
    AppendNumber(tensor.type, out);
    AppendNumber(offset, out);
    offset += tensor.bytes + tensor.padding();
  }
  AppendPadding(out);
  return out;
}

std::vector<std::byte> GgufWriter::Encode() const {
  Bytes out = impl_->EncodeHeader();
  for (const Impl::Tensor& tensor : impl_->tensors) {
    AIO_CHECK(!tensor.declared, "a declared tensor has no data to encode");
    AppendBytes(tensor.data, out);
    AppendPadding(out);
  }
  return out;
}

Status GgufWriter::Impl::WriteTensor(Output& output, const Tensor& tensor,
                                     const TensorSource& source) {
  constexpr std::byte kZeros[kGgufDefaultAlignment] = {};
  if (tensor.declared) {
    AIO_CHECK(source != nullptr, "a declared tensor needs a source");
    uint64_t put = 0;
    AIO_RETURN_IF_ERROR(source(tensor.name, [&](std::span<const std::byte> bytes) {
      put += bytes.size();
      AIO_CHECK(put <= tensor.bytes, "a source puts more than it declared");
      return output.Write(bytes);
    }));
    AIO_CHECK(put == tensor.bytes, "a source puts less than it declared");
  } else {
    AIO_RETURN_IF_ERROR(output.Write(tensor.data));
  }
  return output.Write(std::span(kZeros, tensor.padding()));
}

Status GgufWriter::Impl::WriteTo(Output& output, const TensorSource& source) const {
  AIO_RETURN_IF_ERROR(output.Write(EncodeHeader()));
  for (const Tensor& tensor : tensors) AIO_RETURN_IF_ERROR(WriteTensor(output, tensor, source));
  return output.Finish();
}

Status GgufWriter::WriteFile(const std::string& path, const TensorSource& source) const {
  AIO_RETURN_IF_ERROR(CheckReplaceable(path));
  std::string temporary;
  const FileDescriptor fd(CreateTemporary(path, temporary));
  if (!fd.valid()) return SystemError("create " + temporary, errno).WithContext(path);
  Output output(fd.get());
  Status status = impl_->WriteTo(output, source);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = SystemError("rename " + temporary, errno);
  }
  if (status.ok()) return status;
  unlink(temporary.c_str());
  return std::move(status).WithContext(path);
}

}  // namespace aio
