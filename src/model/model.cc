#include "model/model.h"

#include <utility>

#include "base/check.h"
#include "formats/gguf.h"
#include "formats/gguf_fingerprint.h"
#include "model/check_tensors.h"

namespace aio {
namespace {

struct Checked {
  ModelSummary summary;
  WeightPlan plan;
};

Result<Checked> Check(const GgufFile& file) {
  Checked checked;
  ModelSummary& summary = checked.summary;
  AIO_ASSIGN_OR_RETURN(summary.config, ReadModelConfig(file));
  AIO_RETURN_IF_ERROR(CheckTensors(file, summary.config));
  AIO_ASSIGN_OR_RETURN(checked.plan, PlanWeights(file, summary.config));
  summary.parameters = checked.plan.parameters;
  summary.weight_bytes = checked.plan.resident_bytes();
  summary.bytes_per_token = checked.plan.bytes_per_token();
  summary.tied = checked.plan.tied;
  return checked;
}

}  // namespace

Result<ModelSummary> Summarize(const GgufFile& file) {
  AIO_ASSIGN_OR_RETURN(Checked checked, Check(file));
  return std::move(checked.summary);
}

Result<std::shared_ptr<const Model>> Model::Load(std::shared_ptr<const GgufFile> file,
                                                 const LoadOptions& options) {
  AIO_CHECK(file != nullptr);
  AIO_ASSIGN_OR_RETURN(Checked checked, Check(*file));
  Result<PageMemory> packed = PackWeights(checked.plan, *file, options);
  if (!packed.ok()) return packed.status().WithContext(file->path());

  std::shared_ptr<Model> model(new Model());
  model->fingerprint_ = GgufFingerprint(*file);
  model->file_ = std::move(file);
  model->summary_ = std::move(checked.summary);
  model->weights_ = std::move(checked.plan.weights);
  model->packed_ = std::move(packed).value();
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace aio
