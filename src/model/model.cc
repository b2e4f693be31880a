#include "model/model.h"

#include <utility>

#include "base/check.h"
#include "formats/gguf.h"
#include "model/check_tensors.h"
#include "model/load_weights.h"

namespace aio {

Result<std::shared_ptr<const Model>> Model::Load(std::shared_ptr<const GgufFile> file) {
  AIO_CHECK(file != nullptr);
  AIO_ASSIGN_OR_RETURN(ModelConfig config, ReadModelConfig(*file));
  AIO_RETURN_IF_ERROR(CheckTensors(*file, config));
  AIO_ASSIGN_OR_RETURN(LoadedWeights loaded, LoadWeights(*file, config));

  std::shared_ptr<Model> model(new Model());
  model->file_ = std::move(file);
  model->config_ = std::move(config);
  model->weights_ = std::move(loaded.weights);
  model->weight_bytes_ = loaded.resident_bytes;
  model->parameters_ = loaded.parameters;
  // A step reads everything but an embedding table of its own, of which it reads one row.
  const Matrix& embedding = model->weights_.token_embedding;
  const bool tied = model->weights_.output.data == embedding.data;
  const int64_t unread = tied ? 0 : static_cast<int64_t>(embedding.bytes());
  model->bytes_per_token_ =
      loaded.resident_bytes - unread + static_cast<int64_t>(embedding.row_bytes());
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace aio
