#include "router/prompt_hash.h"

#include <gtest/gtest.h>

#include <set>

namespace aio {
namespace {

using Messages = std::vector<ChatMessage>;

TEST(PromptHashTest, EqualPromptsHaveEqualHashes) {
  const Prompt prompt = Messages{{"user", "What is 7 * 8?"}};
  EXPECT_EQ(PromptHash(prompt), PromptHash(Messages{{"user", "What is 7 * 8?"}}));
  EXPECT_EQ(PromptHash(prompt).size(), 64u);
}

TEST(PromptHashTest, NoTwoPromptsShareAForm) {
  const std::vector<Prompt> prompts = {
      std::string(),
      std::string("ab"),
      std::string("a"),
      Messages{},
      Messages{{"user", "ab"}},
      Messages{{"user", "a"}, {"user", "b"}},
      Messages{{"usera", "b"}},
      Messages{{"user", "a"}, {"assistant", "b"}},
      Messages{{"assistant", "b"}, {"user", "a"}},
      std::vector<int32_t>{},
      std::vector<int32_t>{1, 2},
      std::vector<int32_t>{12},
  };
  std::set<std::string> hashes;
  for (const Prompt& prompt : prompts) hashes.insert(PromptHash(prompt));
  EXPECT_EQ(hashes.size(), prompts.size());
}

// A log is read for years and on other machines: what the form is may not change unnoticed.
TEST(PromptHashTest, TheFormIsFixed) {
  EXPECT_EQ(PromptHash(Messages{{"user", "Hello"}}),
            "87305e02c646c99a6159f356ac4390faeec81572beb5d786776198ed8d00367b");
}

}  // namespace
}  // namespace aio
