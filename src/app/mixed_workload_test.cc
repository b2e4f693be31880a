#include "app/mixed_workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

std::string TextOf(const WorkloadRequest& asked) {
  return FakePromptText(asked.load.request.prompt);
}

class MixedWorkloadTest : public testing::Test {
 protected:
  MixedWorkloadTest() {
    for (const char* intent : {"code", "qa"}) {
      for (int i = 0; i < 3; ++i) {
        items_.push_back({.task = std::string("pocket-") + intent,
                          .id = std::to_string(i),
                          .prompt = std::string(intent) + " " + std::to_string(i),
                          .intent = intent,
                          .context = 0,
                          .max_tokens = i == 0 ? 9 : 0,
                          .line = ""});
      }
    }
  }

  std::vector<WorkloadItem> items_;
  FakeBackend backend_{{FakeModel::Named("m", "small")}};
  const SyntheticSource source_{.backend = &backend_, .model = "m"};
};

TEST_F(MixedWorkloadTest, AsksWhatTheMixDraws) {
  const auto workload = MixWorkload(*ParseMix("code=0.5,qa=0.5"), items_, 6, {.max_tokens = 50});
  ASSERT_TRUE(workload.ok()) << workload.status().ToString();
  ASSERT_EQ(workload->requests.size(), 6u);
  for (const WorkloadRequest& asked : workload->requests) {
    const WorkloadItem& item = workload->items[static_cast<size_t>(asked.item)];
    EXPECT_EQ(TextOf(asked), item.prompt);
    EXPECT_EQ(asked.load.request.intent, item.intent);
    EXPECT_EQ(asked.load.request.sampling.max_tokens, item.max_tokens > 0 ? 9 : 50);
    EXPECT_EQ(asked.load.request.sampling.temperature, 0);
  }
}

TEST_F(MixedWorkloadTest, MakesPromptsOfGivenLengths) {
  const auto workload = SyntheticWorkload(
      *ParseMix("code@long=0.5,qa=0.5"),
      {.prompt_tokens = 100, .long_prompt_tokens = 900, .output_tokens = 32}, 4, source_, {});
  ASSERT_TRUE(workload.ok()) << workload.status().ToString();
  for (const WorkloadRequest& asked : workload->requests) {
    const int tokens = asked.task == "code" ? 900 : 100;
    EXPECT_NEAR(FakeTokenCount(asked.load.request.prompt), tokens, tokens * 0.03);
    EXPECT_EQ(asked.load.request.intent, asked.task);
    EXPECT_EQ(asked.load.request.sampling.max_tokens, 32);
    EXPECT_TRUE(asked.load.request.sampling.ignore_eos);
  }
  EXPECT_NE(TextOf(workload->requests[0]), TextOf(workload->requests[1]));
}

TEST_F(MixedWorkloadTest, ReplaysATracesTimesAndLengths) {
  Trace trace{.source = "t.jsonl", .requests = {}};
  trace.requests.push_back({.arrival = {}, .prompt_tokens = 300, .output_tokens = 20});
  trace.requests.push_back({.arrival = milliseconds(70), .prompt_tokens = 40, .output_tokens = 5});
  const auto workload = TraceWorkload(trace, source_, {});
  ASSERT_TRUE(workload.ok());
  ASSERT_EQ(workload->requests.size(), 2u);
  EXPECT_NEAR(FakeTokenCount(workload->requests[0].load.request.prompt), 300, 9);
  EXPECT_EQ(workload->requests[0].load.request.sampling.max_tokens, 20);
  EXPECT_EQ(workload->requests[1].load.arrival, milliseconds(70));
}

TEST_F(MixedWorkloadTest, SharedBlocksAreSharedWords) {
  Trace trace{.source = "t.jsonl", .requests = {}};
  const auto add = [&](std::vector<int64_t> blocks) {
    trace.requests.push_back(
        {.arrival = {}, .prompt_tokens = 2048, .output_tokens = 1, .blocks = std::move(blocks)});
  };
  add({1, 2, 3, 4});
  add({1, 2, 5, 6});
  add({7, 8, 9, 10});
  const auto workload = TraceWorkload(trace, source_, {});
  ASSERT_TRUE(workload.ok());
  const std::string first = TextOf(workload->requests[0]);
  const auto common = [&](const std::string& other) {
    return std::mismatch(first.begin(), first.end(), other.begin(), other.end()).first -
           first.begin();
  };
  const auto half = static_cast<ptrdiff_t>(first.size() / 2);
  EXPECT_NEAR(common(TextOf(workload->requests[1])), half, half / 10);
  EXPECT_LT(common(TextOf(workload->requests[2])), 20);
}

TEST_F(MixedWorkloadTest, ArrivesByPoissonOrByATrace) {
  auto workload = MixWorkload(*ParseMix("code=1"), items_, 2, {});
  ASSERT_TRUE(workload.ok());
  ArriveByPoisson(*workload, 10, 3);
  EXPECT_GT(workload->requests[1].load.arrival, workload->requests[0].load.arrival);
  Trace trace{.source = "t", .requests = {}};
  trace.requests.push_back({.arrival = {}, .prompt_tokens = 1, .output_tokens = 1});
  EXPECT_THAT(ArriveByTrace(*workload, trace).message(), HasSubstr("has 1 requests where 2"));
  trace.requests.push_back({.arrival = milliseconds(9), .prompt_tokens = 1, .output_tokens = 1});
  ASSERT_TRUE(ArriveByTrace(*workload, trace).ok());
  EXPECT_EQ(workload->requests[1].load.arrival, milliseconds(9));
}

TEST_F(MixedWorkloadTest, LoadsATraceAndSaysWhatItChanged) {
  const std::string path = testing::TempDir() + "/mixed_workload_trace.csv";
  std::ofstream(path) << "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                         "2023-11-16 18:00:00,1900,100\n2023-11-16 18:00:10,80,20\n"
                         "2023-11-16 18:01:00,10,10\n";
  std::string note;
  TraceSettings settings{.path = path,
                         .window = {.begin = {}, .length = std::chrono::seconds(30)},
                         .time_scale = 0.1,
                         .lengths = {.context_length = 1000}};
  const Result<Trace> trace = LoadTrace(settings, note);
  ASSERT_TRUE(trace.ok()) << trace.status().ToString();
  EXPECT_EQ(trace->length(), milliseconds(1000));
  EXPECT_EQ(trace->requests[1].prompt_tokens, 40);
  EXPECT_THAT(note,
              HasSubstr("2 of the trace's 3 requests over 1.0 s; times x 0.1, lengths x 0.5"));
}

}  // namespace
}  // namespace aio
