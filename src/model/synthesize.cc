#include "model/synthesize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "formats/gguf_writer.h"
#include "formats/tensor_type.h"
#include "kernels/half.h"
#include "model/architecture.h"
#include "model/tensor_types.h"

namespace aio {
namespace {

constexpr ModelShape kShapes[] = {
    {"openpangu-1b", "pangu-embedded", 26, 1536, 12, 6, 128, 6144, 153376, 32768, 4e6f, 1e-5f,
     true},
    {"openpangu-7b", "pangu-embedded", 34, 4096, 32, 8, 128, 12800, 153376, 32768, 16e6f, 1e-5f,
     false},
    {"llama-3.2-1b", "llama", 16, 2048, 32, 8, 64, 8192, 128256, 131072, 5e5f, 1e-5f, true},
    {"llama-3.2-3b", "llama", 28, 3072, 24, 8, 128, 8192, 128256, 131072, 5e5f, 1e-5f, true},
    {"llama-2-7b", "llama", 32, 4096, 32, 32, 128, 11008, 32000, 4096, 1e4f, 1e-5f, false},
    {"llama-3.1-8b", "llama", 32, 4096, 32, 8, 128, 14336, 128256, 131072, 5e5f, 1e-5f, false},
    {"llama-3.1-70b", "llama", 80, 8192, 64, 8, 128, 28672, 128256, 131072, 5e5f, 1e-5f, false},
    {"qwen2.5-0.5b", "qwen2", 24, 896, 14, 2, 64, 4864, 151936, 32768, 1e6f, 1e-6f, true},
    {"qwen2.5-1.5b", "qwen2", 28, 1536, 12, 2, 128, 8960, 151936, 32768, 1e6f, 1e-6f, true},
    {"qwen2.5-7b", "qwen2", 28, 3584, 28, 4, 128, 18944, 152064, 32768, 1e6f, 1e-6f, false},
    {"qwen2.5-14b", "qwen2", 48, 5120, 40, 8, 128, 13824, 152064, 32768, 1e6f, 1e-6f, false},
    {"qwen2.5-32b", "qwen2", 64, 5120, 40, 8, 128, 27648, 152064, 32768, 1e6f, 1e-6f, false},
    {"qwen2.5-72b", "qwen2", 80, 8192, 64, 8, 128, 29568, 152064, 32768, 1e6f, 1e-6f, false},
    {"qwen3-0.6b", "qwen3", 28, 1024, 16, 8, 128, 3072, 151936, 40960, 1e6f, 1e-6f, true},
    {"qwen3-1.7b", "qwen3", 28, 2048, 16, 8, 128, 6144, 151936, 40960, 1e6f, 1e-6f, true},
    {"qwen3-8b", "qwen3", 36, 4096, 32, 8, 128, 12288, 151936, 40960, 1e6f, 1e-6f, false},
    {"qwen3-32b", "qwen3", 64, 5120, 64, 8, 128, 25600, 151936, 40960, 1e6f, 1e-6f, false},
};

// SplitMix64 (Steele, Lea and Flood 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

// FNV-1a: a tensor's weights depend on its name, not on the order of the file.
uint64_t Hash(std::string_view text, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325 ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// Encoded weights, uniform within +-amplitude: floats by a table of 65,536 of them (7
// billion are wanted in seconds), quantised ones as random codes under fitting scales.
class WeightMaker {
 public:
  WeightMaker(WeightType type, float amplitude, uint64_t seed)
      : type_(type), block_(BlockOf(type)), amplitude_(amplitude), random_(seed) {
    if (IsQuantized(type)) return;
    table_.resize(size_t{65536} * static_cast<size_t>(block_.bytes));
    for (int i = 0; i < 65536; ++i) {
      const float value = amplitude * ((static_cast<float>(i) + 0.5f) / 32768.0f - 1.0f);
      EncodeRow({&value, 1}, type, table_.data() + static_cast<size_t>(i) * block_.bytes);
    }
  }

  // Whole blocks.
  void Fill(std::span<std::byte> out) {
    switch (type_) {
      case WeightType::kF32:
        return FillFloats<uint32_t>(out);
      case WeightType::kF16:
      case WeightType::kBF16:
        return FillFloats<uint16_t>(out);
      default:
        return FillBlocks(out);
    }
  }

 private:
  template <typename Value>
  void FillFloats(std::span<std::byte> out) {
    const auto* table = reinterpret_cast<const Value*>(table_.data());
    uint64_t bits = 0;
    for (size_t i = 0; i < out.size() / sizeof(Value); ++i) {
      bits = i % 4 == 0 ? random_.Next() : bits >> 16;
      std::memcpy(out.data() + i * sizeof(Value), table + (bits & 0xffff), sizeof(Value));
    }
  }

  void FillBlocks(std::span<std::byte> out) {
    size_t i = 0;
    for (; i + 8 <= out.size(); i += 8) {
      const uint64_t bits = random_.Next();
      std::memcpy(out.data() + i, &bits, 8);
    }
    for (; i < out.size(); ++i) out[i] = static_cast<std::byte>(random_.Next());
    for (size_t b = 0; b < out.size(); b += static_cast<size_t>(block_.bytes)) {
      SetScales(out.data() + b);
    }
  }

  static void PutHalf(float value, std::byte* out) {
    const uint16_t bits = F32ToF16(value);
    std::memcpy(out, &bits, sizeof(bits));
  }

  // The codes are random; what turns them into weights is set so that they span the range.
  void SetScales(std::byte* block) const {
    switch (type_) {
      case WeightType::kQ8_0:
        return PutHalf(amplitude_ / 127.0f, block);
      case WeightType::kQ4_0:
        return PutHalf(amplitude_ / 8.0f, block);
      case WeightType::kQ4_K:
      case WeightType::kQ5_K: {
        // Every scale and offset is 63: bytes 0..7 hold their low six and, above, the two
        // high bits of the last four.
        const float middle = type_ == WeightType::kQ4_K ? 7.5f : 15.5f;
        PutHalf(amplitude_ / middle / 63.0f, block);
        PutHalf(amplitude_ / 63.0f, block + 2);
        std::memset(block + 4, 0xff, 12);
        return;
      }
      case WeightType::kQ6_K:
        PutHalf(amplitude_ / 32.0f / 64.0f, block + 208);
        std::memset(block + 192, 64, 16);
        return;
      default:
        return;
    }
  }

  const WeightType type_;
  const WeightBlock block_;
  const float amplitude_;
  Random random_;
  std::vector<std::byte> table_;
};

// --- The vocabulary: all bytes, pairs of letters as merges, then words nobody writes.

// The printable stand-ins of GPT-2's byte-level BPE.
std::vector<std::string> ByteTokens() {
  std::vector<std::string> tokens;
  uint32_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173 && byte <= 255);
    const uint32_t code = printable ? byte : next++;
    std::string text;
    if (code < 128) {
      text += static_cast<char>(code);
    } else {
      text += static_cast<char>(0xc0 | code >> 6);
      text += static_cast<char>(0x80 | (code & 63));
    }
    tokens.push_back(text);
  }
  return tokens;
}

void AddVocabulary(int size, GgufWriter& writer) {
  constexpr std::string_view kEnd = "<|endoftext|>";
  std::vector<std::string> tokens = ByteTokens();
  std::vector<std::string> merges;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      merges.push_back({a, ' ', b});
      tokens.push_back({a, b});
    }
  }
  while (static_cast<int>(tokens.size()) < size - 1) {
    tokens.push_back(fmt::format("\u0120w{}", tokens.size()));  // U+0120 stands for a space
  }
  tokens.emplace_back(kEnd);
  constexpr int32_t kNormal = 1;
  constexpr int32_t kControl = 3;
  std::vector<int32_t> types(tokens.size(), kNormal);
  types.back() = kControl;
  writer.SetString("tokenizer.ggml.model", "gpt2");
  writer.SetString("tokenizer.ggml.pre", "gpt-2");
  writer.SetStringArray("tokenizer.ggml.tokens", tokens);
  writer.SetInt32Array("tokenizer.ggml.token_type", types);
  writer.SetStringArray("tokenizer.ggml.merges", merges);
  const auto end = static_cast<uint32_t>(tokens.size() - 1);
  writer.SetUint32("tokenizer.ggml.bos_token_id", end);
  writer.SetUint32("tokenizer.ggml.eos_token_id", end);
  writer.SetBool("tokenizer.ggml.add_bos_token", false);
}

void AddMetadata(const ModelShape& shape, WeightType type, GgufWriter& writer) {
  const auto key = [&](const char* name) { return fmt::format("{}.{}", shape.architecture, name); };
  const auto number = [](int value) { return static_cast<uint32_t>(value); };
  writer.SetString("general.architecture", shape.architecture);
  writer.SetString("general.name", fmt::format("{} shape, random weights", shape.name));
  writer.SetUint32("general.file_type", GgufFileType(type));
  writer.SetUint32(key("block_count"), number(shape.num_layers));
  writer.SetUint32(key("context_length"), number(shape.context_length));
  writer.SetUint32(key("embedding_length"), number(shape.hidden_size));
  writer.SetUint32(key("feed_forward_length"), number(shape.intermediate_size));
  writer.SetUint32(key("attention.head_count"), number(shape.num_heads));
  writer.SetUint32(key("attention.head_count_kv"), number(shape.num_kv_heads));
  writer.SetUint32(key("attention.key_length"), number(shape.head_size));
  writer.SetUint32(key("attention.value_length"), number(shape.head_size));
  writer.SetFloat32(key("attention.layer_norm_rms_epsilon"), shape.rms_norm_epsilon);
  writer.SetUint32(key("rope.dimension_count"), number(shape.head_size));
  writer.SetFloat32(key("rope.freq_base"), shape.rope_freq_base);
  writer.SetUint32(key("vocab_size"), number(shape.vocabulary_size));
  AddVocabulary(shape.vocabulary_size, writer);
}

// --- The tensors.

class Synthesizer {
 public:
  Synthesizer(const ModelShape& shape, WeightType type, uint64_t seed)
      : shape_(shape),
        architecture_(*FindArchitecture(shape.architecture)),
        type_(type),
        seed_(seed) {}

  void Declare(GgufWriter& writer) {
    const int hidden = shape_.hidden_size;
    const int queries = shape_.num_heads * shape_.head_size;
    const int keys = shape_.num_kv_heads * shape_.head_size;
    const bool qkv_bias = architecture_.qkv_bias == Presence::kRequired;
    const bool output_bias = architecture_.attention_output_bias == Presence::kRequired;
    const bool head_norms = architecture_.head_norms == Presence::kRequired;
    Matrix("token_embd.weight", shape_.vocabulary_size, hidden, writer);
    for (int i = 0; i < shape_.num_layers; ++i) {
      const auto name = [&](const char* part) { return fmt::format("blk.{}.{}", i, part); };
      Ones(name("attn_norm.weight"), hidden, writer);
      Linear(name("attn_q"), queries, hidden, qkv_bias, writer);
      Linear(name("attn_k"), keys, hidden, qkv_bias, writer);
      Linear(name("attn_v"), keys, hidden, qkv_bias, writer);
      Linear(name("attn_output"), hidden, queries, output_bias, writer);
      if (head_norms) {
        Ones(name("attn_q_norm.weight"), shape_.head_size, writer);
        Ones(name("attn_k_norm.weight"), shape_.head_size, writer);
      }
      Ones(name("ffn_norm.weight"), hidden, writer);
      Linear(name("ffn_gate"), shape_.intermediate_size, hidden, false, writer);
      Linear(name("ffn_up"), shape_.intermediate_size, hidden, false, writer);
      Linear(name("ffn_down"), hidden, shape_.intermediate_size, false, writer);
    }
    Ones("output_norm.weight", hidden, writer);
    if (!shape_.tied) Matrix("output.weight", shape_.vocabulary_size, hidden, writer);
  }

  int64_t matrix_bytes() const { return matrix_bytes_; }
  int unfit_columns() const { return unfit_columns_; }

  Status Write(std::string_view name, const GgufWriter::Put& put,
               const std::function<void(int64_t)>& wrote) const {
    const Declared& tensor = *std::find_if(declared_.begin(), declared_.end(),
                                           [&](const Declared& d) { return d.name == name; });
    // Keeps the variance of what passes through it.
    const float amplitude = std::sqrt(3.0f / static_cast<float>(tensor.columns));
    WeightMaker maker(type_, amplitude, Hash(name, seed_));
    const aio::Matrix rows{nullptr, type_, tensor.rows, tensor.columns};
    constexpr size_t kPieceBytes = size_t{8} << 20;
    const auto piece = static_cast<int>(std::max<size_t>(1, kPieceBytes / rows.row_bytes()));
    std::vector<std::byte> bytes;
    for (int row = 0; row < tensor.rows; row += piece) {
      bytes.resize(rows.row_bytes() * static_cast<size_t>(std::min(piece, tensor.rows - row)));
      maker.Fill(bytes);
      AIO_RETURN_IF_ERROR(put(bytes));
      wrote(static_cast<int64_t>(bytes.size()));
    }
    return Status::Ok();
  }

 private:
  struct Declared {
    std::string name;
    int rows;
    int columns;
  };

  void Matrix(const std::string& name, int rows, int columns, GgufWriter& writer) {
    declared_.push_back({name, rows, columns});
    matrix_bytes_ += static_cast<int64_t>(aio::Matrix{nullptr, type_, rows, columns}.bytes());
    if (columns % BlockOf(type_).values != 0) unfit_columns_ = columns;
    if (unfit_columns_ != 0) return;  // Synthesize() refuses
    const uint64_t dims[] = {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)};
    writer.DeclareTensor(name, static_cast<uint32_t>(ToTensorType(type_)), dims);
  }
  void Linear(const std::string& name, int rows, int columns, bool bias, GgufWriter& writer) {
    Matrix(name + ".weight", rows, columns, writer);
    if (bias) Vector(name + ".bias", std::vector<float>(rows, 0.0f), writer);
  }
  void Ones(const std::string& name, int size, GgufWriter& writer) {
    Vector(name, std::vector<float>(size, 1.0f), writer);
  }
  void Vector(const std::string& name, const std::vector<float>& values, GgufWriter& writer) {
    const uint64_t dims[] = {values.size()};
    writer.AddTensor(name, static_cast<uint32_t>(TensorType::kF32), dims,
                     std::as_bytes(std::span(values)));
  }

  const ModelShape& shape_;
  const Architecture& architecture_;
  const WeightType type_;
  const uint64_t seed_;
  std::vector<Declared> declared_;
  int64_t matrix_bytes_ = 0;
  int unfit_columns_ = 0;  // columns of a matrix that is not whole blocks; 0: none
};

}  // namespace

std::span<const ModelShape> KnownShapes() { return kShapes; }

const ModelShape* FindShape(std::string_view name) {
  for (const ModelShape& shape : kShapes) {
    if (shape.name == name) return &shape;
  }
  return nullptr;
}

Status Synthesize(const ModelShape& shape, WeightType type, uint64_t seed, const std::string& path,
                  const std::function<void(int64_t, int64_t)>& progress) {
  GgufWriter writer;
  AddMetadata(shape, type, writer);
  Synthesizer synthesizer(shape, type, seed);
  synthesizer.Declare(writer);
  if (synthesizer.unfit_columns() != 0) {
    return InvalidArgument(fmt::format(
        "{} has rows of {} weights, which are not whole blocks of {} "
        "({} weights); choose another type",
        shape.name, synthesizer.unfit_columns(), WeightTypeName(type), BlockOf(type).values));
  }
  int64_t done = 0;
  return writer.WriteFile(path, [&](std::string_view name, const GgufWriter::Put& put) {
    return synthesizer.Write(name, put, [&](int64_t bytes) {
      done += bytes;
      if (progress) progress(done, synthesizer.matrix_bytes());
    });
  });
}

}  // namespace aio
