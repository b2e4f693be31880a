// Any bytes as a model file: a model whose weights can be read, or an error that says why not.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "formats/gguf.h"
#include "kernels/kernels.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace aio {
namespace {

void CheckMatrix(const Matrix& matrix) {
  std::vector<float> row(static_cast<size_t>(matrix.columns));
  DecodeRow(matrix, 0, row);
  DecodeRow(matrix, matrix.rows - 1, row);
}

void CheckModel(const Model& model) {
  const ModelConfig& config = model.config();
  AIO_CHECK(model.parameters() > 0 && model.weight_bytes() > 0 && model.bytes_per_token() > 0);
  AIO_CHECK(KvCache::BlockBytes(config, KvType::kF32) > 0);
  AIO_CHECK(config.rope_factors.size() == static_cast<size_t>(config.rope_dims) / 2);
  CheckMatrix(model.weights().token_embedding);
  CheckMatrix(model.weights().output);
}

}  // namespace
}  // namespace aio

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = aio::GgufFile::Parse(bytes, "input.gguf");
  if (!file.ok()) return 0;
  const auto model = aio::Model::Load(*file);
  if (model.ok()) {
    aio::CheckModel(**model);
  } else {
    AIO_CHECK(model.status().message().starts_with("input.gguf: "), "an error names the file");
  }
  return 0;
}
