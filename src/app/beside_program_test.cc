#include "app/beside_program.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace aio {
namespace {

namespace fs = std::filesystem;

class FindInOrAboveTest : public testing::Test {
 protected:
  ~FindInOrAboveTest() override { fs::remove_all(folder_); }

  void Touch(const std::string& path) const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << "x";
  }
  std::string Find(const std::string& from, const std::string& path) const {
    return FindInOrAbove((folder_ / from).string(), path).value_or("none");
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("beside_program_test" + std::to_string(::getpid()));
};

TEST_F(FindInOrAboveTest, TheNearestCounts) {
  Touch("etc/aio/aio.toml");
  Touch("usr/etc/aio/aio.toml");
  Touch("usr/bin/aio");
  EXPECT_EQ(Find("usr/bin", "etc/aio/aio.toml"), (folder_ / "usr/etc/aio/aio.toml").string());
  fs::remove(folder_ / "usr/etc/aio/aio.toml");
  EXPECT_EQ(Find("usr/bin", "etc/aio/aio.toml"), (folder_ / "etc/aio/aio.toml").string());
}

TEST_F(FindInOrAboveTest, WhatIsNowhereIsNotFound) {
  Touch("usr/bin/aio");
  EXPECT_EQ(Find("usr/bin", "no/such/file-of-aio"), "none");
  EXPECT_EQ(FindInOrAbove("", "bin"), std::nullopt);
}

TEST(FindBesideProgramTest, ATestFindsTheTreesOwnConfiguration) {
  EXPECT_TRUE(fs::exists(FindBesideProgram("config/pocket.toml").value()));
  EXPECT_EQ(FindBesideProgram("no/such/file-of-aio"), std::nullopt);
}

}  // namespace
}  // namespace aio
