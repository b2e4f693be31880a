#include "traffic/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace aio {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kAzureHeader[] = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

std::string FaultOf(const std::string& text) {
  const Result<Trace> trace = ParseTrace(text, "t.csv");
  return trace.ok() ? "none" : trace.status().message();
}

TEST(Trace, ReadsAzure) {
  const Result<Trace> trace = ParseTrace(std::string(kAzureHeader) +
                                             "2023-11-16 23:59:59.9799600,4808,10\r\n"
                                             "2023-11-17 00:00:01.0000000,3180,8\r\n",
                                         "t.csv");
  ASSERT_TRUE(trace.ok()) << trace.status().ToString();
  ASSERT_EQ(trace->requests.size(), 2u);
  EXPECT_EQ(trace->requests[0].arrival, Duration{});
  EXPECT_EQ(trace->requests[0].prompt_tokens, 4808);
  EXPECT_EQ(trace->requests[0].output_tokens, 10);
  // Over midnight, to the tenth of a microsecond.
  EXPECT_EQ(trace->requests[1].arrival, std::chrono::nanoseconds(1'020'040'000));
}

TEST(Trace, ReadsMooncake) {
  const Result<Trace> trace = ParseTrace(
      R"({"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]})"
      "\n\n"
      R"({"timestamp": 30535, "input_length": 6472, "output_length": 26})",
      "t.jsonl");
  ASSERT_TRUE(trace.ok()) << trace.status().ToString();
  ASSERT_EQ(trace->requests.size(), 2u);
  EXPECT_THAT(trace->requests[0].blocks, ElementsAre(46, 47));
  EXPECT_EQ(trace->requests[1].arrival, milliseconds(3053));
  EXPECT_EQ(trace->requests[1].prompt_tokens, 6472);
}

TEST(Trace, RefusesTimeThatGoesBackwards) {
  EXPECT_THAT(
      FaultOf(std::string(kAzureHeader) +
              "2023-11-16 18:00:01,2,1\n2023-11-16 18:00:02,1,1\n2023-11-16 18:00:00,3,1\n"),
      HasSubstr("t.csv: request 3 comes 2.000 s before the one ahead of it"));
}

TEST(Trace, FaultsNameFileLineAndField) {
  const std::string azure = kAzureHeader;
  EXPECT_THAT(FaultOf(azure + "2023-11-16 18:00:00,1,1\n2023-11-16 18:00:00,many,1\n"),
              HasSubstr("t.csv: line 3: field ContextTokens: 'many'"));
  EXPECT_THAT(FaultOf(azure + "2023-11-16 18:00:00,1,-1\n"),
              HasSubstr("line 2: field GeneratedTokens"));
  EXPECT_THAT(FaultOf(azure + "2023-02-30 18:00:00,1,1\n"), HasSubstr("line 2: field TIMESTAMP"));
  EXPECT_THAT(FaultOf(azure + "2023-02-20 24:00:00,1,1\n"), HasSubstr("line 2: field TIMESTAMP"));
  EXPECT_THAT(FaultOf(azure + "2023-02-20 18:00:00,1\n"), HasSubstr("line 2: has 2 fields"));
  EXPECT_THAT(FaultOf(azure), HasSubstr("holds no request"));
  EXPECT_THAT(FaultOf("time,in,out\n"), HasSubstr("t.csv: line 1: is not the header"));
  EXPECT_THAT(FaultOf("{\"timestamp\": 1, \"input_length\": 2}\n"),
              HasSubstr("t.csv: line 1: field 'output_length'"));
  EXPECT_THAT(
      FaultOf(
          "{\"timestamp\": 1, \"input_length\": 2, \"output_length\": 1}\n{\"timestamp\": \"x\"}"),
      HasSubstr("line 2: field 'timestamp'"));
  EXPECT_THAT(FaultOf("{\"timestamp\": 1, \"input_length\": 2, \"output_length\": 1, "
                      "\"hash_ids\": [0.5]}"),
              HasSubstr("field 'hash_ids'"));
  EXPECT_EQ(ReadTrace("/nowhere/trace.csv").status().code(), StatusCode::kNotFound);
}

// The published files, where they are there.
TEST(Trace, ReadsThePublishedAzureTraces) {
  const std::string folder = std::string(AIO_SOURCE_DIR) + "/../shared/data/azure_llm_trace/";
  const std::string deeper = std::string(AIO_SOURCE_DIR) + "/../../shared/data/azure_llm_trace/";
  const std::string root = std::filesystem::exists(folder) ? folder : deeper;
  if (!std::filesystem::exists(root)) GTEST_SKIP() << folder << " is absent";
  const Result<Trace> code = ReadTrace(root + "AzureLLMInferenceTrace_code.csv");
  ASSERT_TRUE(code.ok()) << code.status().ToString();
  EXPECT_EQ(code->requests.size(), 8819u);
  EXPECT_GT(code->length(), std::chrono::minutes(50));
  EXPECT_LT(code->length(), std::chrono::minutes(65));
  const Result<Trace> conv = ReadTrace(root + "AzureLLMInferenceTrace_conv.csv");
  ASSERT_TRUE(conv.ok()) << conv.status().ToString();
  EXPECT_EQ(conv->requests.size(), 19366u);
}

}  // namespace
}  // namespace aio
