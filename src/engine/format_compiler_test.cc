#include "engine/format_compiler.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

AnswerFormat JsonObject() {
  AnswerFormat format;
  format.kind = AnswerFormatKind::kJsonObject;
  return format;
}

TEST(FormatCompilerTest, FormsAreCompiledOnce) {
  const EmbeddedModel model = MakeTinyModel("tiny", "small");
  FormatCompiler compiler;
  const auto first = compiler.Compile(JsonObject(), *model.tokenizer);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(compiler.Compile(JsonObject(), *model.tokenizer).value(), first.value());
  EXPECT_EQ(compiler.Compile({}, *model.tokenizer).value(), nullptr) << "text has no form";
}

// Tokens that stand for nothing are no difference to a prompt, but one to a mask.
TEST(FormatCompilerTest, VocabulariesOfAnotherSizeHaveMasksOfTheirOwn) {
  const EmbeddedModel model = MakeTinyModel("tiny", "small");
  const EmbeddedModel padded = MakeTinyModel("padded", "large", {}, /*padding=*/100);
  ASSERT_EQ(model.tokenizer->fingerprint(), padded.tokenizer->fingerprint());
  FormatCompiler compiler;
  for (const EmbeddedModel* each : {&model, &padded}) {
    const auto compiled = compiler.Compile(JsonObject(), *each->tokenizer);
    ASSERT_TRUE(compiled.ok());
    EXPECT_EQ(compiled.value()->trie().vocabulary_size(), each->tokenizer->vocabulary_size());
  }
}

TEST(FormatCompilerTest, FaultsNameTheParameter) {
  const EmbeddedModel model = MakeTinyModel("tiny", "small");
  AnswerFormat format;
  format.kind = AnswerFormatKind::kRegex;
  format.text = "(";
  format.param = "guided_regex";
  FormatCompiler compiler;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(compiler.Compile(format, *model.tokenizer).status().param(), "guided_regex");
  }
}

}  // namespace
}  // namespace aio
