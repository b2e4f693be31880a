#include "app/file_shape.h"

#include <fmt/format.h>

#include <cmath>

#include "formats/gguf.h"
#include "sim/step_time.h"

namespace aio {

Result<FileShape> ShapeOf(const ModelSummary& summary) {
  const ModelConfig& config = summary.config;
  FileShape file;
  ModelShape& shape = file.shape;
  shape.architecture = "";  // of no matter
  shape.num_layers = config.num_layers;
  shape.hidden_size = config.hidden_size;
  shape.num_heads = config.num_heads;
  shape.num_kv_heads = config.num_kv_heads;
  shape.head_size = config.head_size;
  shape.intermediate_size = config.intermediate_size;
  shape.vocabulary_size = config.vocabulary_size;
  shape.context_length = config.context_length;
  shape.tied = summary.tied;
  const double bytes_per_weight = static_cast<double>(summary.bytes_per_token) /
                                  static_cast<double>(CostsOf(shape).matrix_parameters());
  // Norms and biases, and a matrix or two of another type, make little of a difference.
  constexpr double kNear = 0.1;
  for (const SimWeights weights : {SimWeights::kF16, SimWeights::kQ8_0, SimWeights::kQ4_0}) {
    if (std::abs(bytes_per_weight / BytesPerWeight(weights) - 1) > kNear) continue;
    file.weights = weights;
    return file;
  }
  return InvalidArgument(fmt::format(
      "{}: reads {:.2f} bytes a weight, which is none of f16, q8_0 and q4_0: they are simulated",
      config.name, bytes_per_weight));
}

Result<FileShape> ReadFileShape(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(const auto file, GgufFile::Open(path));
  AIO_ASSIGN_OR_RETURN(const ModelSummary summary, Summarize(*file));
  return ShapeOf(summary);
}

}  // namespace aio
