#include "model/testing/test_model.h"

#include <cmath>
#include <span>
#include <utility>

#include "base/check.h"
#include "kernels/matrix.h"
#include "model/architecture.h"
#include "model/tensor_types.h"

namespace aio {
namespace {

// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every platform.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // Uniform in [-1, 1).
  float Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<float>(static_cast<int32_t>(z >> 32)) * 0x1p-31f;
  }

 private:
  uint64_t state_;
};

class Builder {
 public:
  explicit Builder(const TestModelSpec& spec)
      : spec_(spec), architecture_(FindArchitecture(spec.architecture)), random_(spec.seed) {
    AIO_CHECK(architecture_ != nullptr, "unknown architecture");
  }

  std::vector<std::byte> Build() {
    AddMetadata();
    AddMatrix("token_embd.weight", spec_.vocabulary_size, spec_.hidden_size, 1.0f);
    for (int layer = 0; layer < spec_.num_layers; ++layer) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      AddAttention(prefix);
      AddMlp(prefix);
    }
    AddVector("output_norm.weight", spec_.hidden_size, 1.0f, 0.3f);
    if (!spec_.tied) AddLinear("output.weight", spec_.vocabulary_size, spec_.hidden_size);
    if (spec_.rope_factors) AddVector("rope_freqs.weight", rope_dims() / 2, 4.0f, 3.0f);
    if (spec_.add_metadata) spec_.add_metadata(writer_);
    return writer_.Encode();
  }

 private:
  int rope_dims() const { return spec_.rope_dims > 0 ? spec_.rope_dims : spec_.head_size; }

  void AddMetadata() {
    const auto key = [&](const char* name) { return spec_.architecture + "." + name; };
    writer_.SetString("general.architecture", spec_.architecture);
    writer_.SetString("general.name", "random " + spec_.architecture);
    writer_.SetUint32(key("block_count"), spec_.num_layers);
    writer_.SetUint32(key("context_length"), spec_.context_length);
    writer_.SetUint32(key("embedding_length"), spec_.hidden_size);
    writer_.SetUint32(key("feed_forward_length"), spec_.intermediate_size);
    writer_.SetUint32(key("attention.head_count"), spec_.num_heads);
    writer_.SetUint32(key("attention.head_count_kv"), spec_.num_kv_heads);
    writer_.SetUint32(key("attention.key_length"), spec_.head_size);
    writer_.SetUint32(key("attention.value_length"), spec_.head_size);
    writer_.SetFloat32(key("attention.layer_norm_rms_epsilon"), 1e-5f);
    writer_.SetUint32(key("rope.dimension_count"), rope_dims());
    writer_.SetFloat32(key("rope.freq_base"), spec_.rope_freq_base);
    writer_.SetUint32(key("vocab_size"), spec_.vocabulary_size);
    if (spec_.rope_linear_factor > 0.0f) {
      writer_.SetString(key("rope.scaling.type"), "linear");
      writer_.SetFloat32(key("rope.scaling.factor"), spec_.rope_linear_factor);
    }
  }

  void AddAttention(const std::string& prefix) {
    const int hidden = spec_.hidden_size;
    const int queries = spec_.num_heads * spec_.head_size;
    const int keys = spec_.num_kv_heads * spec_.head_size;
    AddVector(prefix + "attn_norm.weight", hidden, 1.0f, 0.3f);
    AddLinear(prefix + "attn_q.weight", queries, hidden);
    AddLinear(prefix + "attn_k.weight", keys, hidden);
    AddLinear(prefix + "attn_v.weight", keys, hidden);
    AddLinear(prefix + "attn_output.weight", hidden, queries);
    if (Has(architecture_->qkv_bias)) {
      AddVector(prefix + "attn_q.bias", queries, 0.0f, 0.5f);
      AddVector(prefix + "attn_k.bias", keys, 0.0f, 0.5f);
      AddVector(prefix + "attn_v.bias", keys, 0.0f, 0.5f);
    }
    if (Has(architecture_->attention_output_bias)) {
      AddVector(prefix + "attn_output.bias", hidden, 0.0f, 0.5f);
    }
    if (Has(architecture_->head_norms)) {
      AddVector(prefix + "attn_q_norm.weight", spec_.head_size, 1.0f, 0.3f);
      AddVector(prefix + "attn_k_norm.weight", spec_.head_size, 1.0f, 0.3f);
    }
  }

  void AddMlp(const std::string& prefix) {
    AddVector(prefix + "ffn_norm.weight", spec_.hidden_size, 1.0f, 0.3f);
    AddLinear(prefix + "ffn_gate.weight", spec_.intermediate_size, spec_.hidden_size);
    AddLinear(prefix + "ffn_up.weight", spec_.intermediate_size, spec_.hidden_size);
    AddLinear(prefix + "ffn_down.weight", spec_.hidden_size, spec_.intermediate_size);
  }

  bool Has(Presence presence) const {
    return presence == Presence::kRequired ||
           (presence == Presence::kOptional && spec_.optional_biases);
  }

  // Weights that keep the variance of what passes through them.
  void AddLinear(const std::string& name, int rows, int columns) {
    AddMatrix(name, rows, columns, std::sqrt(3.0f / static_cast<float>(columns)));
  }

  void AddMatrix(const std::string& name, int rows, int columns, float scale) {
    const Matrix shape{nullptr, *ToWeightType(static_cast<uint32_t>(spec_.matrix_type)), rows,
                       columns};
    std::vector<std::byte> data(shape.bytes());
    std::vector<float> row(columns);
    for (int r = 0; r < rows; ++r) {
      for (float& value : row) value = scale * random_.Next();
      EncodeRow(row, shape.type, data.data() + r * shape.row_bytes());
    }
    const uint64_t dims[] = {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)};
    writer_.AddTensor(name, static_cast<uint32_t>(spec_.matrix_type), dims, data);
  }

  void AddVector(const std::string& name, int size, float center, float spread) {
    std::vector<float> values(size);
    for (float& value : values) value = center + spread * random_.Next();
    const uint64_t dims[] = {static_cast<uint64_t>(size)};
    writer_.AddTensor(name, static_cast<uint32_t>(TensorType::kF32), dims,
                      std::as_bytes(std::span(values)));
  }

  const TestModelSpec& spec_;
  const Architecture* architecture_;
  Random random_;
  GgufWriter writer_;
};

}  // namespace

std::vector<std::byte> MakeRandomModel(const TestModelSpec& spec) { return Builder(spec).Build(); }

std::shared_ptr<const Model> LoadRandomModel(const TestModelSpec& spec) {
  struct Holder {
    std::vector<std::byte> bytes;
    std::shared_ptr<const Model> model;
  };
  auto holder = std::make_shared<Holder>();
  holder->bytes = MakeRandomModel(spec);
  auto file = GgufFile::Parse(holder->bytes, "random-" + spec.architecture + ".gguf");
  AIO_CHECK(file.ok(), file.status().ToString().c_str());
  auto model = Model::Load(std::move(file).value());
  AIO_CHECK(model.ok(), model.status().ToString().c_str());
  holder->model = std::move(model).value();
  const Model* loaded = holder->model.get();
  return {std::move(holder), loaded};
}

}  // namespace aio
