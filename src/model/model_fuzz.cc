// Any bytes as a model file: a model that runs, or an error that says why not.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "formats/gguf.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace aio {
namespace {

// One token through all of it, where that is affordable.
void RunModel(const Model& model) {
  constexpr int64_t kBytesMax = int64_t{64} << 20;
  const ModelConfig& config = model.config();
  AIO_CHECK(model.summary().parameters > 0 && model.summary().weight_bytes > 0 &&
            model.summary().bytes_per_token > 0);
  AIO_CHECK(config.rope_factors.size() == static_cast<size_t>(config.rope_dims) / 2);
  if (ForwardScratch::Bytes(config, 1, 1) + KvCache::BlockBytes(config, KvType::kF32) > kBytesMax) {
    return;
  }
  const auto cache = KvCache::Create(config, KvType::kF32, 1).value();
  ForwardScratch scratch(config, 1, 1);
  ThreadPool pool(1);
  const int32_t table[] = {0};
  const ForwardRow row{config.vocabulary_size - 1, 0, table, true};
  const auto logits = Forward(model, {&row, 1}, *cache, scratch, pool);
  AIO_CHECK(logits.size() == static_cast<size_t>(config.vocabulary_size));
}

}  // namespace
}  // namespace aio

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = aio::GgufFile::Parse(bytes, "input.gguf");
  if (!file.ok()) return 0;
  const auto model = aio::Model::Load(*file);
  if (model.ok()) {
    aio::RunModel(**model);
  } else {
    AIO_CHECK(model.status().message().starts_with("input.gguf: "), "an error names the file");
  }
  return 0;
}
