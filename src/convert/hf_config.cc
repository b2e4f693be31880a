// The names are those of Hugging Face transformers' configuration classes (LlamaConfig,
// MistralConfig, Qwen2Config, Qwen3Config) and of openPangu's configuration_openpangu_dense.py.
#include "convert/hf_config.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "formats/quote.h"

namespace aio {
namespace {

using Json = nlohmann::json;

constexpr int kSizeMax = 1 << 20;
constexpr int kVocabularyMax = 1 << 22;
constexpr int kContextMax = 1 << 24;

struct Family {
  std::string_view hf_name;    // in config.json's "architectures"
  std::string_view gguf_name;  // general.architecture
};
constexpr Family kFamilies[] = {
    {"LlamaForCausalLM", "llama"},
    {"MistralForCausalLM", "llama"},
    {"Qwen2ForCausalLM", "qwen2"},
    {"Qwen3ForCausalLM", "qwen3"},
    {"PanguEmbeddedForCausalLM", "pangu-embedded"},
};

Result<const Architecture*> ReadArchitecture(const JsonObject& json) {
  const Json* names = json.Find("architectures");
  if (names == nullptr || !names->is_array() || names->empty() || !names->front().is_string()) {
    return json.Invalid("architectures", "is missing, or no list of names");
  }
  const auto name = names->front().get<std::string>();
  std::string supported;
  for (const Family& family : kFamilies) {
    if (family.hf_name == name) return FindArchitecture(family.gguf_name);
    supported += (supported.empty() ? "" : ", ") + std::string(family.hf_name);
  }
  return json.Unsupported("architectures", fmt::format("{} is not supported; supported: {}",
                                                       QuoteForMessage(name), supported));
}

// What changes the graph into one that this program does not run.
Status RefuseForeignGraphs(const JsonObject& json) {
  if (const Json* quantized = json.Find("quantization_config")) {
    const JsonObject inner(*quantized, json.where());
    const Result<std::string> method =
        quantized->is_object() ? inner.StringOr("quant_method", "some method") : std::string("?");
    return json.Unsupported(
        "quantization_config",
        fmt::format("the weights are quantised already ({}); start from the original in bfloat16",
                    QuoteForMessage(method.ok() ? *method : "?")));
  }
  AIO_ASSIGN_OR_RETURN(const std::string activation, json.StringOr("hidden_act", "silu"));
  if (activation != "silu" && activation != "swish") {
    return json.Unsupported("hidden_act", fmt::format("{} is not supported; only silu is",
                                                      QuoteForMessage(activation)));
  }
  AIO_ASSIGN_OR_RETURN(const double rotated, json.NumberOr("partial_rotary_factor", 1.0, 0.0, 1.0));
  if (rotated != 1.0) {
    return json.Unsupported("partial_rotary_factor",
                            fmt::format("{} is not supported; only 1 is", rotated));
  }
  return Status::Ok();
}

Status ReadSizes(const JsonObject& json, HfConfig& config) {
  AIO_ASSIGN_OR_RETURN(config.num_layers, json.Int("num_hidden_layers", 1, 1024));
  AIO_ASSIGN_OR_RETURN(config.hidden_size, json.Int("hidden_size", 1, kSizeMax));
  AIO_ASSIGN_OR_RETURN(config.intermediate_size, json.Int("intermediate_size", 1, kSizeMax));
  AIO_ASSIGN_OR_RETURN(config.num_heads, json.Int("num_attention_heads", 1, 1024));
  AIO_ASSIGN_OR_RETURN(config.num_kv_heads,
                       json.IntOr("num_key_value_heads", config.num_heads, 1, config.num_heads));
  if (config.num_heads % config.num_kv_heads != 0) {
    return json.Invalid("num_key_value_heads",
                        fmt::format("{} does not divide num_attention_heads {}",
                                    config.num_kv_heads, config.num_heads));
  }
  if (!json.Has("head_dim") && config.hidden_size % config.num_heads != 0) {
    return json.Invalid("num_attention_heads",
                        fmt::format("{} do not divide hidden_size {}, and there is no head_dim",
                                    config.num_heads, config.hidden_size));
  }
  AIO_ASSIGN_OR_RETURN(config.head_size,
                       json.IntOr("head_dim", config.hidden_size / config.num_heads, 1, 1024));
  if (config.head_size % 2 != 0) {
    return json.Invalid(
        "head_dim", fmt::format("{} is odd; dimensions are rotated in pairs", config.head_size));
  }
  AIO_ASSIGN_OR_RETURN(config.vocabulary_size, json.Int("vocab_size", 1, kVocabularyMax));
  AIO_ASSIGN_OR_RETURN(config.context_length, json.Int("max_position_embeddings", 1, kContextMax));
  AIO_ASSIGN_OR_RETURN(const double epsilon, json.NumberOr("rms_norm_eps", 1e-6, 0.0, 1.0));
  config.rms_norm_epsilon = static_cast<float>(epsilon);
  return Status::Ok();
}

// Qwen's configurations state a window and, apart from it, that it is not used.
Status ReadSlidingWindow(const JsonObject& json, HfConfig& config) {
  AIO_ASSIGN_OR_RETURN(const bool used, json.BoolOr("use_sliding_window", true));
  if (!used) return Status::Ok();
  AIO_ASSIGN_OR_RETURN(config.sliding_window, json.IntOr("sliding_window", 0, 0, kContextMax));
  return Status::Ok();
}

// Llama 3's factor of each pair's wavelength (transformers, _compute_llama3_parameters): long
// waves are slowed by `factor`, short ones not at all, those between in part.
Status ReadLlama3Factors(const JsonObject& scaling, HfConfig& config) {
  AIO_ASSIGN_OR_RETURN(const double factor, scaling.Number("factor", 1.0, 1e6));
  AIO_ASSIGN_OR_RETURN(const double low, scaling.Number("low_freq_factor", 1e-3, 1e6));
  AIO_ASSIGN_OR_RETURN(const double high, scaling.Number("high_freq_factor", 1e-3, 1e6));
  AIO_ASSIGN_OR_RETURN(const int original,
                       scaling.Int("original_max_position_embeddings", 1, kContextMax));
  if (high <= low) {
    return scaling.Invalid("high_freq_factor",
                           fmt::format("{} is not above low_freq_factor {}", high, low));
  }
  if (config.architecture->rope_factors == Presence::kAbsent) {
    return scaling.Unsupported(
        "rope_type", fmt::format("llama3 is not supported for {}", config.architecture->name));
  }
  for (int i = 0; i < config.head_size; i += 2) {
    const double wave =
        2 * std::numbers::pi * std::pow(config.rope_theta, i * 1.0 / config.head_size);
    const double share = (original / wave - low) / (high - low);  // 0: all slowed, 1: not at all
    const double kept = std::clamp(share, 0.0, 1.0);
    config.rope_factors.push_back(static_cast<float>(1.0 / ((1.0 - kept) / factor + kept)));
  }
  return Status::Ok();
}

Status ReadScaling(const JsonObject& scaling, HfConfig& config) {
  AIO_ASSIGN_OR_RETURN(const std::string old_type, scaling.StringOr("type", "default"));
  AIO_ASSIGN_OR_RETURN(const std::string type, scaling.StringOr("rope_type", old_type));
  if (type == "default") return Status::Ok();
  if (type == "llama3") return ReadLlama3Factors(scaling, config);
  if (type != "linear") {
    return scaling.Unsupported(
        "rope_type", fmt::format("{} is not supported; supported: default, linear, llama3. A "
                                 "model that has it only for contexts longer than it was trained "
                                 "with (Qwen's yarn) runs without: remove it from config.json",
                                 QuoteForMessage(type)));
  }
  AIO_ASSIGN_OR_RETURN(const double factor, scaling.Number("factor", 1e-3, 1e6));
  config.rope_linear_factor = static_cast<float>(factor);
  return Status::Ok();
}

// transformers 5 has moved rope_theta into rope_parameters, which was rope_scaling.
Status ReadRope(const JsonObject& json, HfConfig& config) {
  const char* key = json.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const Json* value = json.Find(key);
  if (value != nullptr && !value->is_object()) return json.Invalid(key, "is no object");
  const Json none = Json::object();
  const JsonObject scaling(value == nullptr ? none : *value,
                           fmt::format("{}: {}", json.where(), key));
  AIO_ASSIGN_OR_RETURN(const double outer, json.NumberOr("rope_theta", 10000.0, 1.0, 1e12));
  AIO_ASSIGN_OR_RETURN(const double theta, scaling.NumberOr("rope_theta", outer, 1.0, 1e12));
  config.rope_theta = static_cast<float>(theta);
  return ReadScaling(scaling, config);
}

// A number, or a list of them of which the first is meant.
Result<std::optional<int>> ReadTokenId(const JsonObject& json, std::string_view key) {
  const Json* value = json.Find(key);
  if (value != nullptr && value->is_array() && !value->empty()) value = &value->front();
  if (value == nullptr) return std::optional<int>();
  if (!value->is_number_integer()) return json.Invalid(key, "is no token id");
  const auto id = value->get<int64_t>();
  if (id < 0 || id >= kVocabularyMax) return std::optional<int>();  // -1: none
  return std::optional<int>(static_cast<int>(id));
}

}  // namespace

Result<HfConfig> ReadHfConfig(const JsonObject& json) {
  HfConfig config;
  AIO_ASSIGN_OR_RETURN(config.architecture, ReadArchitecture(json));
  AIO_RETURN_IF_ERROR(RefuseForeignGraphs(json));
  AIO_RETURN_IF_ERROR(ReadSizes(json, config));
  AIO_RETURN_IF_ERROR(ReadSlidingWindow(json, config));
  AIO_RETURN_IF_ERROR(ReadRope(json, config));
  if (json.Has("tie_word_embeddings")) {
    AIO_ASSIGN_OR_RETURN(config.tied, json.BoolOr("tie_word_embeddings", false));
  }
  AIO_ASSIGN_OR_RETURN(config.bos_id, ReadTokenId(json, "bos_token_id"));
  AIO_ASSIGN_OR_RETURN(config.eos_id, ReadTokenId(json, "eos_token_id"));
  AIO_ASSIGN_OR_RETURN(config.padding_id, ReadTokenId(json, "pad_token_id"));
  return config;
}

void WriteHfConfig(const HfConfig& config, GgufWriter& header) {
  const std::string_view architecture = config.architecture->name;
  const auto key = [&](const char* name) { return fmt::format("{}.{}", architecture, name); };
  const auto set = [&](const char* name, int value) {
    header.SetUint32(key(name), static_cast<uint32_t>(value));
  };
  header.SetString("general.architecture", architecture);
  set("block_count", config.num_layers);
  set("context_length", config.context_length);
  set("embedding_length", config.hidden_size);
  set("feed_forward_length", config.intermediate_size);
  set("attention.head_count", config.num_heads);
  set("attention.head_count_kv", config.num_kv_heads);
  set("attention.key_length", config.head_size);
  set("attention.value_length", config.head_size);
  header.SetFloat32(key("attention.layer_norm_rms_epsilon"), config.rms_norm_epsilon);
  if (config.sliding_window > 0) set("attention.sliding_window", config.sliding_window);
  set("rope.dimension_count", config.head_size);
  header.SetFloat32(key("rope.freq_base"), config.rope_theta);
  if (config.rope_linear_factor != 1.0f) {
    header.SetString(key("rope.scaling.type"), "linear");
    header.SetFloat32(key("rope.scaling.factor"), config.rope_linear_factor);
  }
  set("vocab_size", config.vocabulary_size);
}

}  // namespace aio
