#include "app/attack_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aio {
namespace {

using ::testing::HasSubstr;

std::vector<DefendedReport> Reports() {
  RobustnessReport bare;
  bare.attack_success = {.of = 8, .count = 4};
  bare.by_attack = {{"label-line", {.of = 8, .count = 4}}};
  bare.clean_right = {.of = 2, .count = 2};
  bare.successful = {"bad \xff bytes"};
  RobustnessReport defended = bare;
  defended.attack_success.count = 1;
  defended.by_attack[0].share.count = 1;
  return {{"none", bare}, {"all", defended}};
}

TEST(AttackReportTest, HasAColumnForEachDefence) {
  const std::string text = AttackReportText(Reports());
  EXPECT_THAT(text, HasSubstr("      none       all\n"));
  EXPECT_THAT(text, HasSubstr("  label-line (8)                      50.0 %    12.5 %\n"));
}

TEST(AttackReportTest, IsJsonWhateverBytesThePromptsHave) {
  const nlohmann::json json = nlohmann::json::parse(AttackReportJson(Reports()));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[1]["defences"], "all");
  EXPECT_EQ(json[1]["by_attack"]["label-line"]["count"], 1);
  EXPECT_EQ(json[0]["attack_success"]["percent"], 50.0);
}

}  // namespace
}  // namespace aio
