#include "api/tokens_api.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

TokenizeRequest Decoded(const std::string& body) {
  Result<TokenizeRequest> result = DecodeTokenizeRequest(body);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? *result : TokenizeRequest{};
}

std::string Refused(const std::string& body) {
  const Result<TokenizeRequest> result = DecodeTokenizeRequest(body);
  return result.ok() ? "(accepted)" : result.status().param();
}

TEST(TokensApiTest, AsLlamaServersClientsAsk) {
  const TokenizeRequest plain = Decoded(R"({"content": "a"})");
  EXPECT_EQ(std::get<std::string>(plain.query.prompt), "a");
  EXPECT_EQ(plain.query.model, "auto");
  EXPECT_FALSE(plain.query.add_special);
  EXPECT_TRUE(plain.query.parse_special);
  EXPECT_FALSE(plain.with_pieces);
  const TokenizeRequest all = Decoded(
      R"({"content": "a", "add_special": true, "parse_special": false, "with_pieces": true})");
  EXPECT_TRUE(all.query.add_special);
  EXPECT_FALSE(all.query.parse_special);
  EXPECT_TRUE(all.with_pieces);
}

TEST(TokensApiTest, AsVllmsClientsAsk) {
  EXPECT_TRUE(Decoded(R"({"model": "m", "prompt": "a"})").query.add_special);
  EXPECT_FALSE(Decoded(R"({"prompt": "a", "add_special_tokens": false})").query.add_special);
  const TokenizeRequest chat = Decoded(
      R"({"messages": [{"role": "user", "content": "a"}], "add_generation_prompt": false})");
  EXPECT_FALSE(chat.query.add_generation_prompt);
  EXPECT_EQ(std::get<std::vector<ChatMessage>>(chat.query.prompt).size(), 1u);
}

TEST(TokensApiTest, WrongFieldsAreRefusedByName) {
  EXPECT_EQ(Refused("{}"), "content");
  EXPECT_EQ(Refused(R"({"content": 7})"), "content");
  EXPECT_EQ(Refused(R"({"prompt": [1]})"), "prompt");
  EXPECT_EQ(Refused(R"({"content": "a", "prompt": "b"})"), "prompt");
  EXPECT_EQ(Refused(R"({"messages": []})"), "messages");
  EXPECT_EQ(Refused(R"({"content": "a", "with_pieces": 1})"), "with_pieces");
  EXPECT_EQ(DecodeDetokenizeRequest("{}").status().param(), "tokens");
  EXPECT_EQ(DecodeDetokenizeRequest(R"({"tokens": "a"})").status().param(), "tokens");
  EXPECT_EQ(DecodeDetokenizeRequest(R"({"tokens": [1, -2]})").status().param(), "tokens[1]");
  EXPECT_EQ(DecodeApplyTemplateRequest("{}").status().param(), "messages");
  EXPECT_EQ(DecodeApplyTemplateRequest(
                R"({"messages": [{"role": "user", "content": "a"}], "tools": [{}]})")
                .status()
                .param(),
            "tools[0].function");
}

TEST(TokensApiTest, AnswersByteForByte) {
  Tokenized tokenized;
  tokenized.model = "pocket-small";
  tokenized.tokens = {1, 7};
  tokenized.pieces = {"<s>", "\xC3"};
  tokenized.context_length = 2048;
  TokenizeRequest request;
  EXPECT_EQ(EncodeTokenized(request, tokenized),
            R"({"tokens":[1,7],"count":2,"max_model_len":2048,"model":"pocket-small"})");
  request.with_pieces = true;
  request.return_token_strs = true;
  EXPECT_EQ(EncodeTokenized(request, tokenized),
            R"({"tokens":[{"id":1,"piece":"<s>"},{"id":7,"piece":[195]}],"count":2,)"
            R"("max_model_len":2048,"token_strs":["<s>","�"],"model":"pocket-small"})");
  EXPECT_EQ(EncodeDetokenized("a\xC3"),
            "{\"content\":\"a\xEF\xBF\xBD\",\"prompt\":\"a\xEF\xBF\xBD\"}");
  EXPECT_EQ(EncodeAppliedTemplate("<s>"), R"({"prompt":"<s>"})");
}

}  // namespace
}  // namespace aio
