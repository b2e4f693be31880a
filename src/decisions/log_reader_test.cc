#include "decisions/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "decisions/sqlite.h"
#include "decisions/testing/log_fixture.h"

namespace aio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LogReaderTest : public DecisionLogTest {
 protected:
  static constexpr int kRows = 300;

  void SetUp() override {
    auto log = OpenLog();
    log->AddPolicy(RoutingPolicy::Paper());
    for (int i = 1; i <= kRows; ++i) log->Decided(Record("r" + std::to_string(i)));
    log.reset();
    ASSERT_FALSE(std::filesystem::exists(path_ + "-wal")) << "all is in the one file";
  }

  void Damage(int64_t offset, const std::string& bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << bytes;
  }

  struct Read {
    std::set<int64_t> rows;
    std::vector<std::string> unreadable;
    int64_t unreadable_rows = 0;
  };
  Read ReadDamaged() {
    Read read;
    Result<LogReader> reader = LogReader::Open(path_);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    if (!reader.ok()) return read;
    const Status status = reader->ReadAll([&](const LoggedRequest& request) {
      EXPECT_EQ(request.request_id, "r" + std::to_string(request.row));
      EXPECT_TRUE(read.rows.insert(request.row).second) << "row " << request.row << " again";
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    read.unreadable = reader->unreadable();
    read.unreadable_rows = reader->unreadable_rows();
    return read;
  }
};

TEST_F(LogReaderTest, ReadsAllOfASoundLog) {
  const Read read = ReadDamaged();
  EXPECT_EQ(read.rows.size(), static_cast<size_t>(kRows));
  EXPECT_THAT(read.unreadable, IsEmpty());
  EXPECT_EQ(LogReader::Open(path_)->CountRows(), kRows);
}

TEST_F(LogReaderTest, ReadsAroundADamagedPageAndNamesIt) {
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path_));
  Damage(size / 2 / 4096 * 4096, std::string(4096, '\xA5'));
  const Read read = ReadDamaged();
  EXPECT_LT(read.rows.size(), static_cast<size_t>(kRows));
  EXPECT_GT(read.rows.size(), static_cast<size_t>(kRows * 9 / 10));
  EXPECT_TRUE(read.rows.contains(1));
  EXPECT_TRUE(read.rows.contains(kRows)) << "goes on behind it";
  EXPECT_THAT(read.unreadable, Not(IsEmpty()));
  EXPECT_THAT(read.unreadable[0], HasSubstr("malformed"));
  EXPECT_EQ(static_cast<int64_t>(read.rows.size()) + read.unreadable_rows, kRows);
}

TEST_F(LogReaderTest, ReadsWhatIsLeftOfACutFile) {
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) * 2 / 3);
  const Read read = ReadDamaged();
  EXPECT_GT(read.rows.size(), static_cast<size_t>(kRows / 4));
  EXPECT_TRUE(read.rows.contains(1));
  EXPECT_THAT(read.unreadable, Not(IsEmpty()));
}

TEST_F(LogReaderTest, NamesARowWithoutMeaning) {
  {
    auto database = SqliteDatabase::Open(path_, SqliteDatabase::Mode::kWrite);
    ASSERT_TRUE(
        (*database)
            ->Execute("UPDATE requests SET signals = '{\"prompt_tokens\": \"x\"}' "
                      "WHERE id = 17; UPDATE requests SET strategy_json = 'no' WHERE id = 18")
            .ok());
  }
  const Read read = ReadDamaged();
  EXPECT_EQ(read.rows.size(), static_cast<size_t>(kRows - 2));
  EXPECT_THAT(read.unreadable, ElementsAre("row 17: signals.prompt_tokens: is not a whole number",
                                           "row 18: strategy: is not JSON"));
}

TEST_F(LogReaderTest, DamageAnywhereIsNoCrash) {
  std::ifstream file(path_, std::ios::binary);
  const std::string sound{std::istreambuf_iterator<char>(file), {}};
  for (size_t at = 0; at < sound.size(); at += 4096) {
    std::string bytes = sound;
    for (size_t i = 0; i < 64; ++i) bytes[at + i] = static_cast<char>(i * 37 + at);
    std::ofstream(path_, std::ios::binary) << bytes;
    Result<LogReader> reader = LogReader::Open(path_);
    if (!reader.ok()) continue;
    int rows = 0;
    (void)reader->ReadAll([&](const LoggedRequest&) { ++rows; });
    EXPECT_TRUE(rows == kRows || !reader->unreadable().empty())
        << rows << " rows and no word of the others, page " << at / 4096;
  }
}

TEST_F(LogReaderTest, ReadsWithoutWriting) {
  const auto before = std::filesystem::last_write_time(path_);
  std::filesystem::permissions(path_, std::filesystem::perms::owner_read);
  EXPECT_EQ(ReadDamaged().rows.size(), static_cast<size_t>(kRows));
  EXPECT_EQ(std::filesystem::last_write_time(path_), before);
}

TEST_F(LogReaderTest, SaysWhatIsNoLog) {
  EXPECT_EQ(LogReader::Open("/nowhere.db").status().code(), StatusCode::kNotFound);
  std::ofstream(folder_ / "text") << std::string(5000, 'x');
  EXPECT_THAT(LogReader::Open(folder_ / "text").status().message(),
              HasSubstr("nothing of it can be read"));
}

}  // namespace
}  // namespace aio
