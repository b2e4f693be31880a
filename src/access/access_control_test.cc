#include "access/access_control.h"

#include <gtest/gtest.h>

#include <string>

namespace aio {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kStart{};

ApiKey Key(const std::string& name, KeyLimits limits = {}) {
  ApiKey key;
  key.name = name;
  key.hash = HashSecret("secret of " + name);
  key.limits = limits;
  return key;
}

TEST(ApiKeyTest, SecretsAreLongAndDiffer) {
  const Result<std::string> secret = NewApiKeySecret();
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(secret->size(), 4u + 43u);
  EXPECT_TRUE(secret->starts_with("aio-"));
  EXPECT_EQ(secret->find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_"),
            std::string::npos);
  EXPECT_NE(*secret, *NewApiKeySecret());
}

TEST(ApiKeyTest, ModelsAreAllowedByNameOrBeginning) {
  ApiKey key = Key("a");
  EXPECT_TRUE(AllowsModel(key, "anything"));
  key.models = {"auto*", "pocket-small"};
  EXPECT_TRUE(AllowsModel(key, "auto"));
  EXPECT_TRUE(AllowsModel(key, "auto-0.45"));
  EXPECT_TRUE(AllowsModel(key, "pocket-small"));
  EXPECT_FALSE(AllowsModel(key, "pocket-small-w8a16"));
  EXPECT_FALSE(AllowsModel(key, "aut"));
  EXPECT_FALSE(AllowsModel(key, ""));
}

TEST(ApiKeyTest, NamesCannotForgeALog) {
  for (const char* name : {"alice", "team-1_x.y", "A"})
    EXPECT_TRUE(CheckKeyName(name).ok()) << name;
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\n"), std::string("a\""),
        std::string(kKeyNameBytesMax + 1, 'x'), std::string("\xC3\xA9")}) {
    EXPECT_FALSE(CheckKeyName(name).ok()) << name;
  }
}

TEST(AccessControlTest, FindsKeysByTheirSecret) {
  const AccessControl access({Key("alice"), Key("bob")}, true, kStart);
  ASSERT_NE(access.Find("secret of bob"), nullptr);
  EXPECT_EQ(access.Find("secret of bob")->key.name, "bob");
  EXPECT_EQ(access.Find("secret of bo"), nullptr);
  EXPECT_EQ(access.Find("secret of bobb"), nullptr);
  EXPECT_EQ(access.Find(""), nullptr);
}

TEST(AccessControlTest, AReloadKeepsWhatWasUsed) {
  const KeyLimits limits{.requests_per_minute = 2};
  AccessControl access({Key("alice", limits), Key("bob", limits)}, true, kStart);
  const auto alice = access.Find("secret of alice");
  EXPECT_FALSE(alice->budgets->TakeRequest(kStart));
  EXPECT_FALSE(access.Find("secret of bob")->budgets->TakeRequest(kStart));

  ApiKey bob = Key("bob", limits);
  bob.hash = HashSecret("another");
  access.Replace({Key("alice", {.requests_per_minute = 3}), bob}, true, kStart);
  EXPECT_EQ(access.Find("secret of bob"), nullptr);
  EXPECT_EQ(access.Find("another")->budgets->Read(kStart).requests->remaining, 2);
  EXPECT_EQ(access.Find("secret of alice")->budgets->Read(kStart).requests->remaining, 2);
  // Who still holds the old one, uses the same budget.
  EXPECT_FALSE(alice->budgets->TakeRequest(kStart));
  EXPECT_EQ(access.Find("secret of alice")->budgets->Read(kStart).requests->remaining, 1);
}

TEST(KeyBudgetsTest, RequestsAMinute) {
  KeyBudgets budgets({.requests_per_minute = 2}, kStart);
  EXPECT_FALSE(budgets.TakeRequest(kStart));
  EXPECT_FALSE(budgets.TakeRequest(kStart));
  const auto over = budgets.TakeRequest(kStart);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->limit, "requests per minute");
  EXPECT_EQ(over->allowed, 2);
  EXPECT_EQ(over->retry_after, seconds(30));
  EXPECT_FALSE(budgets.TakeRequest(kStart + seconds(30)));
}

TEST(KeyBudgetsTest, EstimatesAreSettled) {
  KeyBudgets budgets({.tokens_per_minute = 1000}, kStart);
  EXPECT_FALSE(budgets.Reserve(800, kStart));
  EXPECT_TRUE(budgets.Reserve(300, kStart));
  budgets.Settle(800, 100, kStart);
  EXPECT_EQ(budgets.Read(kStart).tokens->remaining, 900);
  EXPECT_FALSE(budgets.Reserve(300, kStart));
  budgets.Settle(300, 2000, kStart);  // a debt of 1,100
  EXPECT_EQ(budgets.Read(kStart).tokens->remaining, 0);
  const auto over = budgets.Reserve(1, kStart);
  ASSERT_TRUE(over);
  EXPECT_GT(over->retry_after, minutes(1));
  EXPECT_FALSE(budgets.Reserve(1, kStart + over->retry_after));
}

TEST(KeyBudgetsTest, AnEstimateOverTheLimitNeedsAllOfIt) {
  KeyBudgets budgets({.tokens_per_minute = 100}, kStart);
  EXPECT_FALSE(budgets.Reserve(5000, kStart)) << "else it could never run";
  EXPECT_TRUE(budgets.Reserve(1, kStart));
}

TEST(KeyBudgetsTest, TheDaysBudgetOutlastsTheMinutes) {
  KeyBudgets budgets({.tokens_per_minute = 1000, .tokens_per_day = 1500}, kStart);
  EXPECT_FALSE(budgets.Reserve(1000, kStart));
  const TimePoint later = kStart + minutes(1);
  const auto over = budgets.Reserve(1000, later);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->limit, "tokens per day");
  EXPECT_EQ(budgets.Read(later).tokens->limit, 1500);
  EXPECT_LT(budgets.Read(later).tokens->remaining, 502);
  EXPECT_FALSE(budgets.Reserve(1000, later + hours(24)));
}

TEST(KeyBudgetsTest, NoLimitsNoReadings) {
  KeyBudgets budgets({}, kStart);
  EXPECT_FALSE(budgets.TakeRequest(kStart));
  EXPECT_FALSE(budgets.Reserve(1'000'000'000, kStart));
  EXPECT_FALSE(budgets.Read(kStart).requests);
  EXPECT_FALSE(budgets.Read(kStart).tokens);
}

}  // namespace
}  // namespace aio
