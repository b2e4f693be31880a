#include "app/strategy_workloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aio {
namespace {

using ::testing::HasSubstr;

constexpr char kTwo[] = R"({"workload": "copy", "prompt": "a", "max_tokens": 3, "extra": 1})"
                        "\n\n"
                        R"({"workload": "chat", "prompt": "b", "max_tokens": 4})"
                        "\n"
                        R"({"workload": "copy", "prompt": "c", "max_tokens": 5})";

TEST(StrategyWorkloadsTest, GroupsPromptsByWorkload) {
  const auto workloads = ParseStrategyWorkloads(kTwo, "w.jsonl");
  ASSERT_TRUE(workloads.ok()) << workloads.status().ToString();
  ASSERT_EQ(workloads->size(), 2u);
  EXPECT_EQ((*workloads)[0].name, "copy");
  ASSERT_EQ((*workloads)[0].prompts.size(), 2u);
  EXPECT_EQ((*workloads)[0].prompts[1].prompt, "c");
  EXPECT_EQ((*workloads)[0].prompts[1].max_tokens, 5);
  EXPECT_EQ((*workloads)[1].name, "chat");
}

TEST(StrategyWorkloadsTest, NamesFileLineAndField) {
  const auto message = [](const char* text) {
    return ParseStrategyWorkloads(text, "w.jsonl").status().message();
  };
  EXPECT_EQ(message("nonsense"), "w.jsonl: line 1: not a JSON object");
  EXPECT_EQ(message("\n{\"prompt\": \"a\", \"max_tokens\": 3}"),
            "w.jsonl: line 2: field 'task' must be a string that is not empty");
  EXPECT_EQ(message("{\"workload\": \"a\", \"prompt\": \"\", \"max_tokens\": 3}"),
            "w.jsonl: line 1: field 'prompt' must be a string that is not empty");
  for (const char* value : {"0", "-1", "1.5", "\"3\"", "null", "99999999999999999999"}) {
    const std::string line =
        std::string(R"({"workload": "a", "prompt": "b", "max_tokens": )") + value + "}";
    EXPECT_THAT(message(line.c_str()), HasSubstr("w.jsonl: line 1: field 'max_tokens' must be"));
  }
  EXPECT_EQ(message("\n \n"), "w.jsonl: holds no prompt");
  EXPECT_THAT(ReadStrategyWorkloads("/nowhere/w.jsonl").status().message(),
              HasSubstr("/nowhere/w.jsonl"));
  EXPECT_THAT(ReadStrategyWorkloads("/").status().message(), HasSubstr("/: "));
}

TEST(StrategyWorkloadsTest, ChoosesByName) {
  const auto all = ParseStrategyWorkloads(kTwo, "w.jsonl").value();
  EXPECT_EQ(ChooseWorkloads(all, {})->size(), 2u);
  const auto chosen = ChooseWorkloads(all, {"chat"}).value();
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].name, "chat");
  EXPECT_EQ(ChooseWorkloads(all, {"math"}).status().message(),
            "--workload math: there is no such; there are copy, chat");
}

}  // namespace
}  // namespace aio
