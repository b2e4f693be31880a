#include "router/head_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace aio {
namespace {

HeadFile Example() {
  HeadFile file;
  file.head.layers = 2;
  file.head.hidden_size = 3;
  file.head.window_tokens = 12;
  file.head.weights = {0.1f, -1e-30f, 3.4e8f, 1, std::nextafter(1.0f, 2.0f), -0.0f, 7, 8, 9};
  file.head.bias = {1.0f / 3, -2, 0};
  file.labels = {"code", "qa", "math"};
  file.model = "a \"small\" one";
  file.num_layers = 4;
  file.vocabulary_fingerprint = 0xfedcba9876543210;
  file.model_fingerprint = "00ff";
  file.evidence = {.date = "2026-11-29", .rows = 1234, .accuracy = 0.9875};
  return file;
}

ModelInfo ExampleModel() {
  ModelInfo model;
  model.name = "served";
  model.num_layers = 4;
  model.hidden_size = 3;
  model.vocabulary_fingerprint = 0xfedcba9876543210;
  return model;
}

TEST(HeadFileTest, ReadsBackWhatItWrote) {
  const HeadFile file = Example();
  const HeadFile read = HeadFileFromToml(ToToml(file), "head.toml").value();
  EXPECT_EQ(read.head.layers, 2);
  EXPECT_EQ(read.head.hidden_size, 3);
  EXPECT_EQ(read.head.window_tokens, 12);
  EXPECT_EQ(read.head.weights, file.head.weights);
  EXPECT_EQ(read.head.bias, file.head.bias);
  EXPECT_EQ(read.labels, file.labels);
  EXPECT_EQ(read.model, file.model);
  EXPECT_EQ(read.num_layers, 4);
  EXPECT_EQ(read.vocabulary_fingerprint, file.vocabulary_fingerprint);
  EXPECT_EQ(read.model_fingerprint, "00ff");
  EXPECT_EQ(read.evidence.date, "2026-11-29");
  EXPECT_EQ(read.evidence.rows, 1234);
  EXPECT_EQ(read.evidence.accuracy, 0.9875);
}

std::string Changed(std::string_view from, std::string_view to) {
  std::string text = ToToml(Example());
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(HeadFileTest, SaysWhatIsWrong) {
  const auto fault = [](const std::string& text) {
    return HeadFileFromToml(text, "head.toml").status().message();
  };
  using testing::AllOf;
  using testing::HasSubstr;
  EXPECT_THAT(fault(Changed("version = 1", "version = 2")), HasSubstr("version"));
  EXPECT_THAT(fault(Changed("[7, 8, 9]", "[7, 8]")),
              AllOf(HasSubstr("label[2].weights"), HasSubstr("3, are 2")));
  EXPECT_THAT(fault(Changed("[7, 8, 9]", "[7, 8, nan]")), HasSubstr("label[2].weights"));
  EXPECT_THAT(fault(Changed("[7, 8, 9]", "[7, 8, \"9\"]")), HasSubstr("label[2].weights"));
  EXPECT_THAT(fault(Changed("\"qa\"", "\"code\"")), HasSubstr("two labels are called 'code'"));
  EXPECT_THAT(fault(Changed("\"qa\"", "\"q a\"")), HasSubstr("label 2"));
  EXPECT_THAT(fault(Changed("num_layers = 4", "num_layers = 1")), HasSubstr("model.num_layers"));
  EXPECT_THAT(fault(Changed("\"fedc", "\"xyz")), HasSubstr("model.vocabulary"));
  EXPECT_THAT(fault(Changed("window_tokens = 12", "window_tokens = 0")),
              HasSubstr("head.window_tokens"));
  EXPECT_THAT(fault(Changed("window_tokens = 12", "")), HasSubstr("head.window_tokens"));
  EXPECT_THAT(fault(Changed("rows = 1234", "rows = 1234\nraws = 1")), HasSubstr("raws"));
  EXPECT_THAT(fault("version = 1"), HasSubstr("is missing"));
  EXPECT_THAT(ReadHeadFile("/nowhere/head.toml").status().message(),
              HasSubstr("/nowhere/head.toml"));
}

TEST(HeadFileTest, BelongsToOneModel) {
  EXPECT_TRUE(CheckHeadIsFor(Example(), ExampleModel()).ok());
  const auto fault = [](void (*change)(ModelInfo&)) {
    ModelInfo model = ExampleModel();
    change(model);
    return CheckHeadIsFor(Example(), model).message();
  };
  using testing::HasSubstr;
  EXPECT_THAT(fault([](ModelInfo& m) { m.hidden_size = 4; }), HasSubstr("hidden size 3, not 4"));
  EXPECT_THAT(fault([](ModelInfo& m) { m.num_layers = 9; }), HasSubstr("4 layers, not 9"));
  EXPECT_THAT(fault([](ModelInfo& m) { m.vocabulary_fingerprint = 1; }),
              HasSubstr("another vocabulary"));
  EXPECT_THAT(fault([](ModelInfo& m) { m.fingerprint = "0100"; }), HasSubstr("other weights"));
  // What a backend does not know of its model is not compared.
  EXPECT_TRUE(CheckHeadIsFor(Example(), ModelInfo()).ok());
}

TEST(HeadFileTest, AttachesInTheOrderOfTheQuery) {
  LabelQuery query;
  ASSERT_TRUE(AttachHead(Example(), query).ok());
  EXPECT_EQ(query.labels[1].name, "qa");
  EXPECT_EQ(query.head->weights, Example().head.weights);

  query = {};
  query.labels = {{"math", "sum"}, {"code", ""}, {"qa", ""}};
  ASSERT_TRUE(AttachHead(Example(), query).ok());
  EXPECT_EQ(query.labels[0].word, "sum");
  EXPECT_EQ(query.head->bias, (std::vector<float>{0, 1.0f / 3, -2}));
  EXPECT_EQ(query.head->weights, (std::vector<float>{7, 8, 9, 0.1f, -1e-30f, 3.4e8f, 1,
                                                     std::nextafter(1.0f, 2.0f), -0.0f}));

  for (const std::vector<LabelQuery::Label>& labels :
       {std::vector<LabelQuery::Label>{{"code", ""}, {"qa", ""}},
        {{"code", ""}, {"qa", ""}, {"chat", ""}},
        {{"code", ""}, {"qa", ""}, {"qa", ""}}}) {
    query = {};
    query.labels = labels;
    EXPECT_EQ(AttachHead(Example(), query).code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace aio
