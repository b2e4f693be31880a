#include "app/bench_mixed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "traffic/testing/timed_backend.h"

namespace aio {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

Workload Sample(int requests) {
  Workload workload;
  workload.name = "test";
  for (int i = 0; i < requests; ++i) {
    workload.items.push_back({.task = "t",
                              .id = std::to_string(i),
                              .prompt = "p",
                              .intent = "code",
                              .context = 0,
                              .max_tokens = 0,
                              .line = ""});
    WorkloadRequest asked;
    asked.load.request.id = std::to_string(i);
    asked.load.request.prompt = std::string("p");
    asked.load.arrival = milliseconds(10 * i);
    asked.task = "t";
    asked.item = i;
    workload.requests.push_back(std::move(asked));
  }
  return workload;
}

class BenchMixedTest : public testing::Test {
 protected:
  BenchMixedTest() {
    backend_.script = [](const Request& request, int) {
      TimedAnswer answer{.to_first_token = milliseconds(10), .between_tokens = milliseconds(10)};
      if (request.model == "large") answer.between_tokens = milliseconds(40);
      if (request.model == "gone") answer.error = Unavailable("gone");
      return answer;
    };
    for (const char* name : {"large", "small"}) Add(name);
  }

  void Add(const std::string& name) {
    MixedConfiguration made;
    made.name = made.model = name;
    made.backend = &backend_;
    configurations_.push_back(std::move(made));
  }

  Result<std::vector<ConfigurationRuns>> Run(const Workload& workload, MixedOptions options) {
    return RunMixed(configurations_, workload, options, backend_, clock_);
  }

  // "large 0", ...: what was asked of whom, in order, but for the warming up.
  std::vector<std::string> Asked() const {
    std::vector<std::string> asked;
    for (size_t i = configurations_.size(); i < backend_.requests().size(); ++i) {
      asked.push_back(backend_.requests()[i].model + " " + backend_.requests()[i].id);
    }
    return asked;
  }

  ManualClock clock_;
  TimedBackend backend_{clock_};
  std::vector<MixedConfiguration> configurations_;
};

TEST_F(BenchMixedTest, ConfigurationsTakeTurnsAndWhoIsFirstChanges) {
  const auto runs = Run(Sample(3), {.repeat = 2, .concurrency = 1});
  ASSERT_TRUE(runs.ok()) << runs.status().ToString();
  EXPECT_THAT(Asked(),
              ElementsAre("large 0", "small 0", "small 1", "large 1", "large 2", "small 2",
                          "small 0", "large 0", "large 1", "small 1", "small 2", "large 2"));
  ASSERT_EQ(runs->size(), 2u);
  ASSERT_EQ((*runs)[1].size(), 2u);
  const MixedRun& small = (*runs)[1][0];
  ASSERT_EQ(small.records.size(), 3u);
  EXPECT_EQ(small.records[2].id, "2");
  EXPECT_EQ(small.records[2].to_end(), milliseconds(50));
  EXPECT_DOUBLE_EQ(small.seconds, 0.15);
  EXPECT_DOUBLE_EQ((*runs)[0][1].seconds, 0.51);
}

TEST_F(BenchMixedTest, SeveralAtOnceAreRunInSlices) {
  ASSERT_TRUE(Run(Sample(10), {.repeat = 1, .concurrency = 2}).ok());
  const std::vector<std::string> asked = Asked();
  EXPECT_EQ(asked[7], "large 7");
  EXPECT_EQ(asked[8], "small 0");
  EXPECT_EQ(asked[16], "small 8");  // the turn has changed
  EXPECT_EQ(asked[18], "large 8");
}

TEST_F(BenchMixedTest, AnOpenLoopRunsWholePasses) {
  const auto runs = Run(Sample(4), {.repeat = 1, .concurrency = 0});
  ASSERT_TRUE(runs.ok());
  const LoadRecord& last = (*runs)[1][0].records[3];
  EXPECT_EQ(last.intended, milliseconds(30));
  EXPECT_EQ(last.to_end(), milliseconds(4 * 50 - 30));
}

TEST_F(BenchMixedTest, TellsProgressOverAll) {
  std::vector<int64_t> told;
  ASSERT_TRUE(Run(Sample(2), {.repeat = 1,
                              .concurrency = 1,
                              .progress =
                                  [&](int64_t done, int64_t total) {
                                    EXPECT_EQ(total, 4);
                                    told.push_back(done);
                                  }})
                  .ok());
  EXPECT_THAT(told, ElementsAre(1, 2, 3, 4));
}

TEST_F(BenchMixedTest, AConfigurationThatCannotAnswerIsAFault) {
  Add("gone");
  const auto runs = Run(Sample(2), {.repeat = 1, .concurrency = 1});
  EXPECT_THAT(runs.status().message(), testing::HasSubstr("configuration gone"));
}

TEST_F(BenchMixedTest, AFailureInBetweenIsARecord) {
  backend_.script = [](const Request&, int n) {
    TimedAnswer answer;
    if (n == 3) answer.error = Unavailable("a moment");
    return answer;
  };
  const auto runs = Run(Sample(2), {.repeat = 1, .concurrency = 1});
  ASSERT_TRUE(runs.ok());
  EXPECT_EQ((*runs)[1][0].records[0].error.message(), "a moment");
}

// Runs with these texts, one repeat after another, of a single configuration.
ConfigurationRuns Answered(const std::vector<std::vector<std::string>>& texts) {
  ConfigurationRuns runs;
  for (const auto& repeat : texts) {
    MixedRun run;
    for (const std::string& text : repeat) {
      LoadRecord& record = run.records.emplace_back();
      record.text = text;
      if (text == "error") record.error = Unavailable("gone");
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

TEST(GradeMixed, JudgesEachAnswerOnceAndAveragesRepeats) {
  std::map<std::string, int> judged;
  const GradeAnswer grade = [&](const WorkloadItem& item, std::string_view text) {
    ++judged[item.id + std::string(text)];
    if (item.id == "2") return Result<std::optional<bool>>(std::optional<bool>());
    return Result<std::optional<bool>>(std::optional<bool>(text == "right"));
  };
  const auto grades = GradeMixed({Answered({{"right", "wrong", "x"}, {"right", "right", "x"}}),
                                  Answered({{"right", "error", "x"}, {"wrong", "error", "x"}})},
                                 Sample(3), grade);
  ASSERT_TRUE(grades.ok());
  EXPECT_EQ((*grades)[0].right[0], 1);
  EXPECT_EQ((*grades)[0].right[1], 0.5);
  EXPECT_FALSE((*grades)[0].right[2].has_value());  // cannot be judged
  EXPECT_EQ((*grades)[1].right[0], 0.5);
  EXPECT_EQ((*grades)[1].right[1], 0);  // failed
  EXPECT_EQ(judged["0right"], 1);
}

TEST(GradeMixed, AFaultOfJudgingIsAFault) {
  const GradeAnswer grade = [](const WorkloadItem&, std::string_view) {
    return Result<std::optional<bool>>(Unavailable("no sandbox"));
  };
  EXPECT_EQ(GradeMixed({Answered({{"a"}})}, Sample(1), grade).status().message(), "no sandbox");
}

}  // namespace
}  // namespace aio
