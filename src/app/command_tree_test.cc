#include "app/command_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace aio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CommandTreeTest : public testing::Test {
 protected:
  CommandTreeTest() { program_.set_help_flag(); }

  CommandOption TheOption() const { return DescribeCommand(program_).options.at(0); }

  CLI::App program_{"About it", "tool"};
  int number_ = 0;
  std::string text_;
  std::vector<std::string> texts_;
};

TEST_F(CommandTreeTest, AnOptionHasItsNamesBoundsDefaultAndVariable) {
  program_.add_option("-p,--port", number_, "where to listen")
      ->check(CLI::Range(0, 9))
      ->capture_default_str()
      ->envname("TOOL_PORT");
  const CommandOption option = TheOption();
  EXPECT_THAT(option.names, ElementsAre("-p", "--port"));
  EXPECT_EQ(option.positional, "");
  EXPECT_EQ(option.description, "where to listen");
  EXPECT_EQ(option.value, "INT");
  EXPECT_EQ(option.bounds, "INT in [0 - 9]");
  EXPECT_EQ(option.default_value, "0");
  EXPECT_EQ(option.environment, "TOOL_PORT");
  EXPECT_THAT(option.choices, IsEmpty());
  EXPECT_FALSE(option.repeats || option.required || option.TakesFile());
}

TEST_F(CommandTreeTest, AFlagTakesNoValue) {
  bool flag = false;
  program_.add_flag("--json", flag, "as JSON");
  EXPECT_EQ(TheOption().value, "");
  EXPECT_FALSE(TheOption().TakesFile());
}

TEST_F(CommandTreeTest, ChoicesAreReadFromEitherValidator) {
  program_.add_option("--type", text_)->check(CLI::IsMember({"f16", "q8_0"}));
  std::map<std::string, int> values = {{"a", 0}, {"b", 1}};
  program_.add_option("--kind", number_)->transform(CLI::CheckedTransformer(values));
  const std::vector<CommandOption> options = DescribeCommand(program_).options;
  EXPECT_THAT(options.at(0).choices, ElementsAre("f16", "q8_0"));
  EXPECT_FALSE(options.at(0).TakesFile());
  EXPECT_THAT(options.at(1).choices, ElementsAre("a", "b"));
}

TEST_F(CommandTreeTest, TextMayBeAFileAndAPositionalMayRepeat) {
  program_.add_option("files", texts_)->required();
  const CommandOption option = TheOption();
  EXPECT_THAT(option.names, IsEmpty());
  EXPECT_EQ(option.positional, "files");
  EXPECT_TRUE(option.repeats && option.required && option.TakesFile());
}

TEST_F(CommandTreeTest, CommandsAreVisitedParentsFirstAndHiddenOnesAreLeftOut) {
  CLI::App* group = program_.add_subcommand("bench", "Measures");
  group->add_subcommand("mixed", "Mixes")->footer("Example:");
  program_.add_subcommand("secret", "Hidden")->group("");
  program_.add_subcommand("keys", "Keys");
  program_.add_option("--hidden", text_)->group("");
  std::vector<std::string> visited;
  std::string footer;
  ForEachCommand(DescribeCommand(program_),
                 [&](const std::string& words, const CommandDescription& command) {
                   visited.push_back(words);
                   footer += command.footer;
                   EXPECT_THAT(command.options, IsEmpty());
                 });
  EXPECT_THAT(visited, ElementsAre("tool", "tool bench", "tool bench mixed", "tool keys"));
  EXPECT_EQ(footer, "Example:");
}

}  // namespace
}  // namespace aio
