#include "app/check_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "model/config.h"
#include "tokenizer/compare_vocabularies.h"

namespace aio {

namespace {

// "num_layers is 8, not 6"; empty if the shapes are the same.
std::string ShapeDifference(const ModelConfig& own, const ModelConfig& variant) {
  std::string text;
  const auto compare = [&](std::string_view field, const auto& is, const auto& should_be) {
    if (text.empty() && is != should_be)
      text = fmt::format("{} is {}, not {}", field, is, should_be);
  };
  compare("architecture", variant.architecture, own.architecture);
  compare("number of layers", variant.num_layers, own.num_layers);
  compare("hidden size", variant.hidden_size, own.hidden_size);
  compare("number of heads", variant.num_heads, own.num_heads);
  compare("number of KV heads", variant.num_kv_heads, own.num_kv_heads);
  compare("head size", variant.head_size, own.head_size);
  compare("intermediate size", variant.intermediate_size, own.intermediate_size);
  compare("vocabulary size", variant.vocabulary_size, own.vocabulary_size);
  compare("context length", variant.context_length, own.context_length);
  compare("RMS norm epsilon", variant.rms_norm_epsilon, own.rms_norm_epsilon);
  compare("RoPE dimensions", variant.rope_dims, own.rope_dims);
  compare("RoPE base", variant.rope_freq_base, own.rope_freq_base);
  compare("RoPE scale", variant.rope_scale, own.rope_scale);
  if (text.empty() && variant.rope_factors != own.rope_factors) text = "the RoPE factors differ";
  return text;
}

// Eight bits a weight and the scales: Q8_0 among the types that a model can have.
bool IsEightBit(uint32_t type) {
  constexpr double kBitsMin = 8, kBitsMax = 9;
  const auto block = FindTensorBlock(type);
  if (!block) return false;
  const double bits = 8.0 * block->bytes / block->elements;
  return bits >= kBitsMin && bits <= kBitsMax;
}

// Of the layers: where a file's output and embedding have more bits, its steps still read mostly
// eight.
std::string MatrixThatIsNotEightBit(const GgufFile& file) {
  for (const GgufTensor& tensor : file.tensors()) {
    if (!tensor.name.starts_with("blk.") || tensor.dims.size() < 2) continue;
    if (!IsEightBit(tensor.type)) {
      return fmt::format("{} is {}, not Q8_0", tensor.name, TensorTypeName(tensor.type));
    }
  }
  return "";
}

// False only where both are as exact as the model has them.
bool MayHaveSameNorm(const GgufFile& own, const GgufFile& variant) {
  constexpr std::string_view kNorm = "output_norm.weight";
  const GgufTensor* a = own.FindTensor(kNorm);
  const GgufTensor* b = variant.FindTensor(kNorm);
  constexpr auto kF32 = static_cast<uint32_t>(TensorType::kF32);
  if (a == nullptr || b == nullptr || a->type != kF32 || b->type != kF32) return true;
  return std::equal(a->data.begin(), a->data.end(), b->data.begin(), b->data.end());
}

// Empty if both give the same ids for every text.
std::string TokenizerDifference(const Tokenizer& first, const Tokenizer& second) {
  if (first.fingerprint() == second.fingerprint()) return "";
  const Status difference = CompareVocabularies(first, second);
  if (!difference.ok()) return difference.message();
  return "the tokens are the same, but not how text becomes them (merges, scores, markers or the "
         "beginning of sequence)";
}

}  // namespace

Status CheckIsW8A16Of(const GgufFile& own, const GgufFile& variant) {
  AIO_ASSIGN_OR_RETURN(const ModelConfig config, ReadModelConfig(own));
  AIO_ASSIGN_OR_RETURN(const ModelConfig variant_config, ReadModelConfig(variant));
  std::string difference = ShapeDifference(config, variant_config);
  if (difference.empty()) difference = MatrixThatIsNotEightBit(variant);
  if (difference.empty() && !MayHaveSameNorm(own, variant)) {
    difference = "output_norm.weight differs, which quantising leaves as it is";
  }
  if (difference.empty()) return Status::Ok();
  return InvalidArgument(
      fmt::format("{}: is not the model in {} with 8-bit weights: {}; make it "
                  "with `aio quantize --type q8_0`",
                  variant.path(), own.path(), difference));
}

Status CheckSameTokenizer(const Tokenizer& own, const Tokenizer& variant,
                          const std::string& variant_path) {
  const std::string difference = TokenizerDifference(variant, own);
  if (difference.empty()) return Status::Ok();
  return InvalidArgument(
      fmt::format("{}: has another tokenizer than the model it is a variant of: "
                  "{}",
                  variant_path, difference));
}

Status CheckCanDraft(const EmbeddedModel& draft, const EmbeddedModel& target) {
  const std::string difference = TokenizerDifference(*draft.tokenizer, *target.tokenizer);
  if (difference.empty()) return Status::Ok();
  return InvalidArgument(fmt::format("'{}' cannot draft for '{}', their vocabularies differ: {}",
                                     draft.name, target.name, difference));
}

}  // namespace aio
