#include "router/model_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/routing_policy.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

std::vector<NamedModel> Pair(std::string small, std::string large) {
  return {{.name = std::move(small), .role = kSmallRole, .weights = ""},
          {.name = std::move(large), .role = kLargeRole, .weights = ""}};
}

ModelNames Names() {
  return ModelNames::Create({"auto", "aio/auto"}, Pair("pocket-small", "pocket-large"), 3).value();
}

TEST(ModelNames, Resolves) {
  EXPECT_EQ(Names().Resolve("pocket-small")->role, "small");
  EXPECT_EQ(Names().Resolve("small")->role, "small");
  EXPECT_EQ(Names().Resolve("pocket-large")->role, "large");
  EXPECT_EQ(Names().Resolve("large")->role, "large");
  for (const char* name : {"auto", "aio/auto"}) {
    EXPECT_EQ(Names().Resolve(name)->role, "");
    EXPECT_FALSE(Names().Resolve(name)->entropy_threshold.has_value());
  }
}

TEST(ModelNames, ThresholdInTheName) {
  const std::vector<std::pair<std::string, double>> good = {
      {"auto-0.45", 0.45}, {"aio/auto-0.45", 0.45}, {"auto-0", 0},      {"auto-0.0", 0},
      {"auto-1", 1},       {"auto-1.0986", 1.0986}, {"auto-00.5", 0.5},
  };
  for (const auto& [name, threshold] : good) {
    const auto route = Names().Resolve(name);
    ASSERT_TRUE(route.ok()) << name;
    EXPECT_EQ(route->role, "");
    EXPECT_EQ(route->entropy_threshold, threshold);
  }
  // ln 3 = 1.09861...
  for (const char* name :
       {"auto-", "auto-x", "auto-0.45x", "auto-.5", "auto-5.", "auto--0.1", "auto-+0.1",
        "auto-1e-1", "auto-0x1", "auto-nan", "auto-inf", "auto- 0.4", "auto-0.4 ", "auto-0.4.5",
        "auto-1.0987", "auto-2", "auto-0.0000000000000000000001", "aio/auto-mini", "auto-0,45"}) {
    const auto route = Names().Resolve(name);
    ASSERT_FALSE(route.ok()) << name;
    EXPECT_EQ(route.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(route.status().param(), "model");
    EXPECT_THAT(route.status().message(), HasSubstr("from 0 to 1.0986 nats, as in 'auto-0.45'"));
  }
}

TEST(ModelNames, TheLongestVirtualNameGoesFirst) {
  const auto names = ModelNames::Create({"auto", "auto-fast"}, Pair("small", "large"), 3);
  ASSERT_TRUE(names.ok());
  EXPECT_FALSE(names->Resolve("auto-fast")->entropy_threshold.has_value());
  EXPECT_EQ(names->Resolve("auto-fast-0.3")->entropy_threshold, 0.3);
  EXPECT_EQ(names->Resolve("auto-0.3")->entropy_threshold, 0.3);
}

TEST(ModelNames, UnknownNamesListTheValidOnes) {
  for (const char* name : {"", "gpt-4", "Auto", "auto0.45", "autox", "medium"}) {
    const auto route = Names().Resolve(name);
    EXPECT_EQ(route.status().code(), StatusCode::kNotFound);
    EXPECT_EQ(route.status().reason(), "model_not_found");
    EXPECT_EQ(route.status().param(), "model");
    EXPECT_THAT(route.status().message(),
                HasSubstr("there are: auto, aio/auto, small, large, pocket-small, pocket-large"));
  }
  const auto route = Names().Resolve(std::string(5000, 'x') + "\xff");
  EXPECT_LT(route.status().message().size(), 300u);
}

TEST(ModelNames, AModelsOwnNameGoesBeforeAThreshold) {
  const auto names = ModelNames::Create({"auto"}, Pair("auto-mini", "auto-1"), 2);
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(names->Resolve("auto-mini")->role, "small");
  EXPECT_EQ(names->Resolve("auto-1")->role, "large");
  EXPECT_EQ(names->Resolve("auto-0.5")->entropy_threshold, 0.5);
}

TEST(ModelNames, AVariantHasANameOfItsOwn) {
  std::vector<NamedModel> models = Pair("s", "large");
  models.push_back({.name = "large-w8a16", .role = kLargeRole, .weights = "w8a16"});
  const auto names = ModelNames::Create({"auto"}, models, 3);
  ASSERT_TRUE(names.ok()) << names.status().ToString();
  EXPECT_EQ(names->Resolve("large-w8a16")->role, "large");
  EXPECT_EQ(names->Resolve("large-w8a16")->weights, "w8a16");
  EXPECT_EQ(names->Resolve("large")->weights, "");
  EXPECT_THAT(names->Resolve("x").status().message(),
              HasSubstr("there are: auto, small, large, s, large-w8a16"));
  // Only the role's own model may be called after it.
  models[1].name = "l";
  models[2].name = "large";
  EXPECT_THAT(ModelNames::Create({"auto"}, models, 3).status().message(),
              HasSubstr("'large' would stand for two"));
  models[2].name = "s";
  EXPECT_THAT(ModelNames::Create({"auto"}, models, 3).status().message(),
              HasSubstr("'s' would stand for two"));
}

TEST(ModelNames, RefusesNamesThatMeanTwoThings) {
  const auto create = [](std::vector<std::string> names, std::string small, std::string large) {
    return ModelNames::Create(std::move(names), Pair(std::move(small), std::move(large)), 3)
        .status();
  };
  EXPECT_TRUE(create({"auto"}, "small", "large").ok());
  EXPECT_THAT(create({"auto"}, "large", "x").message(), HasSubstr("'large' would stand for two"));
  EXPECT_THAT(create({"auto"}, "x", "x").message(), HasSubstr("'x' would stand for two"));
  EXPECT_THAT(create({"auto"}, "auto", "x").message(), HasSubstr("'auto' would stand for two"));
  EXPECT_THAT(create({"small"}, "x", "y").message(), HasSubstr("'small' would stand for two"));
  EXPECT_THAT(create({"a", "a"}, "x", "y").message(), HasSubstr("'a' would stand for two"));
  EXPECT_THAT(create({""}, "x", "y").message(), HasSubstr("empty"));
  EXPECT_THAT(create({}, "x", "y").message(), HasSubstr("no name asks for routing"));
}

}  // namespace
}  // namespace aio
