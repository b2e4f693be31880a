// Answers that must have a form: by the engine as a whole, on random models and on the bundled
// pair.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/embedded_backend.h"
#include "engine/testing/collecting_sink.h"
#include "engine/testing/tiny_model.h"
#include "formats/gguf.h"
#include "grammar/testing/random_schema.h"
#include "grammar/testing/schema_validator.h"

namespace aio {
namespace {

using testing::HasSubstr;

constexpr char kPerson[] =
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":12},
        "age":{"type":"integer","minimum":0,"maximum":120},
        "tags":{"type":"array","items":{"enum":["red","green"]},"maxItems":3}},
        "required":["name","age"]})";

const Clock& MachineClock() {
  static const SystemClock clock;
  return clock;
}

std::unique_ptr<EmbeddedBackend> Start(std::vector<EmbeddedModel> models) {
  return EmbeddedBackend::Create(std::move(models), {}, MachineClock()).value();
}

EmbeddedModel Bundled(const std::string& role, const std::string& draft_model) {
  const std::string path = AIO_SOURCE_DIR "/models/pocket-" + role + "-f16.gguf";
  auto file = GgufFile::Open(path).value();
  EmbeddedModel model;
  model.name = "pocket-" + role;
  model.role = role;
  model.tokenizer = Tokenizer::Load(*file).value();
  model.chat_template = ChatTemplate::FromName("chatml").value();
  model.model = Model::Load(std::move(file)).value();
  model.draft_model = draft_model;
  return model;
}

Request Ask(const std::string& model, AnswerFormat format) {
  Request request;
  request.model = model;
  request.prompt = std::string("Describe a person.");
  request.format = std::move(format);
  request.sampling.max_tokens = 200;
  return request;
}

class ConstrainedTest : public testing::Test {
 protected:
  ConstrainedTest() : backend_(Start({MakeTinyModel("tiny", "small")})) {}

  CollectedAnswer Answer(const Request& request) { return GenerateAndWait(*backend_, request); }

  std::unique_ptr<EmbeddedBackend> backend_;
};

TEST_F(ConstrainedTest, AnswersAreValidWhateverTheModelSays) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Request request = Ask("tiny", {AnswerFormatKind::kJsonSchema, kPerson, "x"});
    request.sampling.seed = seed;
    request.sampling.temperature = seed % 3 == 0 ? 0.0f : 1.0f;
    request.sampling.ignore_eos = seed % 2 == 0;
    const CollectedAnswer answer = Answer(request);
    ASSERT_TRUE(answer.error.ok()) << answer.error.ToString();
    EXPECT_EQ(answer.finish->reason, FinishReason::kStop) << answer.text;
    EXPECT_EQ(FindSchemaFault(kPerson, answer.text), "") << answer.text;
  }
}

TEST_F(ConstrainedTest, EveryKindOfFormat) {
  const auto text = [&](AnswerFormatKind kind, const char* what) {
    return Answer(Ask("tiny", {kind, what, "x"})).text;
  };
  EXPECT_THAT(text(AnswerFormatKind::kChoice, R"(["yes","no"])"), testing::AnyOf("yes", "no"));
  EXPECT_THAT(text(AnswerFormatKind::kRegex, "[a-f]{3}-\\d{2}"),
              testing::MatchesRegex("[a-f][a-f][a-f]-[0-9][0-9]"));
  EXPECT_THAT(text(AnswerFormatKind::kGbnf, "root ::= \"(\" [xy] \")\""),
              testing::AnyOf("(x)", "(y)"));
}

TEST_F(ConstrainedTest, AnAnswerThatIsCutSaysSo) {
  Request request = Ask("tiny", {AnswerFormatKind::kRegex, "a{50}", "x"});
  request.sampling.max_tokens = 7;
  const CollectedAnswer cut = Answer(request);
  EXPECT_EQ(cut.text, "aaaaaaa");
  EXPECT_EQ(cut.finish->reason, FinishReason::kLength);
  request.sampling.max_tokens = 50;
  const CollectedAnswer whole = Answer(request);
  EXPECT_EQ(whole.text, std::string(50, 'a'));
  EXPECT_EQ(whole.finish->reason, FinishReason::kStop);
}

TEST_F(ConstrainedTest, LogprobsAreOverWhatIsAllowed) {
  Request request = Ask("tiny", {AnswerFormatKind::kRegex, "[ab]c", "x"});
  request.sampling.top_logprobs = 5;
  const CollectedAnswer answer = Answer(request);
  ASSERT_EQ(answer.logprobs.size(), 2u);
  ASSERT_EQ(answer.logprobs[0].top.size(), 2u);
  EXPECT_NEAR(
      std::exp(answer.logprobs[0].top[0].logprob) + std::exp(answer.logprobs[0].top[1].logprob),
      1.0, 1e-5);
  EXPECT_EQ(answer.logprobs[1].logprob, 0.0f);
}

TEST_F(ConstrainedTest, WhatCannotBeCompiledIsRefusedByItsField) {
  const CollectedAnswer answer =
      Answer(Ask("tiny", {AnswerFormatKind::kJsonSchema, R"({"type":"object","minProperties":1})",
                          "response_format.json_schema.schema"}));
  EXPECT_EQ(answer.error.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(answer.error.param(), "response_format.json_schema.schema");
  EXPECT_THAT(answer.error.message(), HasSubstr("/minProperties"));
  // Before any work, and again from what is remembered, under another name.
  Request request = Ask("tiny", {AnswerFormatKind::kJsonSchema,
                                 R"({"type":"object","minProperties":1})", "guided_json"});
  const LabelQuery labels{"", "\n", {{"a", "x"}, {"b", "y"}}};
  EXPECT_EQ(ScoreLabelsAndWait(*backend_, request, labels).status().param(), "guided_json");
}

TEST_F(ConstrainedTest, StopStringsAndBiasStillCount) {
  Request request = Ask("tiny", {AnswerFormatKind::kRegex, "[ab]{1,40}c", "x"});
  request.sampling.stop = {"c"};
  EXPECT_EQ(Answer(request).text.find('c'), std::string::npos);
  request.sampling.stop = {};
  request.sampling.logit_bias = {{'a', -100.0f}, {'c', -100.0f}, {'z', 100.0f}};
  EXPECT_EQ(Answer(request).text.substr(0, 30), std::string(30, 'b'));
}

// The bundled models, by every strategy.
TEST(ConstrainedPairTest, AnswersParseAndValidate) {
  const auto backend = Start({Bundled("small", ""), Bundled("large", "pocket-small")});
  int accepted = 0;
  for (uint32_t seed = 0; seed < 24; ++seed) {
    std::mt19937 random(seed);
    const std::string schema = seed % 4 == 0 ? kPerson : RandomSchema(random, 3);
    Request request = Ask(seed % 3 == 0 ? "pocket-small" : "pocket-large",
                          {AnswerFormatKind::kJsonSchema, schema, "x"});
    request.prompt = std::vector<ChatMessage>{{"user", "Describe Ada, who is 36, as JSON."}};
    request.sampling.seed = seed;
    request.sampling.temperature = seed % 2 == 0 ? 0.0f : 0.8f;
    request.sampling.max_tokens = 160;
    const CollectedAnswer plain = GenerateAndWait(*backend, request);
    ASSERT_TRUE(plain.error.ok()) << plain.error.ToString();
    if (plain.finish->reason == FinishReason::kStop) {
      EXPECT_EQ(FindSchemaFault(schema, plain.text), "") << schema << "\n" << plain.text;
    }
    for (const StrategyKind kind :
         {StrategyKind::kPromptLookup, StrategyKind::kDraftModel, StrategyKind::kAuto}) {
      if (kind == StrategyKind::kDraftModel && request.model == "pocket-small") continue;
      request.strategy = DefaultStrategy(kind);
      const CollectedAnswer answer = GenerateAndWait(*backend, request);
      EXPECT_EQ(Transcript(answer), Transcript(plain)) << StrategyName(kind) << schema;
      accepted += answer.finish->speculation.draft_accepted_tokens;
    }
  }
  EXPECT_GT(accepted, 50);
}

}  // namespace
}  // namespace aio
