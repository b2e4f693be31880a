#include "model/testing/reference_forward.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/check.h"

namespace aio {
namespace {

using Vector = std::vector<double>;

// Half precision by its definition: (-1)^s * 2^(e - 15) * (1 + m / 1024).
double DecodeHalf(const std::byte* at) {
  uint16_t bits;
  std::memcpy(&bits, at, sizeof(bits));
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 31;
  const double mantissa = bits & 1023;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024.0 + mantissa, exponent - 25);
}

// bfloat16: the upper half of a float.
double DecodeBf16(const std::byte* at) {
  std::byte bytes[4] = {std::byte{0}, std::byte{0}, at[0], at[1]};
  float value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

int Byte(const std::byte* at) { return std::to_integer<int>(*at); }

// The four- to six-bit types, a value at a time.
double DecodeQuantized(const GgufTensor& tensor, uint64_t index) {
  const auto type = static_cast<TensorType>(tensor.type);
  const std::byte* data = tensor.data.data();
  if (type == TensorType::kQ4_0) {
    const std::byte* block = data + index / 32 * 18;
    const int i = static_cast<int>(index % 32);
    const int byte = Byte(block + 2 + i % 16);
    return DecodeHalf(block) * ((i < 16 ? byte & 15 : byte >> 4) - 8);
  }
  const int i = static_cast<int>(index % 256);
  const int run = i / 32;  // of 32 values
  if (type == TensorType::kQ6_K) {
    const std::byte* block = data + index / 256 * 210;
    const int half = i / 128;
    const int quarter = i % 128 / 32;
    const int low = Byte(block + 64 * half + i % 32 + 32 * (quarter % 2)) >> (4 * (quarter / 2));
    const int high = Byte(block + 128 + 32 * half + i % 32) >> (2 * quarter);
    const int code = (low & 15) + 16 * (high & 3) - 32;
    return DecodeHalf(block + 208) * static_cast<int8_t>(block[192 + i / 16]) * code;
  }
  const bool five = type == TensorType::kQ5_K;
  AIO_CHECK(five || type == TensorType::kQ4_K, "the reference cannot decode this type");
  const std::byte* block = data + index / 256 * (five ? 176 : 144);
  const std::byte* scales = block + 4;
  const int low = Byte(block + (five ? 48 : 16) + i / 64 * 32 + i % 32) >> (4 * (run % 2));
  const int code = (low & 15) + (five ? 16 * (Byte(block + 16 + i % 32) >> run & 1) : 0);
  int scale = Byte(scales + run) & 63;
  int offset = Byte(scales + run + 4) & 63;
  if (run >= 4) {
    scale = (Byte(scales + run + 4) & 15) + 16 * (Byte(scales + run - 4) >> 6);
    offset = (Byte(scales + run + 4) >> 4) + 16 * (Byte(scales + run) >> 6);
  }
  return DecodeHalf(block) * scale * code - DecodeHalf(block + 2) * offset;
}

double DecodeValue(const GgufTensor& tensor, uint64_t index) {
  const std::byte* data = tensor.data.data();
  switch (static_cast<TensorType>(tensor.type)) {
    case TensorType::kF32: {
      float value;
      std::memcpy(&value, data + 4 * index, sizeof(value));
      return value;
    }
    case TensorType::kF16:
      return DecodeHalf(data + 2 * index);
    case TensorType::kBF16:
      return DecodeBf16(data + 2 * index);
    case TensorType::kQ8_0: {
      const std::byte* block = data + index / 32 * 34;
      return DecodeHalf(block) * static_cast<int8_t>(block[2 + index % 32]);
    }
    default:
      return DecodeQuantized(tensor, index);
  }
}

// Sizes of the model, read straight from the metadata.
class Reference {
 public:
  explicit Reference(const GgufFile& file) : file_(file) {
    architecture_ = file.GetString("general.architecture").value();
    layers_ = Int("block_count");
    heads_ = Int("attention.head_count");
    kv_heads_ = Int("attention.head_count_kv");
    head_size_ = Int("attention.key_length");
    rope_dims_ = Int("rope.dimension_count");
    epsilon_ = Float("attention.layer_norm_rms_epsilon");
    freq_base_ = Float("rope.freq_base");
    const std::string factor = Key("rope.scaling.factor");
    if (file.FindValue(factor) != nullptr) linear_factor_ = file.GetFloat(factor).value();
  }

  std::vector<Vector> Run(std::span<const int32_t> tokens) {
    std::vector<Vector> x;
    x.reserve(tokens.size());
    for (const int32_t token : tokens) x.push_back(MatrixRow("token_embd.weight", token));
    for (int layer = 0; layer < layers_; ++layer) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      AddAttention(prefix, x);
      for (Vector& row : x) AddMlp(prefix, row);
    }
    const bool tied = file_.FindTensor("output.weight") == nullptr;
    std::vector<Vector> logits;
    logits.reserve(x.size());
    for (const Vector& row : x) {
      logits.push_back(
          Multiply(tied ? "token_embd.weight" : "output.weight", Norm(row, "output_norm.weight")));
    }
    return logits;
  }

 private:
  std::string Key(const char* key) const { return architecture_ + "." + key; }
  int Int(const char* key) const { return static_cast<int>(file_.GetInt(Key(key)).value()); }
  double Float(const char* key) const { return file_.GetFloat(Key(key)).value(); }

  Vector MatrixRow(const std::string& name, int row) const {
    const GgufTensor& tensor = *file_.FindTensor(name);
    Vector values(tensor.dims[0]);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = DecodeValue(tensor, row * tensor.dims[0] + i);
    }
    return values;
  }

  Vector Multiply(const std::string& name, const Vector& x) const {
    Vector y(file_.FindTensor(name)->dims[1]);
    for (size_t r = 0; r < y.size(); ++r) {
      const Vector row = MatrixRow(name, static_cast<int>(r));
      for (size_t k = 0; k < x.size(); ++k) y[r] += row[k] * x[k];
    }
    return y;
  }

  // W x + b, b if the file has one.
  Vector Linear(const std::string& name, const Vector& x) const {
    Vector y = Multiply(name + ".weight", x);
    if (file_.FindTensor(name + ".bias") == nullptr) return y;
    const Vector bias = MatrixRow(name + ".bias", 0);
    for (size_t i = 0; i < y.size(); ++i) y[i] += bias[i];
    return y;
  }

  Vector Norm(const Vector& x, const std::string& name) const {
    double squares = 0;
    for (const double v : x) squares += v * v;
    const Vector weight = MatrixRow(name, 0);
    Vector y = x;
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] *= weight[i] / std::sqrt(squares / static_cast<double>(x.size()) + epsilon_);
    }
    return y;
  }

  // One vector per head.
  std::vector<Vector> SplitHeads(const Vector& x) const {
    std::vector<Vector> heads;
    for (size_t i = 0; i < x.size(); i += head_size_) {
      heads.emplace_back(x.begin() + i, x.begin() + i + head_size_);
    }
    return heads;
  }

  double Angle(int position, int pair) const {
    double angle = position * std::pow(freq_base_, -2.0 * pair / rope_dims_) / linear_factor_;
    if (file_.FindTensor("rope_freqs.weight") != nullptr) {
      angle /= MatrixRow("rope_freqs.weight", 0)[pair];
    }
    return angle;
  }

  void Rotate(Vector& head, int position) const {
    const int pairs = rope_dims_ / 2;
    for (int i = 0; i < pairs; ++i) {
      const int first = architecture_ == "llama" ? 2 * i : i;
      const int second = architecture_ == "llama" ? 2 * i + 1 : i + pairs;
      const double a = head[first];
      const double b = head[second];
      const double angle = Angle(position, i);
      head[first] = a * std::cos(angle) - b * std::sin(angle);
      head[second] = a * std::sin(angle) + b * std::cos(angle);
    }
  }

  // Heads after the optional per-head norm, rotated for their position.
  std::vector<Vector> RotatedHeads(const Vector& x, const std::string& norm, int position) const {
    std::vector<Vector> heads = SplitHeads(x);
    for (Vector& head : heads) {
      if (file_.FindTensor(norm) != nullptr) head = Norm(head, norm);
      Rotate(head, position);
    }
    return heads;
  }

  void AddAttention(const std::string& prefix, std::vector<Vector>& x) const {
    std::vector<std::vector<Vector>> keys, values;  // [position][kv head]
    for (size_t p = 0; p < x.size(); ++p) {
      const Vector normed = Norm(x[p], prefix + "attn_norm.weight");
      const int position = static_cast<int>(p);
      const std::vector<Vector> queries =
          RotatedHeads(Linear(prefix + "attn_q", normed), prefix + "attn_q_norm.weight", position);
      keys.push_back(
          RotatedHeads(Linear(prefix + "attn_k", normed), prefix + "attn_k_norm.weight", position));
      values.push_back(SplitHeads(Linear(prefix + "attn_v", normed)));
      Vector attended;
      for (int h = 0; h < heads_; ++h) {
        const Vector head = Attend(queries[h], h / (heads_ / kv_heads_), keys, values);
        attended.insert(attended.end(), head.begin(), head.end());
      }
      const Vector delta = Linear(prefix + "attn_output", attended);
      for (size_t i = 0; i < delta.size(); ++i) x[p][i] += delta[i];
    }
  }

  Vector Attend(const Vector& query, int kv_head, const std::vector<std::vector<Vector>>& keys,
                const std::vector<std::vector<Vector>>& values) const {
    Vector scores;
    for (const auto& key : keys) {
      double score = 0;
      for (int i = 0; i < head_size_; ++i) score += query[i] * key[kv_head][i];
      scores.push_back(score / std::sqrt(head_size_));
    }
    const double max = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - max);
    Vector out(head_size_);
    for (size_t p = 0; p < scores.size(); ++p) {
      for (int i = 0; i < head_size_; ++i) out[i] += scores[p] / sum * values[p][kv_head][i];
    }
    return out;
  }

  void AddMlp(const std::string& prefix, Vector& x) const {
    const Vector normed = Norm(x, prefix + "ffn_norm.weight");
    Vector gate = Linear(prefix + "ffn_gate", normed);
    const Vector up = Linear(prefix + "ffn_up", normed);
    for (size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
    const Vector delta = Linear(prefix + "ffn_down", gate);
    for (size_t i = 0; i < delta.size(); ++i) x[i] += delta[i];
  }

  const GgufFile& file_;
  std::string architecture_;
  int layers_ = 0;
  int heads_ = 0;
  int kv_heads_ = 0;
  int head_size_ = 0;
  int rope_dims_ = 0;
  double epsilon_ = 0;
  double freq_base_ = 0;
  double linear_factor_ = 1;
};

}  // namespace

std::vector<std::vector<double>> ReferenceForward(const GgufFile& file,
                                                  std::span<const int32_t> tokens) {
  return Reference(file).Run(tokens);
}

}  // namespace aio
