#include "app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace aio {
namespace {

TEST(SettingsTest, EveryKeyOfTheConfigurationIsDescribed) {
  const Result<std::vector<Setting>> settings = AllSettings();
  ASSERT_TRUE(settings.ok()) << settings.status().message();
  const auto port = std::find_if(settings->begin(), settings->end(),
                                 [](const Setting& setting) { return setting.name == "port"; });
  ASSERT_NE(port, settings->end());
  EXPECT_EQ(port->table, "server");
  EXPECT_EQ(port->type, "integer, 0 to 65535");
  EXPECT_EQ(port->initial, "8080");
}

TEST(SettingsTest, ThePageInDocsIsUpToDate) {
  std::ifstream file(AIO_SOURCE_DIR "/docs/configuration.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(SettingsPage(*AllSettings()), page)
      << "write it anew: aio settings --markdown > docs/configuration.md";
}

}  // namespace
}  // namespace aio
