#include "api/embeddings_api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

std::string Input(const std::string& json, const std::string& members = "") {
  return R"({"input": )" + json + (members.empty() ? "" : ", " + members) + "}";
}

std::vector<Prompt> InputsOf(const std::string& json) {
  const Result<EmbeddingsRequest> result = DecodeEmbeddingsRequest(Input(json));
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? result->query.inputs : std::vector<Prompt>{};
}

std::string Refused(const std::string& body) {
  const Result<EmbeddingsRequest> result = DecodeEmbeddingsRequest(body);
  return result.ok() ? "(accepted)" : result.status().param();
}

TEST(EmbeddingsApiTest, FourKindsOfInput) {
  using Ids = std::vector<int32_t>;
  EXPECT_EQ(InputsOf(R"("a")"), (std::vector<Prompt>{std::string("a")}));
  EXPECT_EQ(InputsOf(R"(["a", "b"])"), (std::vector<Prompt>{std::string("a"), std::string("b")}));
  EXPECT_EQ(InputsOf("[1, 2]"), (std::vector<Prompt>{Ids{1, 2}}));
  EXPECT_EQ(InputsOf("[[1, 2], [3]]"), (std::vector<Prompt>{Ids{1, 2}, Ids{3}}));
}

TEST(EmbeddingsApiTest, FormatsAndModels) {
  EXPECT_EQ(DecodeEmbeddingsRequest(Input("\"a\""))->query.model, "auto");
  EXPECT_FALSE(DecodeEmbeddingsRequest(Input("\"a\""))->base64);
  EXPECT_TRUE(DecodeEmbeddingsRequest(Input("\"a\"", R"("encoding_format": "base64")"))->base64);
  EXPECT_EQ(Refused(Input("\"a\"", R"("encoding_format": "int8")")), "encoding_format");
  EXPECT_EQ(Refused(Input("\"a\"", R"("dimensions": 8)")), "dimensions");
}

TEST(EmbeddingsApiTest, WrongInputsAreRefusedByName) {
  EXPECT_EQ(Refused("{}"), "input");
  EXPECT_EQ(Refused(Input("7")), "input");
  EXPECT_EQ(Refused(Input("\"\"")), "input");
  EXPECT_EQ(Refused(Input("[]")), "input");
  EXPECT_EQ(Refused(Input(R"(["a", ""])")), "input[1]");
  EXPECT_EQ(Refused(Input(R"(["a", 7])")), "input[1]");
  EXPECT_EQ(Refused(Input("[1, -1]")), "input[1]");
  EXPECT_EQ(Refused(Input("[[1], []]")), "input[1]");
  EXPECT_EQ(Refused(Input("[[1, \"a\"]]")), "input[0][1]");
  std::string many = "[";
  for (size_t i = 0; i <= kEmbeddingInputsMax; ++i) many += "\"a\",";
  many.back() = ']';
  EXPECT_EQ(Refused(Input(many)), "input");
}

TEST(EmbeddingsApiTest, AnswersByteForByte) {
  Embeddings embeddings;
  embeddings.model = "pocket-small";
  embeddings.vectors = {{0.5f, -1.0f, 0.25f}, {0.1f, 0.0f, 0.0f}};
  embeddings.prompt_tokens = 7;
  EXPECT_EQ(
      EncodeEmbeddings(embeddings, false),
      R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1,0.25]},)"
      R"({"object":"embedding","index":1,"embedding":[0.1,0,0]}],"model":"pocket-small",)"
      R"("usage":{"prompt_tokens":7,"total_tokens":7}})");
  // 0.5 is 00 00 00 3F, -1 is 00 00 80 BF, 0.25 is 00 00 80 3E.
  EXPECT_EQ(nlohmann::json::parse(EncodeEmbeddings(embeddings, true))["data"][0]["embedding"],
            "AAAAPwAAgL8AAIA+");
}

}  // namespace
}  // namespace aio
