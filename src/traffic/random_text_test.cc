#include "traffic/random_text.h"

#include <gtest/gtest.h>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

TEST(RandomText, IsRepeatableAndGrowsByItsEnd) {
  EXPECT_EQ(RandomWords(30, 4), RandomWords(30, 4));
  EXPECT_NE(RandomWords(30, 4), RandomWords(30, 5));
  EXPECT_TRUE(RandomWords(40, 4).starts_with(RandomWords(30, 4)));
}

TEST(RandomText, HasAboutTheTokensWanted) {
  FakeModel model = FakeModel::Named("m", "small");
  // Three tokens a word, and 11 of a template.
  model.count_tokens = [](const Prompt& prompt) { return 11 + 3 * FakeTokenCount(prompt); };
  const FakeBackend backend({model});
  const Result<RandomText> text = RandomText::Create(backend, "m");
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_DOUBLE_EQ(text->tokens_per_word(), 3);
  EXPECT_DOUBLE_EQ(text->template_tokens(), 11);
  for (const int tokens : {50, 500, 3000}) {
    const int count = model.count_tokens(Prompt(text->WithTokens(tokens, 9)));
    EXPECT_LE(count, tokens);
    EXPECT_GE(count, tokens * 0.97 - 3);
  }
  EXPECT_EQ(FakeTokenCount(Prompt(text->WithTokens(1, 9))), 1);
}

TEST(RandomText, NeedsABackendThatCounts) {
  FakeModel model = FakeModel::Named("m", "small");
  model.count_fault = Unavailable("gone");
  const FakeBackend backend({model});
  EXPECT_EQ(RandomText::Create(backend, "m").status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace aio
