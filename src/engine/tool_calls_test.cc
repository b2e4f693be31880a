#include "engine/tool_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aio {
namespace {

struct Read {
  std::string text;
  std::vector<std::string> calls;  // "name arguments"
  std::vector<std::string> ids;
};

// In pieces of `step` bytes: tokens may end anywhere.
Read ReadIn(ToolCallFormat format, const std::string& answer, size_t step) {
  ToolCallReader reader(format, {"f", "g"}, /*id_seed=*/7);
  Read read;
  const auto add = [&read](ToolCallReader::Found found) {
    read.text += found.text;
    for (const ToolCall& call : found.calls) {
      read.calls.push_back(call.name + " " + call.arguments);
      read.ids.push_back(call.id);
    }
  };
  for (size_t at = 0; at < answer.size(); at += step) add(reader.Add(answer.substr(at, step)));
  add(reader.End());
  return read;
}

Read ReadAlike(ToolCallFormat format, const std::string& answer) {
  const Read whole = ReadIn(format, answer, answer.size() + 1);
  for (const size_t step : {1, 2, 3, 7}) {
    const Read parts = ReadIn(format, answer, step);
    EXPECT_EQ(parts.text, whole.text) << answer << ", " << step << " bytes at a time";
    EXPECT_EQ(parts.calls, whole.calls);
    EXPECT_EQ(parts.ids, whole.ids);
  }
  return whole;
}

Read Tagged(const std::string& answer) { return ReadAlike(ToolCallFormat::kTagged, answer); }
Read Bare(const std::string& answer) { return ReadAlike(ToolCallFormat::kBare, answer); }

using Strings = std::vector<std::string>;

TEST(ToolCallReaderTest, TaggedCallsAreTakenOutOfTheText) {
  const Read read = Tagged(
      "Let me see.\n\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"ä\"]}}\n"
      "</tool_call>\n<tool_call>{\"arguments\":{},\"name\":\"g\"}</tool_call>");
  EXPECT_EQ(read.text, "Let me see.");
  EXPECT_EQ(read.calls, (Strings{"f {\"a\": [1, \"ä\"]}", "g {}"}));
  ASSERT_EQ(read.ids.size(), 2u);
  EXPECT_NE(read.ids[0], read.ids[1]);
  EXPECT_EQ(read.ids[0].size(), 9u);
}

TEST(ToolCallReaderTest, WhatIsNoCallIsText) {
  for (const std::string text :
       {"plain", "a < b <tool_ca", "<tool_call>\nno json\n</tool_call> and on",
        "Use:\n\n<tool_call>like this</tool_call>\n", "Use: <tool_call>",
        "<tool_call>[]</tool_call>", "<tool_call>{\"name\": 5}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>", "<tool_call>{\"name\": \"f",
        " leading and trailing \n", "</tool_call>"}) {
    const Read read = Tagged(text);
    EXPECT_EQ(read.text, text);
    EXPECT_EQ(read.calls, Strings{});
  }
}

TEST(ToolCallReaderTest, TheLastTagMayBeMissing) {
  EXPECT_EQ(Tagged("<tool_call>\n{\"name\": \"f\", \"arguments\": {}}").calls, Strings{"f {}"});
}

TEST(ToolCallReaderTest, ArgumentsMayBeATextOfThem) {
  EXPECT_EQ(Tagged(R"(<tool_call>{"name": "f", "arguments": "{\"a\": 1}"}</tool_call>)").calls,
            Strings{"f {\"a\": 1}"});
}

TEST(ToolCallReaderTest, ABareCallIsTheWholeAnswer) {
  EXPECT_EQ(Bare(R"({"name": "f", "parameters": {"a": 1}})").calls, Strings{"f {\"a\": 1}"});
  EXPECT_EQ(Bare(R"( [{"name": "f", "arguments": {}}, {"name": "g", "arguments": {}}])").calls,
            (Strings{"f {}", "g {}"}));
  for (const std::string text :
       {R"({"name": "other", "parameters": {}})", R"({"a": 1})", "text {\"name\": \"f\"}", "[1, 2]",
        "{\"name\": \"f\", \"parameters\": {}} and more", "[", ""}) {
    const Read read = Bare(text);
    EXPECT_EQ(read.text, text);
    EXPECT_EQ(read.calls, Strings{});
  }
}

}  // namespace
}  // namespace aio
