// What LoadRuntime() makes of models that are to work together, over the bundled pair.
#include "app/runtime.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/run_to_end.h"
#include "convert/model_source.h"
#include "convert/quantize.h"

namespace aio {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class RuntimeTest : public ::testing::Test {
 protected:
  RuntimeTest() : config_(LoadConfig(AIO_SOURCE_DIR "/config/pocket.toml").value()) {
    std::filesystem::create_directories(folder_);
    config_.engine.num_threads = 1;
    config_.engine.kv_cache_tokens = 512;
  }
  ~RuntimeTest() override { std::filesystem::remove_all(folder_); }

  ModelSettings& small() { return config_.models[0]; }
  ModelSettings& large() { return config_.models[1]; }

  // A copy of a model in another type and with something changed; returns its path.
  std::string Copy(const std::string& path, WeightType type,
                   const std::function<void(ModelSource&)>& change = nullptr) {
    ModelSource source = OpenGgufSource(path).value();
    if (change) change(source);
    std::string copy = folder_ + "/" + std::to_string(copies_++) + ".gguf";
    QuantizeOptions options;
    options.type = type;
    const auto written = Quantize(std::move(source), copy, options);
    EXPECT_TRUE(written.ok()) << written.status().ToString();
    return copy;
  }

  // For Copy(): token `id` of the vocabulary in `path` becomes another one.
  std::function<void(ModelSource&)> WithToken(const std::string& path, int id, std::string piece) {
    return [path, id, piece](ModelSource& source) {
      const auto file = GgufFile::Open(path).value();
      const std::vector<std::string_view> pieces =
          file->GetStringArray("tokenizer.ggml.tokens").value();
      std::vector<std::string> tokens(pieces.begin(), pieces.end());
      tokens[static_cast<size_t>(id)] = piece;
      source.header->SetStringArray("tokenizer.ggml.tokens", tokens);
    };
  }

  std::string Error() {
    const auto runtime = LoadRuntime(config_);
    return runtime.ok() ? "no error" : runtime.status().message();
  }

  std::unique_ptr<Runtime> Load() {
    auto runtime = LoadRuntime(config_);
    EXPECT_TRUE(runtime.ok()) << runtime.status().ToString();
    return runtime.ok() ? *std::move(runtime) : nullptr;
  }

  const std::string folder_ = fmt::format("{}runtime_test_{}", testing::TempDir(), getpid());
  AppConfig config_;
  int copies_ = 0;
};

// --- the W8A16 variant -----------------------------------------------------------------

TEST_F(RuntimeTest, AVariantIsOfTheSameModelInEightBits) {
  const std::string file = large().path;
  large().w8a16_path = folder_ + "/none.gguf";
  EXPECT_THAT(Error(), HasSubstr("none.gguf"));
  large().w8a16_path = file;
  EXPECT_THAT(Error(), testing::AllOf(HasSubstr(file), HasSubstr("blk.0.attn_q.weight is F16, not "
                                                                 "Q8_0")));
  large().w8a16_path = Copy(file, WeightType::kQ4_0);
  EXPECT_THAT(Error(), HasSubstr("is Q4_0, not Q8_0"));
  large().w8a16_path = Copy(small().path, WeightType::kQ8_0);
  EXPECT_THAT(Error(), testing::AllOf(HasSubstr(large().w8a16_path), HasSubstr(file),
                                      HasSubstr("number of layers is 4, not 8")));
  large().w8a16_path = Copy(file, WeightType::kQ8_0, [](ModelSource& source) {
    source.header->SetFloat32("llama.rope.freq_base", 5000);
  });
  EXPECT_THAT(Error(), HasSubstr("RoPE base is 5000, not 10000"));
}

TEST_F(RuntimeTest, AVariantHasItsModelsTokenizerAndNorms) {
  const std::string file = large().path;
  large().w8a16_path = Copy(file, WeightType::kQ8_0, WithToken(file, 7, "elsewhere"));
  EXPECT_THAT(Error(), testing::AllOf(HasSubstr(large().w8a16_path), HasSubstr("another tokenizer"),
                                      HasSubstr("token 7 is "), HasSubstr("\"elsewhere\"")));
  large().w8a16_path = Copy(file, WeightType::kQ8_0, [](ModelSource& source) {
    source.header->SetString("tokenizer.ggml.pre", "gpt-2");
  });
  EXPECT_THAT(Error(), HasSubstr("another tokenizer"));
  std::vector<float> ones;
  large().w8a16_path = Copy(file, WeightType::kQ8_0, [&](ModelSource& source) {
    for (SourceTensor& tensor : source.tensors) {
      if (tensor.name != "output_norm.weight") continue;
      ones.assign(tensor.dims[0], 1.0f);
      tensor.type = WeightType::kF32;
      tensor.data = std::as_bytes(std::span(ones));
    }
  });
  EXPECT_THAT(Error(), HasSubstr("output_norm.weight differs"));
}

TEST_F(RuntimeTest, AVariantIsResidentBesideItsModel) {
  large().w8a16_path = Copy(large().path, WeightType::kQ8_0);
  const auto runtime = Load();
  ASSERT_NE(runtime, nullptr);
  const std::vector<ModelInfo> resident = ResidentModels(*runtime->router);
  ASSERT_EQ(resident.size(), 3u);
  EXPECT_EQ(resident[2].name, "pocket-large-w8a16");
  EXPECT_EQ(resident[2].role, "large");
  EXPECT_LT(resident[2].bytes, resident[1].bytes * 6 / 10);
  EXPECT_THAT(DescribeModel(resident[0], resident),
              EndsWith(", drafts for pocket-large and pocket-large-w8a16"));
  EXPECT_THAT(DescribeModel(resident[1], resident), Not(HasSubstr("drafts")));
  EXPECT_THAT(DescribeModel(resident[2], resident), EndsWith(", w8a16 weights"));

  Request request;
  request.model = "large";
  request.weights = std::string(kW8A16);
  request.prompt = std::vector<ChatMessage>{{"user", "Which river flows through Elsby?"}};
  request.sampling.temperature = 0;
  request.sampling.max_tokens = 30;
  const auto answer = RunToEnd(*runtime->router, request);
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->start.model, "pocket-large-w8a16");
  EXPECT_THAT(answer->text, HasSubstr("Fenn"));
}

TEST_F(RuntimeTest, APolicyMayAskForWhatIsResident) {
  config_.policy = RoutingPolicy::FromToml(
                       "version = 1\nname = \"p\"\nprobe_prompt_tokens_max = 10\n[[rule]]\n"
                       "name = \"all\"\nrole = \"large\"\nstrategy = \"plain\"\n"
                       "weights = \"w8a16\"\n",
                       "p.toml")
                       .value();
  EXPECT_THAT(Error(), HasSubstr("rule 'all': the large model, 'pocket-large', has no w8a16"));
  large().w8a16_path = Copy(large().path, WeightType::kQ8_0);
  EXPECT_EQ(Error(), "no error");
}

// --- the draft model -------------------------------------------------------------------

TEST_F(RuntimeTest, ADraftModelHasItsTargetsVocabulary) {
  small().path = Copy(small().path, WeightType::kF16, WithToken(small().path, 7, "el\nsewhere"));
  EXPECT_THAT(Error(), testing::AllOf(HasSubstr("pocket.toml: models.large.draft_model: "
                                                "'pocket-small' cannot draft for 'pocket-large'"),
                                      HasSubstr("token 7 is \"el\\nsewhere\" (normal)")));
  // A pair that only stands in for the configured one need not be of one family.
  large().draft_model_may_differ = true;
  const auto runtime = Load();
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(ResidentModels(*runtime->router)[1].draft_model, "");
}

TEST_F(RuntimeTest, ADraftModelSplitsTextAsItsTargetDoes) {
  small().path = Copy(small().path, WeightType::kF16, [](ModelSource& source) {
    source.header->SetString("tokenizer.ggml.pre", "gpt-2");
  });
  EXPECT_THAT(Error(), testing::AllOf(HasSubstr("'pocket-small' cannot draft for 'pocket-large'"),
                                      HasSubstr("the tokens are the same, but not how text")));
  large().draft_model_may_differ = true;
  EXPECT_EQ(Error(), "no error");
}

TEST_F(RuntimeTest, WithoutADraftModelAPolicyCannotAskForOne) {
  large().draft_model.clear();
  config_.policy = RoutingPolicy::FromToml(
                       "version = 1\nname = \"p\"\nprobe_prompt_tokens_max = 10\n[[rule]]\n"
                       "name = \"all\"\nrole = \"large\"\nstrategy = \"draft_model\"\n",
                       "p.toml")
                       .value();
  EXPECT_THAT(Error(), HasSubstr("rule 'all': no model drafts for the large one"));
  large().draft_model = "small";
  EXPECT_EQ(Error(), "no error");
}

TEST_F(RuntimeTest, ReplicasThatAreFoundMayHaveADraftModel) {
  config_.policy = RoutingPolicy::FromToml(
                       "version = 1\nname = \"p\"\nprobe_prompt_tokens_max = 10\n[[rule]]\n"
                       "name = \"all\"\nrole = \"large\"\nstrategy = \"draft_model\"\n",
                       "p.toml")
                       .value();
  large().draft_model.clear();
  RemoteModelSettings& remote = large().remote.emplace();
  remote.options.name = large().name;
  remote.options.role = large().role;
  remote.options.profile = *FindEngineProfile("vllm");
  remote.options.health_interval = Duration::zero();
  remote.discovery.kind = DiscoveryKind::kDns;
  remote.discovery.name = "http://127.0.0.1:9";
  EXPECT_THAT(Error(), HasSubstr("no model drafts for the large one"));
  remote.discovery.strategy = "draft_model";
  EXPECT_EQ(Error(), "no error");
  // Those of a file say it themselves.
  remote.discovery.strategy.clear();
  remote.discovery.kind = DiscoveryKind::kFile;
  remote.discovery.name = folder_ + "/replicas.toml";
  std::ofstream(remote.discovery.name) << "[[replicas]]\nurl = \"http://127.0.0.1:9\"\n"
                                          "strategy = \"draft_model\"\n";
  EXPECT_EQ(Error(), "no error");
}

// --- flags -----------------------------------------------------------------------------

TEST_F(RuntimeTest, AModelInPlaceOfTheConfiguredHasNoVariant) {
  const std::string path = folder_ + "/c.toml";
  std::ofstream(path) << "version = 1\n[models.small]\npath = \"s\"\nw8a16_path = \"s8\"\n"
                         "[models.large]\npath = \"l\"\nw8a16_path = \"l8\"\n"
                         "draft_model = \"small\"\n"
                         "[probe]\nsuffix = \"?\"\nlabels = [{ name = \"code\", word = \"code\" }, "
                         "{ name = \"qa\", word = \"qa\" }, { name = \"math\", word = \"math\" }]\n"
                         "[routing]\npolicy = \"" AIO_SOURCE_DIR "/policy/paper.toml\"\n";
  RuntimeFlags flags;
  flags.config_path = path;
  AppConfig config = flags.Resolve().value();
  EXPECT_FALSE(config.models[1].draft_model_may_differ);
  EXPECT_EQ(ResidentModels(config).size(), 4u);
  flags.large_path = "other";
  config = flags.Resolve().value();
  EXPECT_TRUE(config.models[1].draft_model_may_differ);
  const std::vector<ModelSettings> resident = ResidentModels(config);
  ASSERT_EQ(resident.size(), 3u);
  EXPECT_EQ(resident[1].path, "other");
  EXPECT_EQ(resident[2].name, "small-w8a16");
  EXPECT_EQ(resident[2].role, "") << "the role stays its model's";
}

}  // namespace
}  // namespace aio
