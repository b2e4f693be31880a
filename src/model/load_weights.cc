#include "model/load_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/thread_pool.h"
#include "model/architecture.h"
#include "model/tensor_types.h"

namespace aio {
namespace {

// Takes tensors by name, each with the shape it must have, and counts what it took.
class Planner {
 public:
  explicit Planner(const GgufFile& file) : file_(file) {}

  bool Has(std::string_view name) const { return file_.FindTensor(name) != nullptr; }

  Result<Matrix> TakeMatrix(const std::string& name, int rows, int columns) {
    return Take(name, {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)});
  }
  Result<PackedMatrix> PlanMatrix(const std::string& name, int rows, int columns) {
    AIO_ASSIGN_OR_RETURN(const Matrix stored, TakeMatrix(name, rows, columns));
    return PlanPacking(stored);
  }
  PackedMatrix PlanPacking(const Matrix& stored) {
    const PackedMatrix packed = PackedShape(stored);
    packings_.push_back({stored, packed_bytes_});
    packed_bytes_ +=
        (static_cast<int64_t>(packed.bytes()) + kAlignment - 1) / kAlignment * kAlignment;
    return packed;
  }

  // A norm or bias, as F32.
  Result<std::vector<float>> TakeVector(const std::string& name, int size) {
    AIO_ASSIGN_OR_RETURN(const Matrix row, Take(name, {static_cast<uint64_t>(size)}));
    std::vector<float> values(static_cast<size_t>(size));
    DecodeRow(row, 0, values);
    vector_bytes_ += static_cast<int64_t>(values.size() * sizeof(float));
    return values;
  }
  Result<std::vector<float>> TakeVector(const std::string& name, int size, Presence presence) {
    if (presence == Presence::kAbsent) return std::vector<float>();
    if (presence == Presence::kOptional && !Has(name)) return std::vector<float>();
    return TakeVector(name, size);
  }

  void Finish(WeightPlan& plan) {
    plan.packings = std::move(packings_);
    plan.packed_bytes = packed_bytes_;
    plan.vector_bytes = vector_bytes_;
    plan.parameters = parameters_;
  }

 private:
  static constexpr int64_t kAlignment = 64;  // a cache line

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
    if (!type || dims[0] % BlockOf(*type).values != 0) {
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
  std::vector<WeightPlan::Packing> packings_;
  int64_t packed_bytes_ = 0;
  int64_t vector_bytes_ = 0;
  int64_t parameters_ = 0;
};

Status PlanAttention(Planner& planner, const ModelConfig& config, const std::string& prefix,
                     LayerWeights& layer) {
  const int hidden = config.hidden_size;
  const int queries = config.num_heads * config.head_size;
  const int keys = config.kv_size();
  const auto name = [&](const char* suffix) { return prefix + suffix; };
  AIO_ASSIGN_OR_RETURN(layer.attention_norm, planner.TakeVector(name("attn_norm.weight"), hidden));
  AIO_ASSIGN_OR_RETURN(layer.query, planner.PlanMatrix(name("attn_q.weight"), queries, hidden));
  AIO_ASSIGN_OR_RETURN(layer.key, planner.PlanMatrix(name("attn_k.weight"), keys, hidden));
  AIO_ASSIGN_OR_RETURN(layer.value, planner.PlanMatrix(name("attn_v.weight"), keys, hidden));
  AIO_ASSIGN_OR_RETURN(layer.attention_output,
                       planner.PlanMatrix(name("attn_output.weight"), hidden, queries));
  return Status::Ok();
}

Status TakeAttentionExtras(Planner& planner, const ModelConfig& config, const std::string& prefix,
                           LayerWeights& layer) {
  const Architecture& architecture = *FindArchitecture(config.architecture);
  const auto take = [&](const char* suffix, int size, Presence presence) {
    return planner.TakeVector(prefix + suffix, size, presence);
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

Status PlanMlp(Planner& planner, const ModelConfig& config, const std::string& prefix,
               LayerWeights& layer) {
  const int hidden = config.hidden_size;
  const int intermediate = config.intermediate_size;
  AIO_ASSIGN_OR_RETURN(layer.mlp_norm, planner.TakeVector(prefix + "ffn_norm.weight", hidden));
  AIO_ASSIGN_OR_RETURN(layer.gate,
                       planner.PlanMatrix(prefix + "ffn_gate.weight", intermediate, hidden));
  AIO_ASSIGN_OR_RETURN(layer.up,
                       planner.PlanMatrix(prefix + "ffn_up.weight", intermediate, hidden));
  AIO_ASSIGN_OR_RETURN(layer.down,
                       planner.PlanMatrix(prefix + "ffn_down.weight", hidden, intermediate));
  return Status::Ok();
}

// The matrices in the order in which they were planned.
template <typename Function>
void ForEachMatrix(Weights& weights, const Function& function) {
  for (LayerWeights& layer : weights.layers) {
    for (PackedMatrix* matrix : {&layer.query, &layer.key, &layer.value, &layer.attention_output,
                                 &layer.gate, &layer.up, &layer.down}) {
      function(*matrix);
    }
  }
  function(weights.output);
}

}  // namespace

Result<WeightPlan> PlanWeights(const GgufFile& file, const ModelConfig& config) {
  const int hidden = config.hidden_size;
  const int vocabulary = config.vocabulary_size;
  Planner planner(file);
  WeightPlan plan;
  Weights& weights = plan.weights;
  AIO_ASSIGN_OR_RETURN(weights.token_embedding,
                       planner.TakeMatrix("token_embd.weight", vocabulary, hidden));
  for (int i = 0; i < config.num_layers; ++i) {
    const std::string prefix = fmt::format("blk.{}.", i);
    LayerWeights& layer = weights.layers.emplace_back();
    AIO_RETURN_IF_ERROR(PlanAttention(planner, config, prefix, layer));
    AIO_RETURN_IF_ERROR(TakeAttentionExtras(planner, config, prefix, layer));
    AIO_RETURN_IF_ERROR(PlanMlp(planner, config, prefix, layer));
  }
  AIO_ASSIGN_OR_RETURN(weights.output_norm, planner.TakeVector("output_norm.weight", hidden));
  plan.tied = !planner.Has("output.weight");
  if (plan.tied) {
    weights.output = planner.PlanPacking(weights.token_embedding);
  } else {
    AIO_ASSIGN_OR_RETURN(weights.output, planner.PlanMatrix("output.weight", vocabulary, hidden));
  }
  planner.Finish(plan);
  return plan;
}

Result<PageMemory> PackWeights(WeightPlan& plan, const GgufFile& file, const LoadOptions& options) {
  // What is read before it is released again, and how often progress is told.
  constexpr size_t kPieceBytes = size_t{32} << 20;
  AIO_ASSIGN_OR_RETURN(PageMemory memory, PageMemory::Reserve(plan.packed_bytes));
  std::optional<ThreadPool> pool;
  try {
    pool.emplace(options.num_threads);
  } catch (const std::system_error& e) {
    return ResourceExhausted(
        fmt::format("cannot start {} threads to load with: {}", options.num_threads, e.what()));
  }
  auto next = plan.packings.begin();
  bool is_cancelled = false;
  ForEachMatrix(plan.weights, [&](PackedMatrix& matrix) {
    const Matrix& stored = next->stored;
    std::byte* packed = memory.data() + next->offset;
    matrix.data = packed;
    const auto tiles = static_cast<size_t>(matrix.num_tiles());
    const size_t piece = std::max<size_t>(1, kPieceBytes / matrix.tile_bytes());
    for (size_t begin = 0; begin < tiles && !is_cancelled; begin += piece) {
      const size_t end = std::min(tiles, begin + piece);
      pool->ParallelFor(end - begin, [&](size_t i, int /*thread*/) {
        PackTile(stored, static_cast<int>(begin + i), packed + (begin + i) * matrix.tile_bytes());
      });
      const size_t first = begin * matrix.tile_bytes();
      file.Release(
          {stored.data + first, std::min(end * matrix.tile_bytes(), stored.bytes()) - first});
      if (options.progress) {
        options.progress(next->offset + static_cast<int64_t>(end * matrix.tile_bytes()),
                         plan.packed_bytes);
      }
      is_cancelled = options.cancelled && options.cancelled();
    }
    ++next;
  });
  if (is_cancelled) return Cancelled(fmt::format("{}: loading was given up", file.path()));
  return memory;
}

}  // namespace aio
