#include "model/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "formats/gguf.h"
#include "formats/quote.h"
#include "model/architecture.h"
#include "model/key_reader.h"

namespace aio {
namespace {

// Far above any published model, far below what would overflow a 32-bit product of the
// two that are multiplied (heads and head size).
constexpr int kLayersMax = 1024;
constexpr int kHiddenMax = 1 << 17;
constexpr int kHeadsMax = 1024;
constexpr int kHeadSizeMax = 1024;
constexpr int kIntermediateMax = 1 << 20;
constexpr int kVocabularyMax = 1 << 22;
constexpr int kContextMax = 1 << 24;

Result<const Architecture*> ReadArchitecture(const GgufFile& file) {
  AIO_ASSIGN_OR_RETURN(const std::string_view name, file.GetString("general.architecture"));
  if (const Architecture* found = FindArchitecture(name)) return found;
  std::string supported;
  for (const Architecture& architecture : kArchitectures) {
    supported += (supported.empty() ? "" : ", ") + std::string(architecture.name);
  }
  return Unimplemented(fmt::format("{}: general.architecture: {} is not supported; supported: {}",
                                   file.path(), QuoteForMessage(name), supported));
}

// Keys that, but for one value, change the graph into one this program does not run.
struct ForeignKey {
  std::string_view name;
  double neutral = 0.0;
};
constexpr ForeignKey kForeignKeys[] = {
    {"expert_count"},
    {"attention.clamp_kqv"},
    {"attention.scale"},
    {"attention.max_alibi_bias"},
    {"attn_logit_softcapping"},
    {"final_logit_softcapping"},
    {"logit_scale"},
    {"embedding_scale"},
    {"residual_scale"},
    {"rope.scaling.attn_factor", 1.0},
    {"rope.scaling.alpha"},
};

Status RefuseForeignGraphs(const KeyReader& keys) {
  for (const ForeignKey& key : kForeignKeys) {
    if (!keys.Has(key.name)) continue;
    AIO_ASSIGN_OR_RETURN(const double value, keys.file().GetFloat(keys.Key(key.name)));
    if (value != key.neutral) {
      return keys.Unsupported(
          key.name, fmt::format("{} is not supported; only models without it (or {}) can be run",
                                value, key.neutral));
    }
  }
  if (keys.Has("attention.causal")) {
    AIO_ASSIGN_OR_RETURN(const bool causal, keys.file().GetBool(keys.Key("attention.causal")));
    if (!causal) return keys.Unsupported("attention.causal", "only causal models are supported");
  }
  return Status::Ok();
}

Status ReadSizes(const KeyReader& keys, ModelConfig& config) {
  AIO_ASSIGN_OR_RETURN(config.num_layers, keys.Int("block_count", 1, kLayersMax));
  AIO_ASSIGN_OR_RETURN(config.hidden_size, keys.Int("embedding_length", 1, kHiddenMax));
  AIO_ASSIGN_OR_RETURN(config.intermediate_size,
                       keys.Int("feed_forward_length", 1, kIntermediateMax));
  AIO_ASSIGN_OR_RETURN(config.context_length, keys.Int("context_length", 1, kContextMax));
  // Up to its window, a model with sliding-window attention is one without; so is this
  // one, for no longer than that.
  AIO_ASSIGN_OR_RETURN(const int window, keys.IntOr("attention.sliding_window", 0, 0, kContextMax));
  if (window > 0) config.context_length = std::min(config.context_length, window);
  AIO_ASSIGN_OR_RETURN(config.rms_norm_epsilon,
                       keys.Float("attention.layer_norm_rms_epsilon", 0.0, 1.0));
  return Status::Ok();
}

// attention.key_length, or the hidden size divided among the heads.
Result<int> ReadHeadSize(const KeyReader& keys, const ModelConfig& config) {
  if (keys.Has("attention.key_length")) return keys.Int("attention.key_length", 1, kHeadSizeMax);
  const int head_size = config.hidden_size / config.num_heads;
  if (config.hidden_size % config.num_heads != 0 || head_size > kHeadSizeMax) {
    return keys.Invalid("attention.head_count",
                        fmt::format("{} heads do not divide embedding_length {} into heads of at "
                                    "most {}, and there is no attention.key_length",
                                    config.num_heads, config.hidden_size, kHeadSizeMax));
  }
  return head_size;
}

Status ReadHeads(const KeyReader& keys, ModelConfig& config) {
  AIO_ASSIGN_OR_RETURN(config.num_heads, keys.Int("attention.head_count", 1, kHeadsMax));
  AIO_ASSIGN_OR_RETURN(config.num_kv_heads, keys.IntOr("attention.head_count_kv", config.num_heads,
                                                       1, config.num_heads));
  if (config.num_heads % config.num_kv_heads != 0) {
    return keys.Invalid("attention.head_count_kv",
                        fmt::format("{} does not divide attention.head_count {}",
                                    config.num_kv_heads, config.num_heads));
  }
  AIO_ASSIGN_OR_RETURN(config.head_size, ReadHeadSize(keys, config));
  AIO_ASSIGN_OR_RETURN(const int value_length,
                       keys.IntOr("attention.value_length", config.head_size, 1, kHeadSizeMax));
  if (value_length != config.head_size) {
    return keys.Unsupported("attention.value_length",
                            fmt::format("{} differs from the key length {}, which is not supported",
                                        value_length, config.head_size));
  }
  return Status::Ok();
}

// The token embedding is the truth about the vocabulary; the key, where present, must
// agree with it.
Status ReadVocabulary(const KeyReader& keys, ModelConfig& config) {
  const std::string where = keys.file().path() + ": tensor token_embd.weight: ";
  const GgufTensor* embedding = keys.file().FindTensor("token_embd.weight");
  if (embedding == nullptr || embedding->dims.size() != 2) {
    return InvalidArgument(fmt::format("{}is missing or no matrix; expected [{}, vocabulary]",
                                       where, config.hidden_size));
  }
  const uint64_t rows = embedding->dims[1];
  if (rows < 1 || rows > uint64_t{kVocabularyMax}) {
    return InvalidArgument(fmt::format("{}a vocabulary of {} is out of range; expected 1 to {}",
                                       where, rows, kVocabularyMax));
  }
  const int size = static_cast<int>(rows);
  AIO_ASSIGN_OR_RETURN(config.vocabulary_size, keys.IntOr("vocab_size", size, 1, kVocabularyMax));
  if (config.vocabulary_size != size) {
    return keys.Invalid("vocab_size",
                        fmt::format("{} differs from the rows of token_embd.weight, {}",
                                    config.vocabulary_size, size));
  }
  return Status::Ok();
}

// Linear scaling, or none. A factor without a type means linear, as writers of old files
// assumed, who also called it rope.scale_linear; 0 means none.
Status ReadRopeScaling(const KeyReader& keys, ModelConfig& config) {
  std::string_view type = "linear";
  if (keys.Has("rope.scaling.type")) {
    AIO_ASSIGN_OR_RETURN(type, keys.file().GetString(keys.Key("rope.scaling.type")));
  }
  if (type != "none" && type != "linear") {
    return keys.Unsupported("rope.scaling.type",
                            QuoteForMessage(type) +
                                " is not supported; supported: none, linear (and Llama 3's, "
                                "through rope_freqs.weight)");
  }
  AIO_ASSIGN_OR_RETURN(const float old_factor, keys.FloatOr("rope.scale_linear", 1.0f, 0.0, 1e6));
  AIO_ASSIGN_OR_RETURN(float factor, keys.FloatOr("rope.scaling.factor", old_factor, 0.0, 1e6));
  // Linear scaling does not need it; a damaged one still shows that the file is.
  AIO_RETURN_IF_ERROR(
      keys.IntOr("rope.scaling.original_context_length", 0, 0, kContextMax).status());
  if (type == "none" || factor == 0.0f) factor = 1.0f;
  if (factor < 1e-3f) {
    return keys.Invalid("rope.scaling.factor",
                        fmt::format("{} is out of range; expected 0.001 to 1e6", factor));
  }
  config.rope_scale = 1.0f / factor;
  return Status::Ok();
}

// Llama 3's factor for each frequency, which converters store as a tensor.
Status ReadRopeFactors(const GgufFile& file, ModelConfig& config) {
  const size_t pairs = static_cast<size_t>(config.rope_dims) / 2;
  config.rope_factors.assign(pairs, 1.0f);
  const GgufTensor* factors = file.FindTensor("rope_freqs.weight");
  if (factors == nullptr) return Status::Ok();
  const std::string where = file.path() + ": tensor rope_freqs.weight: ";
  if (FindArchitecture(config.architecture)->rope_factors == Presence::kAbsent) {
    return Unimplemented(where + "is not supported for architecture " + config.architecture);
  }
  if (factors->type != static_cast<uint32_t>(TensorType::kF32) || factors->dims.size() != 1 ||
      factors->dims[0] != pairs || factors->data.size() != pairs * sizeof(float)) {
    return InvalidArgument(fmt::format("{}expected F32 [{}], found {} with {} values", where, pairs,
                                       TensorTypeName(factors->type), factors->elements));
  }
  std::memcpy(config.rope_factors.data(), factors->data.data(), factors->data.size());
  for (const float factor : config.rope_factors) {
    if (!(factor >= 1e-6f && factor <= 1e6f)) {
      return InvalidArgument(
          fmt::format("{}value {} is out of range; expected 1e-6 to 1e6", where, factor));
    }
  }
  return Status::Ok();
}

Status ReadRope(const KeyReader& keys, ModelConfig& config) {
  AIO_ASSIGN_OR_RETURN(config.rope_freq_base, keys.FloatOr("rope.freq_base", 10000.0f, 1.0, 1e12));
  AIO_ASSIGN_OR_RETURN(config.rope_dims,
                       keys.IntOr("rope.dimension_count", config.head_size, 2, config.head_size));
  if (config.rope_dims % 2 != 0) {
    return keys.Invalid(
        "rope.dimension_count",
        fmt::format("{} is odd; dimensions are rotated in pairs", config.rope_dims));
  }
  AIO_RETURN_IF_ERROR(ReadRopeScaling(keys, config));
  return ReadRopeFactors(keys.file(), config);
}

// general.name, or the file's name without its folder.
std::string ReadName(const GgufFile& file) {
  const Result<std::string_view> name = file.GetString("general.name");
  if (name.ok() && !name->empty()) return std::string(name->substr(0, 256));
  return file.path().substr(file.path().find_last_of('/') + 1);
}

}  // namespace

Result<ModelConfig> ReadModelConfig(const GgufFile& file) {
  AIO_ASSIGN_OR_RETURN(const Architecture* architecture, ReadArchitecture(file));
  ModelConfig config;
  config.architecture = architecture->name;
  config.name = ReadName(file);
  config.rope_pairing = architecture->rope_pairing;
  const KeyReader keys(file, config.architecture);
  AIO_RETURN_IF_ERROR(RefuseForeignGraphs(keys));
  AIO_RETURN_IF_ERROR(ReadSizes(keys, config));
  AIO_RETURN_IF_ERROR(ReadHeads(keys, config));
  AIO_RETURN_IF_ERROR(ReadVocabulary(keys, config));
  AIO_RETURN_IF_ERROR(ReadRope(keys, config));
  return config;
}

}  // namespace aio
