#include "convert/hf_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <set>
#include <utility>

#include "convert/json_file.h"
#include "formats/quote.h"

namespace aio {
namespace {

constexpr char kSingleFile[] = "/model.safetensors";
constexpr char kIndexFile[] = "/model.safetensors.index.json";

std::optional<WeightType> ToWeightType(std::string_view dtype) {
  if (dtype == "F32") return WeightType::kF32;
  if (dtype == "F16") return WeightType::kF16;
  if (dtype == "BF16") return WeightType::kBF16;
  return std::nullopt;
}

// The shards that an index's weight_map names, each once.
Result<std::set<std::string>> ShardNames(const nlohmann::json& index, const std::string& path) {
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty()) {
    return InvalidArgument(path + ": weight_map: is missing, or no object with entries");
  }
  std::set<std::string> names;
  for (const auto& [tensor, file] : map->items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    // What others wrote must not make us read files elsewhere.
    if (name.empty() || name.find('/') != std::string::npos || !name.ends_with(".safetensors")) {
      return InvalidArgument(fmt::format("{}: weight_map: {}: {} is no file of the same folder",
                                         path, QuoteForMessage(tensor), QuoteForMessage(name)));
    }
    names.insert(name);
  }
  return names;
}

// Takes tensors by their Hugging Face names and remembers which were wanted.
class Taker {
 public:
  Taker(const HfConfig& config, const HfShards& shards, ModelSource& source)
      : config_(config), shards_(shards), source_(source) {}

  struct Wanted {
    std::string hf_name;
    std::string gguf_name;
    std::vector<uint64_t> shape;  // as Hugging Face has it: rows first
    int heads_to_interleave = 0;
  };

  bool Has(std::string_view name) const { return shards_.Find(name).tensor != nullptr; }
  void PassOver(std::string_view name) { taken_.emplace(name); }

  Status Take(Wanted wanted) {
    const std::string where =
        fmt::format("{}: tensor {}: ", source_.path, QuoteForMessage(wanted.hf_name));
    const auto [tensor, file] = shards_.Find(wanted.hf_name);
    if (tensor == nullptr) {
      return InvalidArgument(
          fmt::format("{}is missing; expected shape [{}]", where, fmt::join(wanted.shape, ", ")));
    }
    if (tensor->shape != wanted.shape) {
      return InvalidArgument(fmt::format("{}expected shape [{}] by config.json, found [{}]", where,
                                         fmt::join(wanted.shape, ", "),
                                         fmt::join(tensor->shape, ", ")));
    }
    const std::optional<WeightType> type = ToWeightType(tensor->dtype);
    if (!type) {
      return Unimplemented(
          fmt::format("{}has dtype {}; only F32, F16 and BF16 can be read. Quantised weights "
                      "cannot be converted: start from the original",
                      where, tensor->dtype));
    }
    SourceTensor& added = source_.tensors.emplace_back();
    added.name = std::move(wanted.gguf_name);
    added.stored_name = wanted.hf_name;
    added.dims.assign(wanted.shape.rbegin(), wanted.shape.rend());
    added.type = *type;
    added.data = tensor->data;
    added.heads_to_interleave = wanted.heads_to_interleave;
    added.release = [raw = file](std::span<const std::byte> part) { raw->Release(part); };
    PassOver(wanted.hf_name);
    return Status::Ok();
  }

  Status TakeIf(Presence presence, Wanted wanted) {
    const bool wants =
        presence == Presence::kRequired || (presence == Presence::kOptional && Has(wanted.hf_name));
    return wants ? Take(std::move(wanted)) : Status::Ok();
  }

  Status TakeLayer(int layer);
  Status RefuseOthers() const;

 private:
  Status TakeAttention(const std::string& hf, const std::string& gguf);
  Status TakeMlp(const std::string& hf, const std::string& gguf);

  const HfConfig& config_;
  const HfShards& shards_;
  ModelSource& source_;
  std::set<std::string, std::less<>> taken_;
};

Status Taker::TakeAttention(const std::string& hf, const std::string& gguf) {
  const auto hidden = static_cast<uint64_t>(config_.hidden_size);
  const auto head = static_cast<uint64_t>(config_.head_size);
  const uint64_t queries = head * static_cast<uint64_t>(config_.num_heads);
  const uint64_t keys = head * static_cast<uint64_t>(config_.num_kv_heads);
  const Architecture& architecture = *config_.architecture;
  // Hugging Face rotates the halves of a head against each other, GGUF's llama neighbours.
  const bool interleave = architecture.rope_pairing == RopePairing::kInterleaved;
  struct Projection {
    const char* hf;
    const char* gguf;
    uint64_t rows, columns;
    int heads;
    Presence bias;
  };
  const Projection projections[] = {
      {"q_proj", "attn_q", queries, hidden, interleave ? config_.num_heads : 0,
       architecture.qkv_bias},
      {"k_proj", "attn_k", keys, hidden, interleave ? config_.num_kv_heads : 0,
       architecture.qkv_bias},
      {"v_proj", "attn_v", keys, hidden, 0, architecture.qkv_bias},
      {"o_proj", "attn_output", hidden, queries, 0, architecture.attention_output_bias}};
  for (const Projection& p : projections) {
    const std::string from = fmt::format("{}self_attn.{}.", hf, p.hf);
    const std::string to = fmt::format("{}{}.", gguf, p.gguf);
    AIO_RETURN_IF_ERROR(Take({from + "weight", to + "weight", {p.rows, p.columns}, p.heads}));
    AIO_RETURN_IF_ERROR(TakeIf(p.bias, {from + "bias", to + "bias", {p.rows}, p.heads}));
  }
  for (const char* part : {"q", "k"}) {
    AIO_RETURN_IF_ERROR(
        TakeIf(architecture.head_norms, {fmt::format("{}self_attn.{}_norm.weight", hf, part),
                                         fmt::format("{}attn_{}_norm.weight", gguf, part),
                                         {head}}));
  }
  return Status::Ok();
}

Status Taker::TakeMlp(const std::string& hf, const std::string& gguf) {
  const auto hidden = static_cast<uint64_t>(config_.hidden_size);
  const auto intermediate = static_cast<uint64_t>(config_.intermediate_size);
  AIO_RETURN_IF_ERROR(
      Take({hf + "mlp.gate_proj.weight", gguf + "ffn_gate.weight", {intermediate, hidden}}));
  AIO_RETURN_IF_ERROR(
      Take({hf + "mlp.up_proj.weight", gguf + "ffn_up.weight", {intermediate, hidden}}));
  return Take({hf + "mlp.down_proj.weight", gguf + "ffn_down.weight", {hidden, intermediate}});
}

Status Taker::TakeLayer(int layer) {
  const auto hidden = static_cast<uint64_t>(config_.hidden_size);
  const std::string hf = fmt::format("model.layers.{}.", layer);
  const std::string gguf = fmt::format("blk.{}.", layer);
  AIO_RETURN_IF_ERROR(Take({hf + "input_layernorm.weight", gguf + "attn_norm.weight", {hidden}}));
  AIO_RETURN_IF_ERROR(TakeAttention(hf, gguf));
  AIO_RETURN_IF_ERROR(
      Take({hf + "post_attention_layernorm.weight", gguf + "ffn_norm.weight", {hidden}}));
  PassOver(hf + "self_attn.rotary_emb.inv_freq");  // config.json gives it too
  return TakeMlp(hf, gguf);
}

// A tensor that nothing reads would make another model of it without anybody noticing.
Status Taker::RefuseOthers() const {
  constexpr int kSpelledOut = 8;
  std::string others;
  int count = 0;
  for (const std::string_view name : shards_.Names()) {
    if (taken_.contains(name) || ++count > kSpelledOut) continue;
    others += (others.empty() ? "" : ", ") + QuoteForMessage(name);
  }
  if (count == 0) return Status::Ok();
  return Unimplemented(
      fmt::format("{}: has tensors that have no place in a {} model of {} layers: {} ({} in all)",
                  source_.path, config_.architecture->name, config_.num_layers, others, count));
}

// Llama 3's factors, which GGUF keeps as a tensor.
void AddRopeFactors(const std::vector<float>& factors, ModelSource& source) {
  const auto owned = std::make_shared<const std::vector<float>>(factors);
  SourceTensor& added = source.tensors.emplace_back();
  added.name = added.stored_name = "rope_freqs.weight";
  added.dims = {owned->size()};
  added.data = std::as_bytes(std::span(*owned));
  source.owners.push_back(owned);
}

}  // namespace

Result<HfShards> HfShards::Open(const std::string& folder) {
  HfShards shards;
  const std::string index_path = folder + kIndexFile;
  AIO_ASSIGN_OR_RETURN(const std::optional<nlohmann::json> index, ReadJsonFile(index_path));
  if (index) {
    AIO_ASSIGN_OR_RETURN(const std::set<std::string> names, ShardNames(*index, index_path));
    for (const std::string& name : names) {
      AIO_RETURN_IF_ERROR(shards.Add(fmt::format("{}/{}", folder, name)));
    }
    return shards;
  }
  const Status single = shards.Add(folder + kSingleFile);
  if (single.code() == StatusCode::kNotFound) {
    return NotFound(
        fmt::format("{}: has neither model.safetensors nor model.safetensors.index.json; other "
                    "formats (pytorch_model.bin) must be saved as safetensors first",
                    folder));
  }
  if (!single.ok()) return single;
  return shards;
}

Status HfShards::Add(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(std::shared_ptr<const SafetensorsFile> file, SafetensorsFile::Open(path));
  for (const SafetensorsTensor& tensor : file->tensors()) {
    const auto [at, is_new] = tensors_.emplace(tensor.name, Found{&tensor, file.get()});
    if (!is_new) {
      return InvalidArgument(fmt::format("{}: tensor {} is in {} too", path,
                                         QuoteForMessage(tensor.name), at->second.file->path()));
    }
  }
  files_.push_back(std::move(file));
  return Status::Ok();
}

HfShards::Found HfShards::Find(std::string_view name) const {
  const auto at = tensors_.find(name);
  return at == tensors_.end() ? Found() : at->second;
}

std::vector<std::string_view> HfShards::Names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, found] : tensors_) names.push_back(name);
  return names;
}

Status AddHfTensors(const HfConfig& config, const HfShards& shards, ModelSource& source) {
  const auto hidden = static_cast<uint64_t>(config.hidden_size);
  const auto vocabulary = static_cast<uint64_t>(config.vocabulary_size);
  for (const auto& file : shards.files()) {
    source.files.push_back(file->path());
    source.owners.push_back(file);
    source.bytes += file->file_size();
  }
  constexpr char kOutput[] = "lm_head.weight";
  Taker taker(config, shards, source);
  AIO_RETURN_IF_ERROR(
      taker.Take({"model.embed_tokens.weight", "token_embd.weight", {vocabulary, hidden}}));
  for (int i = 0; i < config.num_layers; ++i) AIO_RETURN_IF_ERROR(taker.TakeLayer(i));
  AIO_RETURN_IF_ERROR(taker.Take({"model.norm.weight", "output_norm.weight", {hidden}}));
  if (config.tied.value_or(!taker.Has(kOutput))) {
    taker.PassOver(kOutput);  // some files have the table twice
  } else {
    AIO_RETURN_IF_ERROR(taker.Take({kOutput, "output.weight", {vocabulary, hidden}}));
  }
  taker.PassOver("model.rotary_emb.inv_freq");
  if (!config.rope_factors.empty()) AddRopeFactors(config.rope_factors, source);
  return taker.RefuseOthers();
}

}  // namespace aio
