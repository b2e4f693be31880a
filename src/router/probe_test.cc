#include "router/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "backend/probe_head.h"
#include "backend/testing/fake_backend.h"
#include "base/toml_table.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

constexpr char kProbeToml[] = R"(
version = 1
[probe]
prefix = "<|user|>"
suffix = """

Kind:"""
labels = [
  { name = "code", word = "program" },
  { name = "qa", word = "question" },
]
)";

TEST(ProbeConfig, Reads) {
  const auto query = ProbeConfigFromToml(kProbeToml, "probe.toml");
  ASSERT_TRUE(query.ok()) << query.status().ToString();
  EXPECT_EQ(query->prefix, "<|user|>");
  EXPECT_EQ(query->suffix, "\nKind:");
  ASSERT_EQ(query->labels.size(), 2u);
  EXPECT_EQ(query->labels[1].name, "qa");
  EXPECT_EQ(query->labels[1].word, "question");
  EXPECT_EQ(query->window_tokens, 0) << "all of the conversation";
}

TEST(ProbeConfig, AWindowIsOffOrWideEnough) {
  const auto read = [](const std::string& window) {
    return ProbeConfigFromToml(kProbeToml + ("window_tokens = " + window + "\n"), "p.toml");
  };
  for (const int window : {0, 64, 1000}) {
    EXPECT_EQ(read(std::to_string(window)).value().window_tokens, window);
  }
  for (const char* window : {"1", "63"}) {
    EXPECT_THAT(read(window).status().message(),
                HasSubstr("p.toml:12: probe.window_tokens: must be 0 (all of the conversation) or "
                          "at least 64, is "));
  }
  for (const char* window : {"-64", "64.5", "\"64\"", "99999999999"}) {
    EXPECT_THAT(read(window).status().message(), HasSubstr("must be a whole number from 0"));
  }
}

TEST(ProbeWithHead, PassesOnWhatTheWindowsSay) {
  FakeBackend backend({FakeModel::Named("small", "small")});
  backend.Update("small", [](FakeModel& model) {
    model.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{2, 1}; };
    model.window_logits = [](const Request&) {
      return std::vector<std::vector<float>>{{3, 0}, {1, 2}};
    };
  });
  const SystemClock clock;
  LabelQuery query;
  query.labels = {{"code", ""}, {"qa", ""}};
  query.head = std::make_shared<const ProbeHead>();
  Request request;
  request.model = "small";
  request.prompt = std::string("x");
  std::optional<ProbeResult> result;
  ASSERT_TRUE(Probe(backend, query, clock)
                  .Start(request, [&](Result<ProbeResult> r) { result = *std::move(r); })
                  .ok());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->intent.top(), 0u);
  EXPECT_EQ(result->window_logits, (std::vector<std::vector<float>>{{3, 0}, {1, 2}}));
  ASSERT_EQ(backend.label_queries().size(), 1u);
  EXPECT_EQ(backend.label_queries()[0], query);
}

TEST(ProbeConfig, WordsBelongToATemplate) {
  LabelQuery query;
  query.labels = {{"code", ""}, {"qa", ""}};
  EXPECT_THAT(CheckLabelQuery(query).message(), HasSubstr("its word is empty"));
  query.head = std::make_shared<const ProbeHead>();
  EXPECT_TRUE(CheckLabelQuery(query).ok());
  query.labels[1].name = "code";
  EXPECT_THAT(CheckLabelQuery(query).message(), HasSubstr("two labels are called"));
}

TEST(ProbeConfig, AsPartOfALargerDocument) {
  auto root = TomlTable::Parse("[x.probe]\nsuffix = \"?\"\ncolour = 1\nlabels = []\n", "c.toml");
  ASSERT_TRUE(root.ok());
  auto x = root->Table("x");
  ASSERT_TRUE(x.has_value());
  auto probe = x->Table("probe");
  ASSERT_TRUE(probe.has_value());
  ReadProbeConfig(*probe);
  EXPECT_THAT(root->Finish().message(), HasSubstr("c.toml:4: x.probe.labels: 0 labels"));
}

TEST(ProbeConfig, Errors) {
  const std::string head = "version = 1\n[probe]\nsuffix = \"Kind:\"\n";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"[probe]\n", "p.toml:1: version: is missing"},
      {"version = 1\n", "probe: is missing"},
      {"version = 1\nprobe = 3\n", "probe: must be a table, [probe], is 3"},
      {"version = 1\n[probe]\n", "probe.suffix: is missing"},
      {"version = 1\n[probe]\nsuffix = \"\"\n", "probe.suffix: is empty"},
      {head, "p.toml:2: probe.labels: is missing"},
      {head + "labels = [{ name = \"a\", word = \"a\" }]\n",
       "p.toml:4: probe.labels: 1 labels; a probe tells 2 to 32 apart"},
      {head + "labels = [\"a\", \"b\"]\n", "probe.labels: must be an array of tables"},
      {head + "labels = [{ name = \"a\" }]\n", "probe.labels[0].word: is missing"},
      {head + "labels = [{ name = \"a\", word = \"a\" }, { name = \"a\", word = \"b\" }]\n",
       "two labels are called 'a'"},
      {head + "labels = [{ name = \"a\", word = \"x\" }, { name = \"b\", word = \"x\" }]\n",
       "labels 'a' and 'b' have the same word, 'x'"},
      {head + "labels = [{ name = \"a\", word = \"\" }, { name = \"b\", word = \"x\" }]\n",
       "label 'a': its word is empty"},
      {head + "labels = [{ name = \"a b\", word = \"x\" }, { name = \"b\", word = \"y\" }]\n",
       "label 1: its name must be"},
      {head + "labels = [{ name = \"a\", word = \"x\", id = 1 }, { name = \"b\", word = \"y\" }]\n",
       "probe.labels[0].id: unknown key; the keys here are: name, word"},
      {"threshold = 1\n" + head + "labels = [{name=\"a\",word=\"x\"},{name=\"b\",word=\"y\"}]\n",
       "p.toml:1: threshold: unknown key"},
  };
  for (const auto& [text, error] : bad) {
    const auto query = ProbeConfigFromToml(text, "p.toml");
    ASSERT_FALSE(query.ok()) << error;
    EXPECT_THAT(query.status().message(), HasSubstr(error));
  }
}

class ProbeTest : public ::testing::Test {
 protected:
  ProbeTest() : labels_(ProbeConfigFromToml(kProbeToml, "probe.toml").value()) {
    request_.model = "s";
    request_.prompt = "sort a list";
  }

  FakeBackend backend_{{FakeModel::Named("s", "small")}, FakeBackend::Delivery::kManual};
  ManualClock clock_;
  LabelQuery labels_;
  Request request_;
};

TEST_F(ProbeTest, GivesTheDistributionAndWhatItTook) {
  backend_.Update("s", [](FakeModel& m) {
    m.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{2, 2}; };
    m.probe_traffic = {.weight_bytes = 700, .kv_bytes = 30};
  });
  std::optional<Result<ProbeResult>> result;
  {
    const Probe probe(backend_, labels_, clock_);  // gone before the scores arrive
    ASSERT_TRUE(probe.Start(request_, [&](Result<ProbeResult> r) { result = std::move(r); }).ok());
  }
  EXPECT_FALSE(result.has_value());
  clock_.Advance(std::chrono::milliseconds(12));
  backend_.DeliverAll();
  ASSERT_TRUE(result.has_value() && result->ok());
  EXPECT_THAT((*result)->intent.labels, ::testing::ElementsAre("code", "qa"));
  EXPECT_NEAR((*result)->intent.entropy, std::log(2.0), 1e-12);
  EXPECT_EQ((*result)->elapsed_ms, 12.0);
  EXPECT_EQ((*result)->traffic.weight_bytes, 700);
  EXPECT_EQ((*result)->traffic.kv_bytes, 30);
  EXPECT_NE((*result)->held_prompt, nullptr);
  EXPECT_EQ(backend_.label_queries().at(0).suffix, "\nKind:");
}

TEST_F(ProbeTest, ScoresThatAreNoNumbersAreFaultsAndHoldNothing) {
  backend_.Update("s", [](FakeModel& m) {
    m.logits = [](const Request&, const LabelQuery&) {
      return std::vector<float>{0, -std::numeric_limits<float>::infinity()};
    };
  });
  int held_then = -1;
  Status status;
  const Probe probe(backend_, labels_, clock_);
  ASSERT_TRUE(probe
                  .Start(request_,
                         [&](Result<ProbeResult> r) {
                           status = r.status();
                           held_then = backend_.held_prompts();
                         })
                  .ok());
  backend_.DeliverAll();
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_EQ(held_then, 0);
}

TEST_F(ProbeTest, PassesOnFaults) {
  const Probe probe(backend_, labels_, clock_);
  Status status;
  const auto done = [&](Result<ProbeResult> r) { status = r.status(); };
  backend_.Update("s", [](FakeModel& m) { m.probe_fault = Unavailable("gone"); });
  ASSERT_TRUE(probe.Start(request_, done).ok());
  backend_.DeliverAll();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);

  backend_.Update("s", [](FakeModel& m) { m.probe_refusal = ResourceExhausted("full"); });
  EXPECT_EQ(probe.Start(request_, done).status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace aio
