// Discovery by lists and files.
#include "discovery/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "discovery/testing/told.h"

namespace aio {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kOne = "[[replicas]]\nurl = \"http://one:8000\"\n";
constexpr std::string_view kTwo = "[[replicas]]\nurl = \"http://two:8000\"\n";

// No further file can be opened meanwhile.
class TooManyFilesOpen {
 public:
  TooManyFilesOpen() {
    getrlimit(RLIMIT_NOFILE, &previous_);
    const rlimit none = {.rlim_cur = 0, .rlim_max = previous_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~TooManyFilesOpen() { setrlimit(RLIMIT_NOFILE, &previous_); }
  TooManyFilesOpen(const TooManyFilesOpen&) = delete;
  TooManyFilesOpen& operator=(const TooManyFilesOpen&) = delete;

 private:
  rlimit previous_{};
};

class DiscoveryTest : public testing::Test {
 protected:
  DiscoveryTest() {
    folder_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("discovery_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  ~DiscoveryTest() override {
    discovery_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string path() const { return (folder_ / "replicas.toml").string(); }
  void Write(std::string_view text) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << text;
  }
  // As who writes a file that others read should.
  void Replace(std::string_view text) const {
    const std::string other = path() + ".new";
    std::ofstream(other, std::ios::binary) << text;
    std::filesystem::rename(other, path());
  }

  Status Start(const DiscoverySettings& settings) {
    auto started = StartDiscovery(settings, clock_, told_.OnReplicas(), told_.OnFault());
    if (started.ok()) discovery_ = std::move(started).value();
    return started.status();
  }
  Status StartFile() {
    DiscoverySettings settings;
    settings.kind = DiscoveryKind::kFile;
    settings.name = path();
    settings.interval = std::chrono::milliseconds(5);
    settings.zone = "a";
    return Start(settings);
  }

  ManualClock clock_;
  Told told_;
  std::filesystem::path folder_;
  std::unique_ptr<Discovery> discovery_;
};

TEST_F(DiscoveryTest, KindsHaveNames) {
  for (const char* name : {"static", "dns", "srv", "file", "kubernetes"}) {
    ASSERT_TRUE(ReadDiscoveryKind(name)) << name;
    EXPECT_EQ(DiscoveryKindName(*ReadDiscoveryKind(name)), name);
  }
  EXPECT_FALSE(ReadDiscoveryKind("consul"));
}

TEST_F(DiscoveryTest, ListsAreToldSorted) {
  DiscoverySettings settings;
  settings.replicas = {{.url = "http://b"}, {.url = "http://a"}};
  ASSERT_TRUE(Start(settings).ok());
  EXPECT_THAT(Told::Names(told_.sets().at(0)), testing::ElementsAre("http://a", "http://b"));
}

TEST_F(DiscoveryTest, CallbacksComeFromItsOwnThread) {
  DiscoverySettings settings;
  settings.replicas = {{.url = "http://a"}};
  std::thread::id thread;
  const auto started = StartDiscovery(
      settings, clock_, [&](std::vector<ReplicaSpec>) { thread = std::this_thread::get_id(); },
      told_.OnFault());
  ASSERT_TRUE(started.ok());
  EXPECT_NE(thread, std::thread::id());
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST_F(DiscoveryTest, ListsThatWillNotDoAreErrors) {
  const auto fault = [&](ReplicaSpec replica) {
    DiscoverySettings settings;
    settings.replicas = {std::move(replica)};
    return Start(settings).message();
  };
  EXPECT_THAT(fault({.url = "one"}), HasSubstr("'one': is neither"));
  EXPECT_THAT(fault({.url = "http://a", .address = "b"}), HasSubstr("'b' is no IP address"));
  EXPECT_THAT(fault({.url = "http://a", .weight = 0}), HasSubstr("weight 0"));
  DiscoverySettings settings;
  settings.interval = Duration::zero();
  EXPECT_THAT(Start(settings).message(), HasSubstr("interval"));
}

TEST_F(DiscoveryTest, FilesAreReadAndReadAgain) {
  Write(kOne);
  ASSERT_TRUE(StartFile().ok());
  ASSERT_THAT(told_.sets(), SizeIs(1));
  EXPECT_EQ(told_.sets()[0][0].zone, "a");
  Replace(std::string(kOne) + std::string(kTwo));
  EXPECT_TRUE(told_.WaitForSet({"http://one:8000", "http://two:8000"}));
  Replace("replicas = []");
  EXPECT_TRUE(told_.WaitForSet({}));
  EXPECT_THAT(told_.faults(), IsEmpty());
}

TEST_F(DiscoveryTest, WhatIsNewInAFileIsNoChangeIfItSaysTheSame) {
  Write(kOne);
  ASSERT_TRUE(StartFile().ok());
  Replace("# as before\n" + std::string(kOne));
  Replace("# as before, but for this\n" + std::string(kTwo));
  ASSERT_TRUE(told_.WaitForSet({"http://two:8000"}));
  EXPECT_THAT(told_.sets(), SizeIs(2));
}

TEST_F(DiscoveryTest, TornAndWrongFilesKeepTheSet) {
  Write(kOne);
  ASSERT_TRUE(StartFile().ok());
  Write("[[replicas]]\nurl = \"http://tw");  // the writer was stopped here
  ASSERT_TRUE(told_.WaitForFaults(1));
  EXPECT_THAT(told_.faults()[0].message(), HasSubstr("replicas.toml:2: not valid TOML"));
  Write("");
  ASSERT_TRUE(told_.WaitForFaults(2));
  EXPECT_THAT(told_.faults()[1].message(), HasSubstr("replicas: is missing"));
  std::filesystem::remove(path());
  ASSERT_TRUE(told_.WaitForFaults(3));
  EXPECT_THAT(told_.faults()[2].message(), HasSubstr("cannot be opened"));
  EXPECT_THAT(told_.sets(), SizeIs(1));
  Write(kTwo);
  ASSERT_TRUE(told_.WaitForFaults(4));
  EXPECT_TRUE(told_.faults()[3].ok());
  EXPECT_TRUE(told_.WaitForSet({"http://two:8000"}));
}

TEST_F(DiscoveryTest, AFileThatCouldNotBeReadIsTriedAgainThoughItIsTheSame) {
  Write(kOne);
  ASSERT_TRUE(StartFile().ok());
  const std::string other = path() + ".new";
  std::ofstream(other, std::ios::binary) << kTwo;
  {
    const TooManyFilesOpen limit;
    std::filesystem::rename(other, path());
    ASSERT_TRUE(told_.WaitForFaults(1));
    EXPECT_THAT(told_.faults()[0].message(), HasSubstr("cannot open"));
  }
  EXPECT_TRUE(told_.WaitForSet({"http://two:8000"}));
  ASSERT_TRUE(told_.WaitForFaults(2));
  EXPECT_TRUE(told_.faults()[1].ok());
}

TEST_F(DiscoveryTest, AFileThatIsWrongAtTheStartIsAnError) {
  EXPECT_THAT(StartFile().message(), HasSubstr("replicas.toml: cannot be opened"));
  Write("[[replicas]]\n");
  EXPECT_THAT(StartFile().message(), HasSubstr("replicas.toml:1: replicas[0].url: is missing"));
  EXPECT_THAT(told_.sets(), IsEmpty());
}

TEST_F(DiscoveryTest, AFileBehindALinkThatIsTurnedIsReadAgain) {
  // As Kubernetes mounts ConfigMaps.
  std::ofstream(folder_ / "v1") << kOne;
  std::ofstream(folder_ / "v2") << kTwo;
  std::filesystem::create_symlink("v1", path());
  ASSERT_TRUE(StartFile().ok());
  std::filesystem::create_symlink("v2", path() + ".new");
  std::filesystem::rename(path() + ".new", path());
  EXPECT_TRUE(told_.WaitForSet({"http://two:8000"}));
}

}  // namespace
}  // namespace aio
