#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace aio {
namespace {

constexpr char kParent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContextTest, ReadsWhatAClientSends) {
  const auto context = ParseTraceContext(kParent, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  ASSERT_TRUE(context);
  EXPECT_EQ(ToHex(context->trace_id), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(ToHex(context->span_id), "b7ad6b7169203331");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->tracestate, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  EXPECT_EQ(FormatTraceparent(*context), kParent);
}

TEST(TraceContextTest, ObeysTheSampledFlagAlone) {
  std::string text = kParent;
  text.back() = '0';
  EXPECT_FALSE(ParseTraceContext(text, "")->sampled);
  text.replace(text.size() - 2, 2, "fe");
  EXPECT_FALSE(ParseTraceContext(text, "")->sampled) << "the other flags mean other things";
  text.back() = 'f';
  EXPECT_TRUE(ParseTraceContext(text, "")->sampled);
}

TEST(TraceContextTest, IgnoresWhatIsMalformed) {
  for (const char* text : {
           "",
           "00",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
           " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
       }) {
    EXPECT_FALSE(ParseTraceContext(text, "a=b")) << text;
  }
}

TEST(TraceContextTest, TakesWhatItKnowsOfLaterVersions) {
  EXPECT_TRUE(ParseTraceContext("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ""));
  EXPECT_TRUE(ParseTraceContext("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", ""));
  EXPECT_FALSE(ParseTraceContext("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", ""));
}

TEST(TraceContextTest, LeavesOutATracestateThatIsMalformed) {
  const auto state = [](const std::string& text) {
    return ParseTraceContext(kParent, text)->tracestate;
  };
  EXPECT_EQ(state("a=1, ,b=2 c "), "a=1, ,b=2 c");
  EXPECT_EQ(state("tenant@vendor=x"), "tenant@vendor=x");
  EXPECT_EQ(state("a"), "");
  EXPECT_EQ(state("a="), "");
  EXPECT_EQ(state("A=1"), "");
  EXPECT_EQ(state("a=1,a=2"), "") << "a key may come once";
  EXPECT_EQ(state("a=b=c"), "");
  EXPECT_EQ(state("a=\x01"), "");
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  EXPECT_EQ(state(many), "") << "32 members at most";
}

TEST(TraceContextTest, MakesIdsThatDiffer) {
  std::set<TraceId> traces;
  std::set<SpanId> spans;
  for (int i = 0; i < 1000; ++i) {
    traces.insert(NewTraceId());
    spans.insert(NewSpanId());
  }
  EXPECT_EQ(traces.size(), 1000u);
  EXPECT_EQ(spans.size(), 1000u);
}

TEST(TraceContextTest, SamplesTheRatioOfTraces) {
  int sampled = 0;
  for (int i = 0; i < 10'000; ++i) sampled += SamplesTrace(NewTraceId(), 0.25) ? 1 : 0;
  EXPECT_NEAR(sampled, 2500, 300);  // seven standard deviations
  EXPECT_TRUE(SamplesTrace({}, 1));
  TraceId greatest{};
  greatest.fill(0xFF);
  EXPECT_FALSE(SamplesTrace(greatest, 0));
}

TEST(TraceContextTest, TwoWhoSampleByOneRatioChooseTheSameTraces) {
  // The last 56 bits against (1 - ratio) * 2^56; what stands before does not matter.
  TraceId id{};
  id[9] = 0x80;
  EXPECT_TRUE(SamplesTrace(id, 0.5));
  id[0] = 0xFF;
  EXPECT_TRUE(SamplesTrace(id, 0.5));
  id[9] = 0x7F;
  EXPECT_FALSE(SamplesTrace(id, 0.5));
}

}  // namespace
}  // namespace aio
