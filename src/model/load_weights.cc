#include "model/load_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <vector>

#include "model/architecture.h"

namespace aio {
namespace {

std::optional<WeightType> ToWeightType(uint32_t type) {
  switch (static_cast<TensorType>(type)) {
    case TensorType::kF32:
      return WeightType::kF32;
    case TensorType::kF16:
      return WeightType::kF16;
    case TensorType::kBF16:
      return WeightType::kBF16;
    case TensorType::kQ8_0:
      return WeightType::kQ8_0;
  }
  return std::nullopt;
}

// Takes tensors by name, each with the shape it must have, and counts what it took.
class Loader {
 public:
  explicit Loader(const GgufFile& file) : file_(file) {}

  bool Has(std::string_view name) const { return file_.FindTensor(name) != nullptr; }
  int64_t resident_bytes() const { return resident_bytes_; }
  int64_t parameters() const { return parameters_; }

  Result<Matrix> TakeMatrix(const std::string& name, int rows, int columns) {
    AIO_ASSIGN_OR_RETURN(const Matrix matrix,
                         Take(name, {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)}));
    resident_bytes_ += static_cast<int64_t>(matrix.bytes());
    return matrix;
  }

  // A norm or bias, as F32.
  Result<std::vector<float>> TakeVector(const std::string& name, int size) {
    AIO_ASSIGN_OR_RETURN(const Matrix row, Take(name, {static_cast<uint64_t>(size)}));
    std::vector<float> values(static_cast<size_t>(size));
    DecodeRow(row, 0, values);
    resident_bytes_ += static_cast<int64_t>(values.size() * sizeof(float));
    return values;
  }
  Result<std::vector<float>> TakeVector(const std::string& name, int size, Presence presence) {
    if (presence == Presence::kAbsent) return std::vector<float>();
    if (presence == Presence::kOptional && !Has(name)) return std::vector<float>();
    return TakeVector(name, size);
  }

 private:
  // `dims` in GGUF order: columns, then rows unless it is a vector.
  Result<Matrix> Take(const std::string& name, const std::vector<uint64_t>& dims) {
    const std::string where = fmt::format("{}: tensor {}: ", file_.path(), name);
    const GgufTensor* tensor = file_.FindTensor(name);
    if (tensor == nullptr) {
      return InvalidArgument(
          fmt::format("{}is missing; expected shape [{}]", where, fmt::join(dims, ", ")));
    }
    if (tensor->dims != dims) {
      return InvalidArgument(fmt::format("{}expected shape [{}], found [{}]", where,
                                         fmt::join(dims, ", "), fmt::join(tensor->dims, ", ")));
    }
    const std::optional<WeightType> type = ToWeightType(tensor->type);
    if (!type || (type == WeightType::kQ8_0 && dims[0] % kQ8BlockValues != 0)) {
      return InvalidArgument(fmt::format("{}rows of {} values cannot be {}", where, dims[0],
                                         TensorTypeName(tensor->type)));
    }
    const int rows = dims.size() == 2 ? static_cast<int>(dims[1]) : 1;
    const Matrix matrix{tensor->data.data(), *type, rows, static_cast<int>(dims[0])};
    AIO_RETURN_IF_ERROR(CheckData(where, *tensor, matrix));
    parameters_ += static_cast<int64_t>(tensor->elements);
    return matrix;
  }

  static Status CheckData(const std::string& where, const GgufTensor& tensor,
                          const Matrix& matrix) {
    if (tensor.data.size() != matrix.bytes()) {
      return InvalidArgument(fmt::format("{}expected {} bytes of data, found {}", where,
                                         matrix.bytes(), tensor.data.size()));
    }
    const size_t alignment = matrix.type == WeightType::kF32 ? alignof(float) : alignof(uint16_t);
    if (reinterpret_cast<uintptr_t>(matrix.data) % alignment != 0) {
      return InvalidArgument(
          fmt::format("{}its data is not aligned to {} bytes", where, alignment));
    }
    return Status::Ok();
  }

  const GgufFile& file_;
  int64_t resident_bytes_ = 0;
  int64_t parameters_ = 0;
};

Status LoadAttention(Loader& loader, const ModelConfig& config, const std::string& prefix,
                     LayerWeights& layer) {
  const int hidden = config.hidden_size;
  const int queries = config.num_heads * config.head_size;
  const int keys = config.kv_size();
  const auto name = [&](const char* suffix) { return prefix + suffix; };
  AIO_ASSIGN_OR_RETURN(layer.attention_norm, loader.TakeVector(name("attn_norm.weight"), hidden));
  AIO_ASSIGN_OR_RETURN(layer.query, loader.TakeMatrix(name("attn_q.weight"), queries, hidden));
  AIO_ASSIGN_OR_RETURN(layer.key, loader.TakeMatrix(name("attn_k.weight"), keys, hidden));
  AIO_ASSIGN_OR_RETURN(layer.value, loader.TakeMatrix(name("attn_v.weight"), keys, hidden));
  AIO_ASSIGN_OR_RETURN(layer.attention_output,
                       loader.TakeMatrix(name("attn_output.weight"), hidden, queries));
  return Status::Ok();
}

Status LoadAttentionExtras(Loader& loader, const ModelConfig& config, const std::string& prefix,
                           LayerWeights& layer) {
  const Architecture& architecture = *FindArchitecture(config.architecture);
  const auto take = [&](const char* suffix, int size, Presence presence) {
    return loader.TakeVector(prefix + suffix, size, presence);
  };
  const int queries = config.num_heads * config.head_size;
  const Presence bias = architecture.qkv_bias;
  AIO_ASSIGN_OR_RETURN(layer.query_bias, take("attn_q.bias", queries, bias));
  AIO_ASSIGN_OR_RETURN(layer.key_bias, take("attn_k.bias", config.kv_size(), bias));
  AIO_ASSIGN_OR_RETURN(layer.value_bias, take("attn_v.bias", config.kv_size(), bias));
  AIO_ASSIGN_OR_RETURN(layer.attention_output_bias, take("attn_output.bias", config.hidden_size,
                                                         architecture.attention_output_bias));
  const Presence norms = architecture.head_norms;
  AIO_ASSIGN_OR_RETURN(layer.query_norm, take("attn_q_norm.weight", config.head_size, norms));
  AIO_ASSIGN_OR_RETURN(layer.key_norm, take("attn_k_norm.weight", config.head_size, norms));
  return Status::Ok();
}

Status LoadMlp(Loader& loader, const ModelConfig& config, const std::string& prefix,
               LayerWeights& layer) {
  const int hidden = config.hidden_size;
  const int intermediate = config.intermediate_size;
  AIO_ASSIGN_OR_RETURN(layer.mlp_norm, loader.TakeVector(prefix + "ffn_norm.weight", hidden));
  AIO_ASSIGN_OR_RETURN(layer.gate,
                       loader.TakeMatrix(prefix + "ffn_gate.weight", intermediate, hidden));
  AIO_ASSIGN_OR_RETURN(layer.up, loader.TakeMatrix(prefix + "ffn_up.weight", intermediate, hidden));
  AIO_ASSIGN_OR_RETURN(layer.down,
                       loader.TakeMatrix(prefix + "ffn_down.weight", hidden, intermediate));
  return Status::Ok();
}

}  // namespace

Result<LoadedWeights> LoadWeights(const GgufFile& file, const ModelConfig& config) {
  const int hidden = config.hidden_size;
  const int vocabulary = config.vocabulary_size;
  Loader loader(file);
  Weights weights;
  AIO_ASSIGN_OR_RETURN(weights.token_embedding,
                       loader.TakeMatrix("token_embd.weight", vocabulary, hidden));
  for (int i = 0; i < config.num_layers; ++i) {
    const std::string prefix = fmt::format("blk.{}.", i);
    LayerWeights& layer = weights.layers.emplace_back();
    AIO_RETURN_IF_ERROR(LoadAttention(loader, config, prefix, layer));
    AIO_RETURN_IF_ERROR(LoadAttentionExtras(loader, config, prefix, layer));
    AIO_RETURN_IF_ERROR(LoadMlp(loader, config, prefix, layer));
  }
  AIO_ASSIGN_OR_RETURN(weights.output_norm, loader.TakeVector("output_norm.weight", hidden));
  weights.output = weights.token_embedding;
  if (loader.Has("output.weight")) {
    AIO_ASSIGN_OR_RETURN(weights.output, loader.TakeMatrix("output.weight", vocabulary, hidden));
  }
  return LoadedWeights{std::move(weights), loader.resident_bytes(), loader.parameters()};
}

}  // namespace aio
