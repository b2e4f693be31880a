#include "app/prompt_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <sstream>

namespace aio {
namespace {

using ::testing::HasSubstr;

// The request that a command line of these flags makes.
Result<Request> Parsed(std::vector<std::string> flags) {
  CLI::App command;
  SamplingFlags sampling;
  sampling.AddTo(command);
  try {
    std::reverse(flags.begin(), flags.end());  // which is what CLI11 takes
    command.parse(flags);
  } catch (const CLI::ParseError& error) {
    return InvalidArgument(error.what());
  }
  return sampling.ToRequest();
}

Result<Request> Parsed(const std::string& flags) {
  std::istringstream words(flags);
  return Parsed(std::vector<std::string>{std::istream_iterator<std::string>(words), {}});
}

std::optional<Strategy> StrategyOf(const std::string& flags) {
  const Result<Request> request = Parsed(flags);
  EXPECT_TRUE(request.ok()) << request.status().ToString();
  return request.ok() ? request->strategy : std::nullopt;
}

TEST(PromptFlagsTest, StrategiesByNameAndNumber) {
  EXPECT_EQ(StrategyOf(""), std::nullopt);
  EXPECT_EQ(StrategyOf("--strategy draft_model"), DefaultStrategy(StrategyKind::kDraftModel));
  EXPECT_EQ(StrategyOf("--num-speculative-tokens 0"), Strategy{});
  EXPECT_EQ(StrategyOf("--strategy plain --num-speculative-tokens 0"), Strategy{});
  const std::optional<Strategy> any = StrategyOf("--num-speculative-tokens 3");
  EXPECT_EQ(any->kind, StrategyKind::kAuto);
  EXPECT_EQ(any->num_speculative_tokens, 3);
  const auto lookup = StrategyOf("--strategy prompt_lookup --num-speculative-tokens 16");
  EXPECT_EQ(lookup->kind, StrategyKind::kPromptLookup);
  EXPECT_EQ(lookup->num_speculative_tokens, 16);
}

TEST(PromptFlagsTest, WeightsMayBeTheModelsOwn) {
  EXPECT_EQ(Parsed("")->weights, std::nullopt);
  EXPECT_EQ(Parsed("--weights w8a16")->weights, kW8A16);
  EXPECT_EQ(Parsed(std::vector<std::string>{"--weights", ""})->weights, "");
}

TEST(PromptFlagsTest, WhatCannotBeIsRefusedByName) {
  for (const char* flags :
       {"--strategy plain --num-speculative-tokens 4", "--strategy auto --num-speculative-tokens 0",
        "--num-speculative-tokens 17", "--num-speculative-tokens -1",
        "--num-speculative-tokens four"}) {
    EXPECT_THAT(Parsed(flags).status().message(), HasSubstr("--num-speculative-tokens")) << flags;
  }
  EXPECT_THAT(Parsed("--strategy fast").status().message(), HasSubstr("prompt_lookup"));
  EXPECT_THAT(Parsed("--weights w4").status().message(), HasSubstr("--weights w4"));
}

}  // namespace
}  // namespace aio
