#include "eval/data_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "base/sha256.h"
#include "eval/data_file.h"

namespace aio {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DataSetsTest : public ::testing::Test {
 protected:
  DataSetsTest() : root_(fs::path(::testing::TempDir()) / "aio_data_sets") {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~DataSetsTest() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }

  Result<DataSet> Read(const char* name) { return ReadDataSet(*FindDataSet(name), root_.string()); }

  const fs::path root_;
};

TEST_F(DataSetsTest, ReadsHumanEvalCompressed) {
  fs::create_directories(root_ / "humaneval");
  const std::string path = (root_ / "humaneval" / "HumanEval.jsonl.gz").string();
  gzFile file = gzopen(path.c_str(), "wb");
  gzputs(file, "{\"task_id\": \"HumanEval/0\", \"prompt\": \"def f():\\n\"}\n");
  gzclose(file);
  const auto set = Read("humaneval");
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  ASSERT_EQ(set->queries.size(), 1u);
  EXPECT_EQ(set->queries[0].messages[0].content, "def f():\n");
  EXPECT_EQ(set->queries[0].intent, "code");
  EXPECT_EQ(set->side, DataSide::kTest);
}

TEST_F(DataSetsTest, SplitsMbppByItsTaskIds) {
  Write("mbpp/mbpp.jsonl",
        "{\"task_id\": 3, \"text\": \"a\"}\n{\"task_id\": 11, \"text\": \"b\"}\n"
        "{\"task_id\": 601, \"text\": \"c\"}\n");
  ASSERT_TRUE(Read("mbpp-train").ok());
  EXPECT_EQ(Read("mbpp-train")->queries[0].messages[0].content, "c");
  EXPECT_EQ(Read("mbpp-test")->queries[0].messages[0].content, "b");
}

TEST_F(DataSetsTest, ReadsChoicesOfAllSubjectsInOrder) {
  Write("mmlu/test/b_test.csv", "\"Who, then?\",w,x,y,z,B\n");
  Write("mmlu/test/a_test.csv", "What?,1,2,3,4,A\n");
  const auto set = Read("mmlu-test");
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  ASSERT_EQ(set->queries.size(), 2u);
  EXPECT_EQ(set->queries[0].messages[0].content, "What?\nA. 1\nB. 2\nC. 3\nD. 4");
  EXPECT_EQ(set->queries[1].messages[0].content, "Who, then?\nA. w\nB. x\nC. y\nD. z");
  EXPECT_THAT(set->paths[static_cast<size_t>(set->queries[1].file)], HasSubstr("b_test.csv"));
}

TEST_F(DataSetsTest, ReadsColumnsByTheNamesInTheHeader) {
  Write("ceval/val/law_val.csv", "id,question,A,B,C,D,answer\n0,q,1,2,3,4,C\n");
  EXPECT_EQ(Read("ceval-val")->queries[0].messages[0].content, "q\nA. 1\nB. 2\nC. 3\nD. 4");
  Write("gpqa/gpqa_diamond.csv",
        "Incorrect Answer 1,Question,Correct Answer,Incorrect Answer 2,Incorrect Answer 3\n"
        "b,q,d,a,c\n");
  EXPECT_EQ(Read("gpqa")->queries[0].messages[0].content, "q\nA. a\nB. b\nC. c\nD. d");
}

TEST_F(DataSetsTest, FindsWhatIsThere) {
  Write("gsm8k/test.jsonl", "{\"question\": \"2 + 2?\", \"answer\": \"#### 4\"}\n");
  EXPECT_THAT(DataSetsBelow(root_.string()), ElementsAre("gsm8k-test"));
  EXPECT_EQ(Read("gsm8k-test")->sha256,
            Sha256Hex("{\"question\": \"2 + 2?\", \"answer\": \"#### 4\"}\n"));
  EXPECT_THAT(Read("gsm8k-train").status().message(), HasSubstr("no gsm8k/train.jsonl in it"));
}

TEST_F(DataSetsTest, FaultsNameFileAndLine) {
  Write("gsm8k/test.jsonl", "{\"question\": \"2 + 2?\"}\n{\"question\": 5}\n");
  EXPECT_THAT(Read("gsm8k-test").status().message(),
              HasSubstr("gsm8k/test.jsonl: line 2: field 'question' must be a string"));
  Write("mmlu/dev/a_dev.csv", "What?,1,2\n");
  EXPECT_THAT(Read("mmlu-dev").status().message(), HasSubstr("a_dev.csv: line 1: 3 columns"));
  Write("ceval/dev/a_dev.csv", "id,frage\n");
  EXPECT_THAT(Read("ceval-dev").status().message(), HasSubstr("has no column 'question'"));
  Write("humaneval/HumanEval.jsonl.gz", "\x1f\x8b broken");
  EXPECT_EQ(Read("humaneval").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(DataSetsTest, OwnFilesKeepTheirGoodLines) {
  Write("own.jsonl",
        "{\"prompt\": \"a\", \"intent\": \"code\", \"task\": \"mine\"}\nnonsense\n"
        "{\"prompt\": \"b\"}\n");
  const auto set = ReadQueryFile((root_ / "own.jsonl").string());
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_EQ(set->name, "own.jsonl");
  EXPECT_EQ(set->queries.size(), 2u);
  EXPECT_EQ(set->queries[0].task, "mine");
  ASSERT_EQ(set->unreadable.size(), 1u);
  EXPECT_EQ(set->unreadable[0].line, 2);
  EXPECT_EQ(ReadDataFile(root_.string()).status().code(), StatusCode::kInvalidArgument);
}

// The published files, where they are: beside the project.
TEST(PublicDataTest, HasTheRowsItIsKnownFor) {
  const std::string root = std::string(AIO_SOURCE_DIR) + "/../shared/data";
  if (DataSetsBelow(root).empty()) GTEST_SKIP() << "no public data sets at " << root;
  const auto rows = [&](const char* name) {
    const auto set = ReadDataSet(*FindDataSet(name), root);
    return set.ok() ? static_cast<int>(set->queries.size()) : -1;
  };
  EXPECT_THAT(DataSetsBelow(root), Contains("mmlu-test"));
  EXPECT_EQ(rows("humaneval"), 164);
  EXPECT_EQ(rows("gsm8k-test"), 1319);
  EXPECT_EQ(rows("gsm8k-train"), 7473);
  EXPECT_EQ(rows("mbpp-train"), 374);
  EXPECT_EQ(rows("mbpp-test"), 500);
  EXPECT_EQ(rows("mmlu-dev"), 285);
}

}  // namespace
}  // namespace aio
