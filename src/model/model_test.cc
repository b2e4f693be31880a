// Reading the configuration and loading the tensors: what good files give, and how bad
// ones are refused.
#include "model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "formats/gguf_writer.h"
#include "model/testing/test_model.h"

namespace aio {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Result<std::shared_ptr<const Model>> Load(const std::vector<std::byte>& bytes) {
  AIO_ASSIGN_OR_RETURN(auto file, GgufFile::Parse(bytes, "test.gguf"));
  return Model::Load(std::move(file));
}

std::string LoadError(const std::vector<std::byte>& bytes) {
  const auto model = Load(bytes);
  return model.ok() ? "loaded" : model.status().message();
}

TestModelSpec SpecOf(const std::string& architecture) {
  TestModelSpec spec;
  spec.architecture = architecture;
  return spec;
}

TEST(ModelConfigTest, ReadsEveryField) {
  TestModelSpec spec = SpecOf("pangu-embedded");
  spec.hidden_size = 72;
  spec.num_layers = 3;
  spec.num_heads = 6;
  spec.rope_dims = 12;
  spec.rope_freq_base = 4e6f;
  const std::vector<std::byte> bytes = MakeRandomModel(spec);
  const auto file = GgufFile::Parse(bytes, "dir/test.gguf").value();
  const ModelConfig config = ReadModelConfig(*file).value();
  EXPECT_EQ(config.architecture, "pangu-embedded");
  EXPECT_EQ(config.name, "random pangu-embedded");
  EXPECT_EQ(config.num_layers, 3);
  EXPECT_EQ(config.hidden_size, 72);
  EXPECT_EQ(config.num_heads, 6);
  EXPECT_EQ(config.num_kv_heads, 2);
  EXPECT_EQ(config.head_size, 16);
  EXPECT_EQ(config.kv_size(), 32);
  EXPECT_EQ(config.intermediate_size, 96);
  EXPECT_EQ(config.vocabulary_size, 128);
  EXPECT_EQ(config.context_length, 512);
  EXPECT_EQ(config.rms_norm_epsilon, 1e-5f);
  EXPECT_EQ(config.rope_pairing, RopePairing::kHalves);
  EXPECT_EQ(config.rope_dims, 12);
  EXPECT_EQ(config.rope_freq_base, 4e6f);
  EXPECT_EQ(config.rope_scale, 1.0f);
  EXPECT_THAT(config.rope_factors, testing::ElementsAre(1, 1, 1, 1, 1, 1));
}

TEST(ModelConfigTest, RopeScalingAndFactors) {
  TestModelSpec spec = SpecOf("llama");
  spec.rope_linear_factor = 4;
  spec.rope_factors = true;
  const auto model = LoadRandomModel(spec);
  EXPECT_EQ(model->config().rope_pairing, RopePairing::kInterleaved);
  EXPECT_EQ(model->config().rope_scale, 0.25f);
  ASSERT_EQ(model->config().rope_factors.size(), 8u);
  EXPECT_NE(model->config().rope_factors[0], model->config().rope_factors[1]);
}

// A file with the keys of `spec`, changed by a function that gets the last word.
std::string ErrorWith(TestModelSpec spec, std::function<void(GgufWriter&)> change) {
  spec.add_metadata = std::move(change);
  return LoadError(MakeRandomModel(spec));
}
std::string ErrorWithInt(const std::string& key, uint32_t value) {
  return ErrorWith(SpecOf("llama"),
                   [&](GgufWriter& writer) { writer.SetUint32("llama." + key, value); });
}
std::string ErrorWithFloat(const std::string& key, float value) {
  return ErrorWith(SpecOf("llama"),
                   [&](GgufWriter& writer) { writer.SetFloat32("llama." + key, value); });
}

TEST(ModelConfigTest, HostileIntegersAreRefusedByFileAndKey) {
  for (const char* key :
       {"block_count", "embedding_length", "attention.head_count", "attention.head_count_kv",
        "attention.key_length", "attention.value_length", "rope.dimension_count", "context_length",
        "feed_forward_length", "vocab_size"}) {
    for (const uint32_t value : {0u, 0x7fffffffu, 0xffffffffu}) {
      EXPECT_THAT(ErrorWithInt(key, value), AllOf(HasSubstr("test.gguf"), HasSubstr(key)))
          << key << " = " << value;
    }
  }
}

TEST(ModelConfigTest, HostileFloatsAreRefusedByFileAndKey) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const char* key :
       {"attention.layer_norm_rms_epsilon", "rope.freq_base", "rope.scaling.factor"}) {
    for (const float value : {nan, infinity, -1.0f, 1e30f}) {
      EXPECT_THAT(ErrorWithFloat(key, value), AllOf(HasSubstr("test.gguf"), HasSubstr(key)))
          << key << " = " << value;
    }
  }
  EXPECT_THAT(ErrorWithFloat("rope.scaling.factor", 1e-20f), HasSubstr("rope.scaling.factor"));
}

TEST(ModelConfigTest, InconsistentSizesAreRefused) {
  EXPECT_THAT(ErrorWithInt("attention.head_count_kv", 3), HasSubstr("does not divide"));
  EXPECT_THAT(ErrorWithInt("rope.dimension_count", 7), HasSubstr("odd"));
  EXPECT_THAT(ErrorWithInt("rope.dimension_count", 18), HasSubstr("rope.dimension_count"));
  EXPECT_THAT(ErrorWithInt("attention.value_length", 8), HasSubstr("value_length"));
  EXPECT_THAT(ErrorWithInt("vocab_size", 64), AllOf(HasSubstr("64"), HasSubstr("128")));
  EXPECT_THAT(ErrorWithInt("block_count", 3), AllOf(HasSubstr("blk.2."), HasSubstr("missing")));
  EXPECT_THAT(ErrorWithInt("block_count", 1), HasSubstr("blk.1."));
}

TEST(ModelConfigTest, WrongTypesAreRefused) {
  EXPECT_THAT(ErrorWith(SpecOf("llama"),
                        [](GgufWriter& writer) { writer.SetString("llama.block_count", "two"); }),
              HasSubstr("llama.block_count"));
  const std::vector<int32_t> per_layer = {96, 96};
  EXPECT_THAT(ErrorWith(SpecOf("llama"),
                        [&](GgufWriter& writer) {
                          writer.SetInt32Array("llama.feed_forward_length", per_layer);
                        }),
              HasSubstr("llama.feed_forward_length"));
}

TEST(ModelConfigTest, UnsupportedArchitecturesAreRefusedWithTheSupportedOnes) {
  const std::string error = ErrorWith(SpecOf("llama"), [](GgufWriter& writer) {
    writer.SetString("general.architecture", "mamba");
  });
  EXPECT_THAT(error, AllOf(HasSubstr("mamba"), HasSubstr("llama, qwen2, qwen3, pangu-embedded")));
}

TEST(ModelConfigTest, UnsupportedRopeScalingIsRefusedByName) {
  for (const char* type : {"yarn", "longrope", "\x1b[31m"}) {
    const std::string error = ErrorWith(SpecOf("qwen2"), [&](GgufWriter& writer) {
      writer.SetString("qwen2.rope.scaling.type", type);
    });
    EXPECT_THAT(error, AllOf(HasSubstr("qwen2.rope.scaling.type"), HasSubstr("supported: none")));
    EXPECT_THAT(error, testing::Not(HasSubstr("\x1b")));
  }
}

TEST(ModelConfigTest, ForeignGraphsAreRefusedByKey) {
  EXPECT_THAT(ErrorWithInt("expert_count", 8), HasSubstr("llama.expert_count"));
  EXPECT_THAT(ErrorWithFloat("attention.clamp_kqv", 8.0f), HasSubstr("clamp_kqv"));
  EXPECT_THAT(ErrorWithFloat("rope.scaling.attn_factor", 1.2f), HasSubstr("rope.scaling.attn"));
  EXPECT_THAT(ErrorWithFloat("rope.scaling.alpha", 1000.0f), HasSubstr("rope.scaling.alpha"));
  EXPECT_EQ(ErrorWithFloat("rope.scaling.attn_factor", 1.0f), "loaded");
  EXPECT_EQ(ErrorWithInt("expert_count", 0), "loaded");
  EXPECT_THAT(
      ErrorWith(SpecOf("llama"),
                [](GgufWriter& writer) { writer.SetBool("llama.attention.causal", false); }),
      HasSubstr("llama.attention.causal"));
}

TEST(ModelConfigTest, ASlidingWindowBoundsTheContext) {
  TestModelSpec spec = SpecOf("llama");
  spec.add_metadata = [](GgufWriter& writer) {
    writer.SetUint32("llama.attention.sliding_window", 100);
  };
  EXPECT_EQ(LoadRandomModel(spec)->config().context_length, 100);
}

TEST(ModelTest, CountsParametersAndBytes) {
  TestModelSpec spec = SpecOf("qwen2");
  spec.num_layers = 1;
  spec.matrix_type = TensorType::kF16;
  const auto untied = LoadRandomModel(spec);
  const int64_t layer = 64 * 64 + 2 * 32 * 64 + 64 * 64 + 3 * 96 * 64;
  const int64_t vectors = 64 + 64 + 32 + 32 + 64 + 64;
  const int64_t table = 128 * 64;
  EXPECT_FALSE(untied->summary().tied);
  EXPECT_EQ(untied->summary().parameters, layer + vectors + 2 * table);
  EXPECT_EQ(untied->summary().weight_bytes, 2 * (layer + table) + 4 * vectors);
  EXPECT_EQ(untied->summary().bytes_per_token, 2 * (layer + table) + 4 * vectors + 2 * 64);
  spec.tied = true;
  const auto tied = LoadRandomModel(spec);
  EXPECT_TRUE(tied->summary().tied);
  EXPECT_EQ(tied->summary().weight_bytes, untied->summary().weight_bytes);
  EXPECT_EQ(tied->summary().parameters, layer + vectors + table);
  EXPECT_EQ(tied->summary().bytes_per_token, untied->summary().bytes_per_token);
}

TEST(ModelTest, TensorsOfAnotherGraphAreRefusedByName) {
  const std::vector<float> values(64 * 96, 0.5f);
  const uint64_t dims[] = {64};
  const auto with_tensor = [&](const std::string& architecture, const std::string& name) {
    return ErrorWith(SpecOf(architecture), [&](GgufWriter& writer) {
      writer.AddTensor(name, 0, dims, std::as_bytes(std::span(values).first(64)));
    });
  };
  for (const char* name :
       {"blk.0.ffn_down.bias", "blk.1.ffn_gate_exps.weight", "blk.0.ffn_gate_inp.weight",
        "blk.0.attn_qkv.weight", "blk.0.post_attention_norm.weight", "blk.2.attn_norm.weight",
        "blk.-1.attn_norm.weight", "blk.-0.attn_norm.weight", "blk.00.attn_norm.weight",
        "blk.00000000000000000000009.attn_norm.weight", "output.bias", "output_norm.bias",
        "cls.output.weight", "rope_factors_long.weight", "blk.0.attn_norm", "blk.", "blk.0",
        "v.patch_embd.weight"}) {
    EXPECT_THAT(with_tensor("llama", name), AllOf(HasSubstr("test.gguf"), HasSubstr(name)));
  }
  EXPECT_THAT(with_tensor("qwen2", "blk.0.attn_output.bias"), HasSubstr("attn_output.bias"));
  EXPECT_THAT(with_tensor("llama", "blk.0.attn_q_norm.weight"), HasSubstr("attn_q_norm"));
  EXPECT_THAT(with_tensor("qwen3", "rope_freqs.weight"), HasSubstr("rope_freqs.weight"));
  EXPECT_EQ(with_tensor("llama", "blk.0.attn_output.bias"), "loaded");
}

// Rewrites a model tensor by tensor: `visit` gets each, and may change or drop it.
struct Tensor {
  std::string name;
  uint32_t type;
  std::vector<uint64_t> dims;
  std::vector<std::byte> data;
};
std::string ErrorAfter(const TestModelSpec& spec, const std::function<bool(Tensor&)>& visit) {
  const std::vector<std::byte> bytes = MakeRandomModel(spec);
  const auto file = GgufFile::Parse(bytes, "original.gguf").value();
  GgufWriter writer;
  for (const GgufKeyValue& entry : file->metadata()) {
    const std::string key(entry.key);
    switch (entry.value.type) {
      case GgufValue::Type::kString:
        writer.SetString(key, file->GetString(key).value());
        break;
      case GgufValue::Type::kFloat32:
        writer.SetFloat32(key, static_cast<float>(file->GetFloat(key).value()));
        break;
      default:
        writer.SetUint32(key, static_cast<uint32_t>(file->GetInt(key).value()));
    }
  }
  for (const GgufTensor& source : file->tensors()) {
    Tensor tensor{std::string(source.name),
                  source.type,
                  source.dims,
                  {source.data.begin(), source.data.end()}};
    if (visit(tensor)) writer.AddTensor(tensor.name, tensor.type, tensor.dims, tensor.data);
  }
  return LoadError(writer.Encode());
}

TEST(ModelTest, MissingTensorsAreNamed) {
  EXPECT_EQ(ErrorAfter(SpecOf("qwen3"), [](Tensor&) { return true; }), "loaded");
  for (const char* architecture : {"llama", "qwen2", "qwen3", "pangu-embedded"}) {
    std::vector<std::string> names;
    ErrorAfter(SpecOf(architecture), [&](Tensor& tensor) {
      names.push_back(tensor.name);
      return true;
    });
    for (const std::string& name : names) {
      if (name == "output.weight") continue;  // without it the model is tied
      const std::string error =
          ErrorAfter(SpecOf(architecture), [&](Tensor& tensor) { return tensor.name != name; });
      EXPECT_THAT(error, AllOf(HasSubstr("test.gguf"), HasSubstr(name), HasSubstr("missing")));
    }
  }
}

TEST(ModelTest, WrongShapesAreNamedWithBothShapes) {
  const auto transposed = [](const std::string& name) {
    return ErrorAfter(SpecOf("llama"), [&](Tensor& tensor) {
      if (tensor.name == name) std::swap(tensor.dims[0], tensor.dims[1]);
      return true;
    });
  };
  EXPECT_THAT(
      transposed("blk.1.ffn_down.weight"),
      AllOf(HasSubstr("blk.1.ffn_down.weight"), HasSubstr("[96, 64]"), HasSubstr("[64, 96]")));
  EXPECT_THAT(transposed("output.weight"), AllOf(HasSubstr("[64, 128]"), HasSubstr("[128, 64]")));
  EXPECT_THAT(transposed("token_embd.weight"), HasSubstr("vocab_size"));
  const std::string flattened = ErrorAfter(SpecOf("llama"), [](Tensor& tensor) {
    if (tensor.name == "token_embd.weight") tensor.dims = {tensor.dims[0] * tensor.dims[1]};
    return true;
  });
  EXPECT_THAT(flattened, HasSubstr("token_embd.weight"));
}

TEST(ModelTest, TypesThatCannotBeRunAreListed) {
  TestModelSpec spec = SpecOf("llama");
  spec.hidden_size = 256;
  const std::string error = ErrorAfter(spec, [](Tensor& tensor) {
    if (tensor.name.ends_with("attn_q.weight")) {
      tensor.type = 11;  // Q3_K: 110 bytes a block of 256
      tensor.data.assign(tensor.dims[0] * tensor.dims[1] / 256 * 110, std::byte{0});
    }
    return true;
  });
  EXPECT_THAT(error, AllOf(HasSubstr("blk.0.attn_q.weight"), HasSubstr("blk.1.attn_q.weight"),
                           HasSubstr("Q3_K"), HasSubstr("Q4_K")));
}

TEST(ModelTest, VectorsMayBeHalves) {
  const std::string error = ErrorAfter(SpecOf("llama"), [](Tensor& tensor) {
    if (tensor.name == "output_norm.weight") {
      tensor.type = static_cast<uint32_t>(TensorType::kBF16);
      tensor.data.resize(tensor.data.size() / 2);
    }
    return true;
  });
  EXPECT_EQ(error, "loaded");
}

TEST(ModelTest, BadRopeFactorsAreRefused) {
  TestModelSpec spec = SpecOf("llama");
  spec.rope_factors = true;
  const auto with = [&](float factor) {
    return ErrorAfter(spec, [&](Tensor& tensor) {
      if (tensor.name == "rope_freqs.weight") {
        std::memcpy(tensor.data.data() + 8, &factor, sizeof(factor));
      }
      return true;
    });
  };
  EXPECT_EQ(with(2.0f), "loaded");
  EXPECT_THAT(with(0.0f), HasSubstr("rope_freqs.weight"));
  EXPECT_THAT(with(std::numeric_limits<float>::quiet_NaN()), HasSubstr("rope_freqs.weight"));
  const std::string shorter = ErrorAfter(spec, [&](Tensor& tensor) {
    if (tensor.name == "rope_freqs.weight") {
      tensor.dims[0] /= 2;
      tensor.data.resize(tensor.data.size() / 2);
    }
    return true;
  });
  EXPECT_THAT(shorter, HasSubstr("rope_freqs.weight"));
}

TEST(ModelTest, MisalignedMemoryIsRefused) {
  const std::vector<std::byte> bytes = MakeRandomModel(SpecOf("llama"));
  std::vector<std::byte> shifted(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
  const auto file = GgufFile::Parse(std::span(shifted).subspan(1), "test.gguf");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  const auto model = Model::Load(file.value());
  ASSERT_FALSE(model.ok());
  EXPECT_THAT(model.status().message(), HasSubstr("aligned"));
}

TEST(TestModelTest, IsDeterministic) {
  TestModelSpec spec;
  EXPECT_EQ(MakeRandomModel(spec), MakeRandomModel(spec));
  TestModelSpec other = spec;
  other.seed = 2;
  EXPECT_NE(MakeRandomModel(spec), MakeRandomModel(other));
}

}  // namespace
}  // namespace aio
