#include "paper/paper_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "paper/embedded_tables.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

// The embedded text with the first `from` made `to`.
std::string Changed(std::string_view from, std::string_view to) {
  std::string text(PaperTablesJson());
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string Fault(const std::string& text) {
  const auto tables = ParsePaperTables(text, "t.json");
  return tables.ok() ? "read without fault" : tables.status().message();
}

TEST(PaperTablesTest, TheEmbeddedOnesAreWhatThePaperPrints) {
  const auto tables = EmbeddedPaperTables();
  ASSERT_TRUE(tables.ok()) << tables.status().ToString();
  EXPECT_EQ(tables->source.reference, "arXiv 2604.09752v1");
  EXPECT_DOUBLE_EQ(tables->Accuracy("static-large", "humaneval").value, 62.80);
  EXPECT_DOUBLE_EQ(tables->Tps("static-large-pld", "ceval").value, 20.15);
  EXPECT_NEAR(tables->Tps("aio", "gpqa").slack(), 0.005, 1e-12);
  EXPECT_DOUBLE_EQ(FindNamed(tables->long_context.accuracy, "static-large")->long_context, 95.73);
  EXPECT_DOUBLE_EQ(tables->ProbabilitySaid("qa", "code"), 0.08);
  EXPECT_DOUBLE_EQ(tables->ProbabilitySaid("qa", "poetry"), 0);
  EXPECT_DOUBLE_EQ(*FindNamed(*FindNamed(tables->figures.scenarios, "C"), "aio")->tps, 13.40);
  EXPECT_DOUBLE_EQ(tables->overhead.probe_prefill_ms, 11.8);
}

TEST(PaperTablesTest, ShapesGiveTheBytesOfAToken) {
  const auto tables = EmbeddedPaperTables();
  ASSERT_TRUE(tables.ok());
  // 34 * (2 * 4096^2 + 2 * 4096 * 1024 + 3 * 4096 * 12800) + 4096 * 153376 weights of 2 bytes.
  EXPECT_NEAR(tables->large.ShapeGb(), 2 * (34 * 199229440.0 + 628228096.0) / 1e9, 1e-9);
  // 34 layers, keys and values, 8 heads of 128, 2 bytes, 32768 tokens.
  EXPECT_NEAR(tables->large.KvGb(32768), 34.0 * 2 * 1024 * 2 * 32768 / 1e9, 1e-9);
}

TEST(PaperTablesTest, FaultsNameTheField) {
  EXPECT_EQ(Fault("{"), "t.json: is no JSON from byte 2 on");
  EXPECT_EQ(Fault("[]"), "t.json: must be an object");
  EXPECT_THAT(Fault(Changed("\"total_ms\": 17.4", "\"total_ms\": \"17.4\"")),
              HasSubstr("t.json: 'overhead.total_ms': must be a number from"));
  EXPECT_THAT(Fault(Changed("\"total_ms\": 17.4,", "")),
              HasSubstr("'overhead.total_ms': is missing"));
  EXPECT_THAT(Fault(Changed("\"total_ms\"", "\"totalms\": 1, \"total_ms\"")),
              HasSubstr("'overhead.totalms': is not known here; the fields are: generation_ms, "));
  EXPECT_THAT(Fault(Changed("[63.20, 71.17,", "[63.20, 171.17,")),
              HasSubstr("'accuracy_tps.rows.static-small.acc[1]': must be a number from 0 to 100"));
  EXPECT_THAT(Fault(Changed("[63.20, 71.17,", "[63.20, null,")),
              HasSubstr("'accuracy_tps.rows.static-small.acc[1]'"));
  EXPECT_THAT(Fault(Changed("[63.20, 71.17,", "[71.17,")),
              HasSubstr("'accuracy_tps.rows.static-small.acc': must be a list of 5"));
  EXPECT_THAT(Fault(Changed("[94, 4, 2]", "[94, 4]")),
              HasSubstr("'confusion.counts[0]': must be a list of 3"));
  EXPECT_THAT(Fault(Changed("[94, 4, 2]", "[94, 4.5, 2]")),
              HasSubstr("'confusion.counts[0][1]': must be a count"));
  EXPECT_THAT(Fault(Changed("[94, 4, 2]", "[0, 0, 0]")),
              HasSubstr("'confusion.counts[0]': must count at least one query"));
  EXPECT_THAT(Fault(Changed("\"layers\": 26", "\"layers\": 0")),
              HasSubstr("'models.small.layers': must be a whole number from 1"));
  EXPECT_THAT(Fault(Changed("\"version\": 1", "\"version\": 2")), HasSubstr("'version'"));
  EXPECT_THAT(Fault(Changed("17.4", "1e999")), HasSubstr("out of range"));
}

TEST(PaperTablesTest, WhatFieldsReferToMustBeThere) {
  EXPECT_THAT(Fault(Changed("\"humaneval\": 0.70", "\"humaneval\": 0.60")),
              HasSubstr("'mixes.A': the shares sum to 0.9; make it 1"));
  EXPECT_THAT(Fault(Changed("\"humaneval\": 0.70", "\"mbpp\": 0.70")),
              HasSubstr("'mixes.A.short': 'tasks' has no 'mbpp'"));
  EXPECT_THAT(Fault(Changed("\"math\": \"static-large-pld\"", "\"math\": \"medium\"")),
              HasSubstr("'policy.math': accuracy_tps has no row 'medium'"));
  EXPECT_THAT(Fault(Changed("\"math\": \"static-large-pld\",", "")),
              HasSubstr("'policy.math': is missing"));
  EXPECT_THAT(Fault(Changed("\"intent\": \"math\"", "\"intent\": \"poetry\"")),
              HasSubstr("'tasks.gsm8k.intent': 'confusion.labels' has no 'poetry'"));
  EXPECT_THAT(Fault(Changed("\"tasks\": {",
                            "\"tasks\": {\"mbpp\": {\"name\": \"M\", \"intent\": \"code\"},")),
              HasSubstr("'tasks.mbpp': 'accuracy_tps.columns' has no 'mbpp'"));
  EXPECT_THAT(Fault(Changed("\"scenarios\": {", "\"scenarios\": {\"D\": {},")),
              HasSubstr("'scenarios.D': 'mixes' does not say"));
  EXPECT_THAT(Fault(Changed("\"random\": [67.72, 19.01],", "")),
              HasSubstr("'scenarios.A.random': is missing"));
  EXPECT_THAT(Fault(Changed("\"ablation_scenario\": \"A\"", "\"ablation_scenario\": \"C\"")),
              HasSubstr("'ablation_scenario': must be a mix of short prompts"));
  EXPECT_THAT(Fault(Changed("\"full\": [", "\"whole\": [")),
              HasSubstr("'ablations.full': is missing"));
}

}  // namespace
}  // namespace aio
