#include "app/system_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace aio {
namespace {

using ::testing::HasSubstr;

TEST(SystemMemoryTest, ReadsMemAvailable) {
  EXPECT_EQ(*ParseMemAvailable("MemTotal:  2 kB\nMemAvailable:    1024 kB\nBuffers: 1 kB\n"),
            1024 * 1024);
  EXPECT_FALSE(ParseMemAvailable("MemTotal: 2 kB\n").ok());
  EXPECT_FALSE(ParseMemAvailable("MemAvailable:\n").ok());
  EXPECT_GT(*AvailableMemoryBytes(), 0);
}

TEST(SystemMemoryTest, CachedFilesGiveWay) {
  const std::string folder = testing::TempDir() + "cgroup";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(folder + "/" + name) << text;
  };
  EXPECT_EQ(CgroupHeadroomBytes(folder), std::nullopt);
  write("memory.max", "max\n");
  write("memory.current", "900\n");
  EXPECT_EQ(CgroupHeadroomBytes(folder), std::nullopt);
  write("memory.max", "1000\n");
  EXPECT_EQ(CgroupHeadroomBytes(folder), 100);
  write("memory.stat", "anon 300\nfile 600\ninactive_file 400\nactive_file 150\n");
  EXPECT_EQ(CgroupHeadroomBytes(folder), 650);
  write("memory.current", "2000\n");
  EXPECT_EQ(CgroupHeadroomBytes(folder), 0);
  std::filesystem::remove_all(folder);
}

TEST(SystemMemoryTest, RefusesWithBothFigures) {
  EXPECT_TRUE(CheckFits(100, 100, "it").ok());
  const Status status = CheckFits(16'000'000'000, 1'500'000'000, "the pair");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("16000000000 bytes (16.00 GB)"));
  EXPECT_THAT(status.message(), HasSubstr("1500000000 bytes (1.50 GB)"));
}

TEST(SystemMemoryTest, FormatsPowersOfAThousand) {
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1'500), "1.5 kB");
  EXPECT_EQ(FormatBytes(14'800'000'000), "14.80 GB");
}

}  // namespace
}  // namespace aio
