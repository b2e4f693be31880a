#include "app/config_remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace aio {
namespace {

using ::testing::HasSubstr;

// What is wrong with a model's table that has this in [discovery].
std::string DiscoveryFault(const std::string& discovery) {
  auto root = TomlTable::Parse(
      "[model]\nengine = \"vllm\"\n[model.discovery]\nkind = \"dns\"\n"
      "name = \"http://vllm.test:8000\"\n" +
          discovery,
      "aio.toml");
  EXPECT_TRUE(root.ok()) << root.status().ToString();
  ModelSettings settings;
  std::optional<TomlTable> model = root->Table("model");
  ReadRemoteModel(*model, RemoteOptions(), "aio.toml", settings);
  const Status status = root->Finish();
  return status.ok() ? settings.remote->discovery.strategy : status.message();
}

TEST(ConfigRemoteTest, RefusesStrategiesThatNoRequestAsksFor) {
  EXPECT_EQ(DiscoveryFault("strategy = \"prompt_lookup\"\n"), "prompt_lookup");
  EXPECT_EQ(DiscoveryFault(""), "");
  EXPECT_THAT(DiscoveryFault("strategy = \"promt_lookup\"\n"),
              HasSubstr("aio.toml:6: model.discovery.strategy: 'promt_lookup' is not known; there "
                        "are plain, prompt_lookup, draft_model"));
}

}  // namespace
}  // namespace aio
