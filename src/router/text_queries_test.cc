// What is handed on as it is goes to the model that is named, or to the small one.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "router/router_test_fixture.h"

namespace aio {
namespace {

class TextQueriesTest : public testing::Test, public RouterFixture {
 protected:
  TextQueriesTest() : RouterFixture(FakeBackend::Delivery::kImmediate) {}

  std::string TokenizerOf(const std::string& model) {
    const Result<Tokenized> tokenized =
        router->Tokenize({.model = model, .prompt = std::string("Hi")});
    return tokenized.ok() ? tokenized->model : tokenized.status().reason();
  }
};

TEST_F(TextQueriesTest, NamesThatRouteStandForTheSmallModel) {
  EXPECT_EQ(TokenizerOf("auto"), kSmall);
  EXPECT_EQ(TokenizerOf("aio/auto"), kSmall);
  EXPECT_EQ(TokenizerOf("auto-0.45"), kSmall);
  EXPECT_EQ(TokenizerOf("small"), kSmall);
  EXPECT_EQ(TokenizerOf("large"), kLarge);
  EXPECT_EQ(TokenizerOf(kLarge), kLarge);
  EXPECT_EQ(TokenizerOf("nope"), "model_not_found");
}

TEST_F(TextQueriesTest, EachIsAnsweredOrRefusedThere) {
  EXPECT_EQ(router->Detokenize("auto", std::vector<int32_t>{72, 105}).value(), "Hi");
  const std::vector<ChatMessage> messages = {{"user", "Hi"}};
  EXPECT_EQ(router->RenderChat({.model = "large", .prompt = messages}).value(),
            "user: Hi\nassistant: ");
  std::optional<Embeddings> embeddings;
  const auto embed = [&](const std::string& model) {
    return router
        ->Embed({.model = model, .inputs = {std::string("a b")}},
                [&](Result<Embeddings> result) { embeddings = std::move(result).value(); })
        .status();
  };
  EXPECT_TRUE(embed("auto").ok());
  ASSERT_TRUE(embeddings.has_value());
  EXPECT_EQ(embeddings->model, kSmall);
  EXPECT_EQ(embeddings->prompt_tokens, 2);

  large.Update(kLarge, [](FakeModel& model) { model.answers_text_queries = false; });
  EXPECT_EQ(embed("large").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(router->Detokenize("large", std::vector<int32_t>{72}).status().param(), "model");
  EXPECT_EQ(router->RenderChat({.model = "large", .prompt = messages}).status().code(),
            StatusCode::kUnimplemented);
}

TEST_F(TextQueriesTest, AnswersToOnePromptMayShareWhatTheFirstLeaves) {
  Request first = Ask("code x", kSmall);
  first.hold_prompt = true;
  const RecordingSink::Record record = RouterFixture::Run(first);
  ASSERT_EQ(record.starts.size(), 1u);
  Request second = Ask("code x", kSmall);
  second.held_prompt = record.starts[0].held_prompt;
  ASSERT_NE(second.held_prompt, nullptr);
  EXPECT_EQ(RouterFixture::Run(second).finishes.at(0).usage.cached_prompt_tokens, 2);
}

}  // namespace
}  // namespace aio
