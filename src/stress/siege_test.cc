#include "stress/siege.h"

#include <gtest/gtest.h>

#include "stress/request_load.h"
#include "stress/stream_load.h"

namespace aio {
namespace {

TEST(StreamCheckTest, FollowsTheCount) {
  StreamCheck check;
  std::string body = ": a comment\n\ndata: {\"delta\":{\"content\":\"\"}}\n\n";
  body += "data: {\"delta\":{\"content\":\"0 \"}}\n\ndata: {\"delta\":{\"cont";
  check.Take(body);
  EXPECT_EQ(body, "data: {\"delta\":{\"cont");
  EXPECT_EQ(check.tokens(), 1);
  body += "ent\":\"1 \"}}\n\ndata: [DONE]\n\n";
  check.Take(body);
  EXPECT_EQ(check.tokens(), 2);
  EXPECT_TRUE(check.done());
  EXPECT_FALSE(check.wrong());
}

TEST(StreamCheckTest, SeesWhatIsLostDoubledOrWrong) {
  for (const char* text :
       {"data: {\"content\":\"1 \"}\n\n", "data: {\"content\":\"x\"}\n\n",
        "data: {\"content\":\"0 \"}\n\ndata: {\"content\":\"0 \"}\n\n", "data: {\"error\":{}}\n\n",
        "data: [DONE]\n\ndata: {\"content\":\"0 \"}\n\n"}) {
    StreamCheck check;
    std::string body = text;
    check.Take(body);
    EXPECT_TRUE(check.wrong()) << text;
  }
}

TEST(SiegeReportTest, GrowthIsOfMediansAfterTheWarmUp) {
  SiegeReport report;
  for (int i = 0; i < 100; ++i) report.resident_bytes.push_back(i < 20 ? 10 * i : 1000);
  EXPECT_EQ(report.growth(), 0);
  report.resident_bytes[95] = 1'000'000;  // an outlier
  EXPECT_EQ(report.growth(), 0);
  for (int i = 90; i < 100; ++i) report.resident_bytes[i] = 1100;
  EXPECT_NEAR(report.growth(), 0.1, 1e-12);
  report.resident_bytes.resize(3);
  EXPECT_EQ(report.growth(), 0);
}

TEST(RequestLoadReportTest, PercentilesAreOfNearestRank) {
  RequestLoadReport report;
  EXPECT_EQ(report.Percentile(0.5), Duration::zero());
  for (int i = 1; i <= 200; ++i) report.latencies.push_back(Duration(i));
  EXPECT_EQ(report.Percentile(0.5), Duration(100));
  EXPECT_EQ(report.Percentile(0.99), Duration(198));
  EXPECT_EQ(report.Percentile(1), Duration(200));
}

}  // namespace
}  // namespace aio
