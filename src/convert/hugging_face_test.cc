#include "convert/hugging_face.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numbers>

#include "convert/quantize.h"
#include "convert/testing/hf_folder.h"
#include "convert/testing/logits.h"
#include "formats/gguf.h"
#include "formats/sentencepiece_testing.h"
#include "model/model.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace aio {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;
namespace fs = std::filesystem;

TestModelSpec Spec(const std::string& architecture) {
  TestModelSpec spec;
  spec.architecture = architecture;
  spec.vocabulary_size = 300;
  return spec;
}

class HuggingFaceTest : public testing::Test {
 protected:
  HuggingFaceTest() { fs::create_directories(folder_); }
  ~HuggingFaceTest() override { fs::remove_all(folder_); }

  std::string in() const { return folder_ / "model"; }
  std::string out() const { return folder_ / "out.gguf"; }

  Status Convert(WeightType type = WeightType::kF32, std::string_view pre = "") {
    Result<ModelSource> source = OpenHuggingFaceSource(in(), pre);
    if (!source.ok()) return source.status();
    notes_ = source->notes;
    QuantizeOptions options;
    options.type = type;
    options.num_threads = 2;
    return Quantize(std::move(source).value(), out(), options).status();
  }
  Status Convert(const HfFolder& folder, WeightType type = WeightType::kF32,
                 std::string_view pre = "") {
    fs::remove_all(in());
    folder.Write(in());
    return Convert(type, pre);
  }
  std::shared_ptr<const GgufFile> Converted(const HfFolder& folder, std::string_view pre = "") {
    const Status status = Convert(folder, WeightType::kF32, pre);
    AIO_CHECK(status.ok(), status.ToString().c_str());
    return GgufFile::Open(out()).value();
  }
  std::string Fault(const HfFolder& folder) {
    const Status status = Convert(folder);
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(status.message(), StartsWith(in()));
    EXPECT_FALSE(fs::exists(out()));
    return status.message();
  }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  const fs::path folder_ = fs::path(testing::TempDir()) /
                           (std::string("hugging_face_") +
                            testing::UnitTest::GetInstance()->current_test_info()->name());
  std::vector<std::string> notes_;
};

std::vector<float> RandomLogits(const TestModelSpec& spec) {
  const std::vector<std::byte> bytes = MakeRandomModel(spec);
  return LogitsOf(GgufFile::Parse(bytes, "random.gguf").value());
}

TEST_F(HuggingFaceTest, AnswersAreThoseOfTheSameWeightsAsGguf) {
  const std::pair<const char*, const char*> families[] = {
      {"qwen2", "Qwen2ForCausalLM"},
      {"qwen3", "Qwen3ForCausalLM"},
      {"pangu-embedded", "PanguEmbeddedForCausalLM"}};
  for (const auto& [gguf, hf] : families) {
    for (const bool tied : {false, true}) {
      TestModelSpec spec = Spec(gguf);
      spec.tied = tied;
      const auto file = Converted(MakeHfFolder(spec, hf));
      EXPECT_EQ(LogitsOf(file), RandomLogits(spec)) << gguf;
      EXPECT_EQ(file->GetString("general.architecture").value(), gguf);
    }
  }
}

// Hugging Face rotates Llama's heads as it does Qwen2's, so that the same tensors are the same
// model; GGUF's llama wants the rows of Q and K in another order. Only sums may round
// differently.
TEST_F(HuggingFaceTest, LlamasHeadsAreReordered) {
  for (const char* name : {"LlamaForCausalLM", "MistralForCausalLM"}) {
    const TestModelSpec spec = Spec("qwen2");
    const auto file = Converted(MakeHfFolder(spec, name));
    EXPECT_EQ(file->GetString("general.architecture").value(), "llama");
    EXPECT_LT(RelativeDifference(LogitsOf(file), RandomLogits(spec)), 1e-5);
  }
}

TEST_F(HuggingFaceTest, HalvesOfSixteenBitsAreReadToo) {
  for (const char* dtype : {"BF16", "F16"}) {
    const TestModelSpec spec = Spec("qwen3");
    const HfFolder folder = MakeHfFolder(spec, "Qwen3ForCausalLM", dtype);
    const WeightType type = *WeightTypeFromName(dtype);
    ASSERT_TRUE(Convert(folder, type).ok());
    const auto file = GgufFile::Open(out()).value();
    const GgufTensor* matrix = file->FindTensor("blk.0.attn_q.weight");
    const HfTensor& stored = folder.tensors.at("model.layers.0.self_attn.q_proj.weight");
    EXPECT_EQ(TensorTypeName(matrix->type), dtype);
    EXPECT_TRUE(std::equal(matrix->data.begin(), matrix->data.end(), stored.data.begin(),
                           stored.data.end()));
    EXPECT_EQ(TensorTypeName(file->FindTensor("blk.0.attn_q_norm.weight")->type), "F32");
    EXPECT_LT(RelativeDifference(LogitsOf(file), RandomLogits(spec)), 0.03);
  }
}

TEST_F(HuggingFaceTest, ShardsAreOneModel) {
  const TestModelSpec spec = Spec("qwen2");
  const HfFolder folder = MakeHfFolder(spec, "Qwen2ForCausalLM");
  folder.Write(in(), 3);
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(LogitsOf(out()), RandomLogits(spec));
  fs::remove(in() + "/model-1.safetensors");
  EXPECT_THAT(Convert().message(), StartsWith(in() + "/model-1.safetensors: "));
}

TEST_F(HuggingFaceTest, AnIndexNamesOnlyFilesOfItsFolder) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  for (const char* name : {"../other.safetensors", "/etc/passwd", "model.bin", ""}) {
    folder.files["model.safetensors.index.json"] = Json{{"weight_map", {{"a", name}}}}.dump();
    EXPECT_THAT(Fault(folder), HasSubstr("no file of the same folder")) << name;
  }
  folder.files["model.safetensors.index.json"] = R"({"weight_map": []})";
  EXPECT_THAT(Fault(folder), HasSubstr("weight_map"));
}

TEST_F(HuggingFaceTest, TheShapeIsThatOfTheConfiguration) {
  HfFolder folder = MakeHfFolder(Spec("qwen3"), "Qwen3ForCausalLM");
  folder.config["rope_theta"] = 1e6;
  folder.config["sliding_window"] = 128;
  folder.config["use_sliding_window"] = false;
  const auto file = Converted(folder);
  const ModelConfig config = Summarize(*file).value().config;
  EXPECT_EQ(config.context_length, 512);
  EXPECT_EQ(config.num_kv_heads, 2);
  EXPECT_EQ(config.head_size, 16);
  EXPECT_EQ(config.rope_freq_base, 1e6f);
  EXPECT_EQ(config.rms_norm_epsilon, 1e-5f);
  EXPECT_EQ(config.vocabulary_size, 300);
  EXPECT_EQ(config.name, "model");
  folder.config["use_sliding_window"] = true;
  EXPECT_EQ(Summarize(*Converted(folder)).value().config.context_length, 128);
  folder.config["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  EXPECT_EQ(Summarize(*Converted(folder)).value().config.rope_scale, 0.25f);
  folder.config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 5e5}};
  EXPECT_EQ(Summarize(*Converted(folder)).value().config.rope_freq_base, 5e5f);
}

TEST_F(HuggingFaceTest, Llama3SlowsLongWaves) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "LlamaForCausalLM");
  folder.config["rope_scaling"] = {{"rope_type", "llama3"},
                                   {"factor", 8.0},
                                   {"low_freq_factor", 1.0},
                                   {"high_freq_factor", 4.0},
                                   {"original_max_position_embeddings", 8192}};
  const std::vector<float> factors = Summarize(*Converted(folder)).value().config.rope_factors;
  ASSERT_EQ(factors.size(), 8U);
  for (int i = 0; i < 8; ++i) {
    const double wave = 2 * std::numbers::pi * std::pow(10000.0, i / 8.0);
    double expected = 1.0;
    if (wave > 8192.0 / 1.0) {
      expected = 8.0;
    } else if (wave > 8192.0 / 4.0) {
      const double smooth = (8192.0 / wave - 1.0) / (4.0 - 1.0);
      expected = 1.0 / ((1.0 - smooth) / 8.0 + smooth);
    }
    EXPECT_NEAR(factors[i], expected, 1e-5) << i;
  }
  folder.config["architectures"] = {"Qwen2ForCausalLM"};
  fs::remove(out());
  EXPECT_THAT(Fault(folder), HasSubstr("llama3 is not supported for qwen2"));
}

TEST_F(HuggingFaceTest, TextBecomesTheTokensOfTokenizerJson) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  const auto file = Converted(folder);
  const auto tokenizer = Tokenizer::Load(*file).value();
  EXPECT_EQ(tokenizer->kind(), "bpe (qwen2)");
  EXPECT_THAT(tokenizer->EncodeText("abc", true), ElementsAre(257));
  EXPECT_THAT(tokenizer->EncodeText("ab b", true), ElementsAre(256, ' ', 'b'));
  EXPECT_EQ(tokenizer->eos(), 299);
  EXPECT_TRUE(tokenizer->IsControl(298));
  EXPECT_FALSE(tokenizer->IsControl(297));
  EXPECT_EQ(tokenizer->FindSpecial("<think>"), 297);
  EXPECT_EQ(tokenizer->TokenPiece(280), "[PAD280]");
  EXPECT_EQ(ChatTemplate::FromGguf(*file).value().family(), "chatml");
}

TEST_F(HuggingFaceTest, TheBeginningOfPromptsIsAsTheFilesSay) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  const auto starts = [&] {
    return Tokenizer::Load(*Converted(folder)).value()->EncodeText("abc", true).front();
  };
  folder.tokenizer_config["bos_token"] = "<|endoftext|>";
  EXPECT_EQ(starts(), 257);
  folder.tokenizer_config["add_bos_token"] = true;
  EXPECT_EQ(starts(), 298);
  folder.tokenizer_config.erase("add_bos_token");
  EXPECT_EQ(starts(), 257);
  folder.tokenizer["post_processor"] = Json::parse(R"({"type": "Sequence", "processors": [
      {"type": "ByteLevel"}, {"type": "TemplateProcessing", "single": [
      {"SpecialToken": {"id": "<|endoftext|>"}}, {"Sequence": {"id": "A"}}]}]})");
  EXPECT_EQ(starts(), 298);
}

TEST_F(HuggingFaceTest, TemplatesAreFoundWhereverTheyAre) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  const auto text = [&] {
    return std::string(Converted(folder)->GetString("tokenizer.chat_template").value());
  };
  folder.tokenizer_config["chat_template"] =
      Json::parse(R"([{"name": "tools", "template": "T"}, {"name": "default", "template": "D"}])");
  EXPECT_EQ(text(), "D");
  folder.files["chat_template.jinja"] = "J";
  EXPECT_EQ(text(), "J");
  folder.files.clear();
  folder.tokenizer_config.erase("chat_template");
  folder.files["chat_template.json"] = R"({"chat_template": "C"})";
  EXPECT_EQ(text(), "C");
  folder.files.clear();
  EXPECT_EQ(Converted(folder)->FindValue("tokenizer.chat_template"), nullptr);
}

TEST_F(HuggingFaceTest, AnUnknownPretokenizerWantsToBeNamed) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  Json& split = folder.tokenizer["pre_tokenizer"]["pretokenizers"][0];
  const Json known = split;
  split["pattern"]["Regex"] = R"(\w+|\s+)";
  EXPECT_THAT(Fault(folder), AllOf(HasSubstr("tokenizer.json: pre_tokenizer: "), HasSubstr("w+|"),
                                   HasSubstr("--pre")));
  EXPECT_EQ(Converted(folder, "gpt-2")->GetString("tokenizer.ggml.pre").value(), "gpt-2");
  fs::remove(out());
  split = known;
  split["behavior"] = "MergedWithNext";
  EXPECT_THAT(Fault(folder), HasSubstr("another behavior"));
  split = {{"type", "BertPreTokenizer"}};
  EXPECT_THAT(Fault(folder), HasSubstr("BertPreTokenizer"));
}

TEST_F(HuggingFaceTest, PretokenizersOfEveryKnownFormHaveNames) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  const auto name = [&](const std::string& pre_tokenizer) {
    folder.tokenizer["pre_tokenizer"] = Json::parse(pre_tokenizer);
    return std::string(Converted(folder)->GetString("tokenizer.ggml.pre").value());
  };
  EXPECT_EQ(name(R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})"),
            "gpt-2");
  EXPECT_EQ(name(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Digits", "individual_digits": true},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]})"),
            "starcoder");
  const std::string llama3 = R"({"type": "Sequence", "pretokenizers": [{"type": "Split",
      "pattern": {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|)"
                             R"(\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|)"
                             R"(\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
      "behavior": "Removed", "invert": true},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})";
  EXPECT_EQ(name(llama3), "smaug-bpe");
  folder.tokenizer["model"]["ignore_merges"] = true;
  EXPECT_EQ(name(llama3), "llama-bpe");
  folder.tokenizer["model"]["ignore_merges"] = false;
  EXPECT_EQ(name(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}"}, "behavior": "Isolated"},
      {"type": "Split", "pattern": {"Regex": "[一-龥぀-ゟ゠-ヿ]+"}, "behavior": "Isolated"},
      {"type": "Split", "pattern": {"Regex": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|)"
                 R"([^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|)"
                 R"( ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"},
       "behavior": "Isolated"},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})"),
            "deepseek-v3");
}

TEST_F(HuggingFaceTest, OldTokenizersNeedTheirClass) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  folder.files["vocab.json"] = folder.tokenizer["model"]["vocab"].dump();
  folder.files["merges.txt"] = "#version: 0.2\na b\r\nab c\n";
  folder.tokenizer_config["added_tokens_decoder"] = {
      {"299", {{"content", "<|im_end|>"}, {"special", true}}}};
  folder.tokenizer = nullptr;
  EXPECT_THAT(Fault(folder), HasSubstr("tokenizer_class"));
  folder.tokenizer_config["tokenizer_class"] = "Qwen2Tokenizer";
  const auto tokenizer = Tokenizer::Load(*Converted(folder)).value();
  EXPECT_EQ(tokenizer->kind(), "bpe (qwen2)");
  EXPECT_THAT(tokenizer->EncodeText("abc", true), ElementsAre(257));
  EXPECT_EQ(tokenizer->eos(), 299);
  folder.files.clear();
  fs::remove(out());
  EXPECT_THAT(Fault(folder), HasSubstr("has no tokenizer"));
}

using protobuf::Bytes, protobuf::Float, protobuf::Number;
std::string Piece(const std::string& text, float score, int kind) {
  return Bytes(1, Bytes(1, text) + Float(2, score) + Number(3, kind));
}

std::string SentencePieces(int algorithm) {
  std::string model = Piece("<unk>", 0, 2) + Piece("<s>", 0, 3) + Piece("</s>", 0, 3);
  for (int byte = 0; byte < 256; ++byte) {
    model += Piece(fmt::format("<0x{:02X}>", byte), 0, 6);
  }
  model += Piece("ab", -0.0f, 1) + Piece("▁ab", -1, 1) + Piece("▁", -2, 1) + Piece("a", -3, 1) +
           Piece("b", -4, 1);
  return model + Bytes(2, Number(3, algorithm)) + Bytes(3, Number(3, 1));
}

TEST_F(HuggingFaceTest, SentencePieceModelsAreRead) {
  HfFolder folder = MakeHfFolder(Spec("pangu-embedded"), "PanguEmbeddedForCausalLM");
  folder.tokenizer = nullptr;
  folder.tokenizer_config = {{"bos_token", "<s>"},
                             {"eos_token", "</s>"},
                             {"added_tokens_decoder",
                              {{"270", {{"content", "[unused10]"}, {"special", true}}},
                               {"0", {{"content", "<unk>"}, {"special", true}}},
                               {"300", {{"content", "<pad>"}, {"special", true}}}}}};
  folder.files["tokenizer.model"] = SentencePieces(2);
  const auto file = Converted(folder);
  const auto tokenizer = Tokenizer::Load(*file).value();
  EXPECT_EQ(tokenizer->kind(), "spm");
  EXPECT_THAT(tokenizer->EncodeText("ab", true), ElementsAre(1, 260));
  EXPECT_THAT(tokenizer->EncodeText("c", false), ElementsAre(261, 3 + 'c'));
  EXPECT_EQ(tokenizer->FindSpecial("[unused10]"), 270);
  EXPECT_TRUE(tokenizer->adds_space_prefix());
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("\"<pad>\" has id 300")));
  fs::remove(out());
  folder.files["tokenizer.model"] = SentencePieces(1);
  EXPECT_THAT(Fault(folder), AllOf(HasSubstr("tokenizer.model"), HasSubstr("UNIGRAM")));
  folder.files["tokenizer.model"].resize(1000);
  EXPECT_THAT(Fault(folder), HasSubstr("tokenizer.model: "));
}

TEST_F(HuggingFaceTest, TokenizerJsonStandsForALostSentencePieceModel) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "LlamaForCausalLM");
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = 3 + byte;
  vocab.update({{"ab", 259}, {"▁ab", 260}, {"▁", 261}, {"a", 262}, {"b", 263}});
  folder.tokenizer = Json::parse(R"({"added_tokens": [
      {"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true},
      {"id": 2, "content": "</s>", "special": true}],
      "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
      "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
      "merges": ["a b", "▁ ab"]}})");
  folder.tokenizer["model"]["vocab"] = vocab;
  folder.tokenizer_config = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  const auto tokenizer = Tokenizer::Load(*Converted(folder)).value();
  EXPECT_EQ(tokenizer->kind(), "spm");
  EXPECT_THAT(tokenizer->EncodeText("ab", true), ElementsAre(1, 260));
  EXPECT_TRUE(tokenizer->adds_space_prefix());
}

TEST_F(HuggingFaceTest, OtherArchitecturesAreRefusedByName) {
  HfFolder folder = MakeHfFolder(Spec("qwen2"), "MambaForCausalLM");
  EXPECT_THAT(Fault(folder), AllOf(HasSubstr("config.json: architectures: \"MambaForCausalLM\""),
                                   HasSubstr("Qwen3ForCausalLM")));
  folder.config.erase("architectures");
  EXPECT_THAT(Fault(folder), HasSubstr("architectures"));
  folder.config = nullptr;
  EXPECT_THAT(Fault(folder), HasSubstr("config.json: is missing"));
}

TEST_F(HuggingFaceTest, WhatWouldBeComputedDifferentlyIsRefused) {
  const HfFolder fine = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  const auto fault = [&](const char* key, const Json& value) {
    HfFolder folder = fine;
    folder.config[key] = value;
    return Fault(folder);
  };
  EXPECT_THAT(fault("quantization_config", {{"quant_method", "gptq"}}), HasSubstr("gptq"));
  EXPECT_THAT(fault("hidden_act", "gelu"), HasSubstr("gelu"));
  EXPECT_THAT(fault("partial_rotary_factor", 0.5), HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(fault("rope_scaling", {{"type", "yarn"}, {"factor", 4}}), HasSubstr("yarn"));
  EXPECT_THAT(fault("hidden_size", "big"), HasSubstr("hidden_size: is no whole number"));
  EXPECT_THAT(fault("num_hidden_layers", 0), HasSubstr("num_hidden_layers: 0 is out of range"));
  EXPECT_THAT(fault("num_key_value_heads", 3), HasSubstr("does not divide"));
  EXPECT_THAT(fault("vocab_size", 299), HasSubstr("[300, 64]"));
  EXPECT_THAT(fault("rms_norm_eps", "tiny"), HasSubstr("rms_norm_eps"));
}

TEST_F(HuggingFaceTest, TensorsThatAreNotAsTheyShouldBeAreNamed) {
  const HfFolder fine = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  const std::string name = "model.layers.1.self_attn.k_proj.weight";
  HfFolder folder = fine;
  folder.tensors.erase(name);
  EXPECT_THAT(Fault(folder), AllOf(HasSubstr(name), HasSubstr("missing"), HasSubstr("[32, 64]")));
  folder = fine;
  folder.tensors[name].shape = {64, 32};
  EXPECT_THAT(Fault(folder), AllOf(HasSubstr(name), HasSubstr("found [64, 32]")));
  folder = fine;
  folder.tensors[name].dtype = "I32";
  EXPECT_THAT(Fault(folder), AllOf(HasSubstr(name), HasSubstr("dtype I32")));
  folder = fine;
  folder.tensors["model.layers.0.mlp.experts.0.w1.weight"] = {"F32", {0}, {}};
  EXPECT_THAT(Fault(folder), HasSubstr("mlp.experts.0.w1.weight"));
  folder = fine;
  folder.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {"F32", {0}, {}};
  EXPECT_TRUE(Convert(folder).ok());
  fs::remove(out());
  folder = fine;
  const float nan = NAN;
  std::memcpy(folder.tensors[name].data.data() + 4 * 64 * 7, &nan, sizeof(nan));
  EXPECT_THAT(Fault(folder), AllOf(HasSubstr(name), HasSubstr("row 7"), HasSubstr("NaN")));
}

TEST_F(HuggingFaceTest, BrokenFilesAreNamed) {
  const HfFolder fine = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  const auto fault = [&](const char* name, const std::string& text) {
    fs::remove_all(in());
    fine.Write(in());
    std::ofstream(in() + "/" + name) << text;
    const Status status = Convert();
    EXPECT_THAT(status.message(), StartsWith(in() + "/" + name));
    return status.message();
  };
  EXPECT_THAT(fault("config.json", "{"), HasSubstr("no JSON"));
  EXPECT_THAT(fault("tokenizer.json", "[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(fault("tokenizer_config.json", ""), HasSubstr("no JSON"));
  EXPECT_THAT(fault("model.safetensors", "abc"), HasSubstr("too few"));
  EXPECT_THAT(fault("tokenizer.json", R"({"model": {"type": "Unigram"}})"), HasSubstr("Unigram"));
  EXPECT_THAT(fault("tokenizer.json", R"({"model": {"vocab": {"a": 300}, "merges": []}})"),
              HasSubstr("vocab_size is 300"));
  EXPECT_THAT(fault("tokenizer.json", R"({"model": {"vocab": {"a": 1, "b": 1}, "merges": []}})"),
              HasSubstr("both have id 1"));
  EXPECT_THAT(fault("tokenizer.json", R"({"model": {"vocab": {"a": 1}, "merges": [["a"]]}})"),
              HasSubstr("merges: entry 0"));
}

TEST_F(HuggingFaceTest, AFolderOfAnotherFormatIsTold) {
  const HfFolder folder = MakeHfFolder(Spec("qwen2"), "Qwen2ForCausalLM");
  folder.Write(in());
  fs::remove(in() + "/model.safetensors");
  EXPECT_THAT(Convert().message(), HasSubstr("pytorch_model.bin"));
}

}  // namespace
}  // namespace aio
