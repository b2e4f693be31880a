#include "access/keys_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace aio {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kHash(64, 'a');

class KeysFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "aio-keys-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = (folder_ / "keys.toml").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  static ApiKey Key(const std::string& name) {
    ApiKey key;
    key.name = name;
    key.hash = HashSecret(name);
    return key;
  }

  Status Add(const std::string& name) {
    return EditKeysFile(path_, [&](std::vector<ApiKey>& keys) {
      keys.push_back(Key(name));
      return Status::Ok();
    });
  }

  static std::string FaultOf(const std::string& toml) {
    return ParseKeysFile("version = 1\n" + toml, "k.toml").status().message();
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(KeysFileTest, WhatIsWrittenIsRead) {
  ApiKey key = Key("alice");
  key.models = {"auto*", "pocket-small"};
  key.limits = {.requests_per_minute = 1, .tokens_per_minute = 2, .tokens_per_day = 3};
  key.priority = -7;
  key.is_admin = true;
  const std::vector<ApiKey> keys = {key, Key("bob")};
  const auto read = ParseKeysFile(FormatKeysFile(keys), "k.toml");
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(*read, keys);
}

TEST_F(KeysFileTest, FaultsNameTheField) {
  EXPECT_THAT(FaultOf("[[key]]\nname = \"a\""), HasSubstr("key[0].sha256"));
  EXPECT_THAT(FaultOf("[[key]]\nname = \"a b\"\nsha256 = \"" + kHash + "\""),
              HasSubstr("letters, digits"));
  EXPECT_THAT(FaultOf("[[key]]\nname = \"a\"\nsha256 = \"abc\""), HasSubstr("64 lower-case"));
  const std::string key = "[[key]]\nname = \"a\"\nsha256 = \"" + kHash + "\"\n";
  EXPECT_EQ(FaultOf(key), "");
  EXPECT_THAT(FaultOf(key + "secret = \"x\""), HasSubstr("secret"));
  EXPECT_THAT(FaultOf(key + "requests_per_minute = -1"), HasSubstr("requests_per_minute"));
  EXPECT_THAT(FaultOf(key + "models = []"), HasSubstr("remove the key to allow all"));
  EXPECT_THAT(FaultOf(key + key), HasSubstr("another key's"));
  EXPECT_FALSE(ParseKeysFile("", "k.toml").ok()) << "the version is required";
}

TEST_F(KeysFileTest, FilesThatOthersMayReadAreRefused) {
  ASSERT_TRUE(Add("alice").ok());
  EXPECT_TRUE(ReadKeysFile(path_).ok());
  for (const mode_t mode : {0640, 0604, 0620, 0602}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    const Status status = ReadKeysFile(path_).status();
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
    EXPECT_THAT(status.message(), HasSubstr("chmod 600"));
    EXPECT_FALSE(Add("bob").ok());
  }
  EXPECT_EQ(ReadKeysFile((folder_ / "none").string()).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(ReadKeysFile(folder_.string()).ok());
}

TEST_F(KeysFileTest, AFailedEditChangesNothing) {
  ASSERT_TRUE(Add("alice").ok());
  EXPECT_FALSE(Add("alice").ok()) << "two of one name";
  EXPECT_EQ(EditKeysFile(path_,
                         [](std::vector<ApiKey>& keys) {
                           keys.clear();
                           return NotFound("no");
                         })
                .message(),
            "no");
  EXPECT_EQ(ReadKeysFile(path_)->size(), 1u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "nothing is left beside it";
}

TEST_F(KeysFileTest, EditsAtOnceAllCount) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] { EXPECT_TRUE(Add("key" + std::to_string(i)).ok()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ReadKeysFile(path_)->size(), 8u);
}

TEST_F(KeysFileTest, ALinkStaysALink) {
  const fs::path real = folder_ / "real.toml";
  std::ofstream(real) << "version = 1\n";
  ASSERT_EQ(::chmod(real.c_str(), 0600), 0);
  fs::create_symlink(real, path_);
  ASSERT_TRUE(Add("alice").ok());
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_EQ(ReadKeysFile(real.string())->size(), 1u);
}

}  // namespace
}  // namespace aio
