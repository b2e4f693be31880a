#include <fmt/format.h>

#include <utility>

#include "convert/model_source.h"
#include "formats/gguf.h"
#include "model/model.h"
#include "model/tensor_types.h"

namespace aio {
namespace {

Status RefuseParts(const GgufFile& file) {
  if (file.FindValue("split.count") == nullptr) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(const int64_t count, file.GetInt("split.count"));
  if (count <= 1) return Status::Ok();
  return Unimplemented(
      fmt::format("{}: split.count: is one of {} parts of a model; join them first "
                  "(llama-gguf-split --merge)",
                  file.path(), count));
}

}  // namespace

Result<ModelSource> OpenGgufSource(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const std::shared_ptr<const GgufFile> file, GgufFile::Open(path));
  AIO_RETURN_IF_ERROR(RefuseParts(*file));
  AIO_RETURN_IF_ERROR(Summarize(*file).status());
  ModelSource source;
  source.path = path;
  source.header = std::make_unique<GgufWriter>();
  source.files.push_back(path);
  source.bytes = file->file_size();
  source.owners.push_back(file);
  for (const GgufKeyValue& entry : file->metadata()) {
    source.header->SetValue(entry.key, entry.value);
  }
  for (const GgufTensor& tensor : file->tensors()) {
    SourceTensor& added = source.tensors.emplace_back();
    added.name = added.stored_name = tensor.name;
    added.dims = tensor.dims;
    added.type = *ToWeightType(tensor.type);  // Summarize() refuses others
    added.data = tensor.data;
    added.release = [raw = file.get()](std::span<const std::byte> part) { raw->Release(part); };
  }
  return source;
}

}  // namespace aio
