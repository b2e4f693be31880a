#include "convert/testing/hf_folder.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>

#include "base/check.h"
#include "kernels/matrix.h"
#include "tokenizer/byte_alphabet.h"

namespace aio {
namespace {

using Json = nlohmann::json;

// "blk.3.attn_q.bias" as "model.layers.3.self_attn.q_proj.bias".
std::string HfName(std::string name) {
  static const std::pair<std::string, std::string> kParts[] = {
      {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"},
      {"attn_q_norm", "self_attn.q_norm"},  {"attn_k_norm", "self_attn.k_norm"},
      {"attn_norm", "input_layernorm"},     {"ffn_norm", "post_attention_layernorm"},
      {"attn_q", "self_attn.q_proj"},       {"attn_k", "self_attn.k_proj"},
      {"attn_v", "self_attn.v_proj"},       {"attn_output", "self_attn.o_proj"},
      {"ffn_gate", "mlp.gate_proj"},        {"ffn_up", "mlp.up_proj"},
      {"ffn_down", "mlp.down_proj"},        {"output", "lm_head"},
  };
  if (name.starts_with("blk.")) name = "model.layers." + name.substr(4);
  for (const auto& [gguf, hf] : kParts) {
    const size_t at = name.find(gguf + ".");
    if (at != std::string::npos) return name.replace(at, gguf.size(), hf);
  }
  AIO_CHECK(false, "a tensor without a Hugging Face name");
}

HfTensor ToHfTensor(const GgufTensor& tensor, const std::string& dtype) {
  HfTensor out{dtype, {tensor.dims.rbegin(), tensor.dims.rend()}, {}};
  std::vector<float> values(tensor.elements);
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  const WeightType type = *WeightTypeFromName(dtype);
  out.data.resize(values.size() * static_cast<size_t>(BlockOf(type).bytes));
  EncodeRow(values, type, out.data.data());
  return out;
}

Json MakeTokenizer(int size) {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte) {
    vocab[ByteAlphabetCharacter(static_cast<uint8_t>(byte))] = byte;
  }
  vocab["ab"] = 256;
  vocab["abc"] = 257;
  const auto added = [](int id, const char* text, bool special) {
    return Json{{"id", id}, {"content", text}, {"special", special}};
  };
  return {{"added_tokens",
           {added(size - 3, "<think>", false), added(size - 2, "<|endoftext|>", true),
            added(size - 1, "<|im_end|>", true)}},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer",
           {{"type", "Sequence"},
            {"pretokenizers",
             {{{"type", "Split"},
               {"pattern",
                {{"Regex", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
                           R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
               {"behavior", "Isolated"},
               {"invert", false}},
              {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}}},
          {"model",
           {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"a b", Json::array({"ab", "c"})}}}}};
}

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  AIO_CHECK(out.good());
}

}  // namespace

std::string EncodeSafetensors(const std::map<std::string, HfTensor>& tensors) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
    header[name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  std::string out(sizeof(length), '\0');
  std::memcpy(out.data(), &length, sizeof(length));
  return out + text + data;
}

void HfFolder::Write(const std::string& folder, int shards) const {
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const Json& json) {
    if (!json.empty()) WriteText(folder + "/" + name, json.dump());
  };
  write("config.json", config);
  write("tokenizer.json", tokenizer);
  write("tokenizer_config.json", tokenizer_config);
  const std::filesystem::path path(folder);
  for (const auto& [name, text] : files) WriteText(path / name, text);
  if (shards == 1) return WriteText(folder + "/model.safetensors", EncodeSafetensors(tensors));
  std::vector<std::map<std::string, HfTensor>> parts(static_cast<size_t>(shards));
  Json map = Json::object();
  for (const auto& [name, tensor] : tensors) {
    const size_t part = map.size() % parts.size();
    map[name] = "model-" + std::to_string(part) + ".safetensors";
    parts[part].emplace(name, tensor);
  }
  write("model.safetensors.index.json", {{"weight_map", map}});
  for (size_t i = 0; i < parts.size(); ++i) {
    WriteText(folder + "/model-" + std::to_string(i) + ".safetensors", EncodeSafetensors(parts[i]));
  }
}

HfFolder MakeHfFolder(const TestModelSpec& spec, const std::string& hf_architecture,
                      const std::string& dtype) {
  AIO_CHECK(spec.vocabulary_size >= 300 && spec.matrix_type == TensorType::kF32);
  HfFolder folder;
  folder.config = {{"architectures", {hf_architecture}},
                   {"hidden_size", spec.hidden_size},
                   {"intermediate_size", spec.intermediate_size},
                   {"num_hidden_layers", spec.num_layers},
                   {"num_attention_heads", spec.num_heads},
                   {"num_key_value_heads", spec.num_kv_heads},
                   {"head_dim", spec.head_size},
                   {"max_position_embeddings", spec.context_length},
                   {"rms_norm_eps", 1e-5},
                   {"rope_theta", spec.rope_freq_base},
                   {"rope_scaling", nullptr},
                   {"hidden_act", "silu"},
                   {"vocab_size", spec.vocabulary_size},
                   {"tie_word_embeddings", spec.tied},
                   {"eos_token_id", {spec.vocabulary_size - 1, spec.vocabulary_size - 2}}};
  folder.tokenizer = MakeTokenizer(spec.vocabulary_size);
  folder.tokenizer_config = {
      {"bos_token", nullptr},
      {"eos_token", {{"content", "<|im_end|>"}}},
      {"pad_token", "<|endoftext|>"},
      {"add_bos_token", false},
      {"chat_template", "{% for message in messages %}{{'<|im_start|>' + message['role']}}"}};
  const std::vector<std::byte> bytes = MakeRandomModel(spec);
  const auto file = GgufFile::Parse(bytes, "random.gguf").value();
  for (const GgufTensor& tensor : file->tensors()) {
    folder.tensors.emplace(HfName(std::string(tensor.name)), ToHfTensor(tensor, dtype));
  }
  return folder;
}

}  // namespace aio
