#include "traffic/given_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "backend/testing/fake_backend.h"

namespace aio {
namespace {

using testing::ElementsAre;

class GivenLabelsTest : public testing::Test {
 protected:
  GivenLabelsTest() {
    backend_.Update("m", [](FakeModel& model) {
      model.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{1, 2, 3}; };
    });
  }

  std::vector<float> Score(const std::string& intent) {
    const LabelQuery labels{
        .prefix = "", .suffix = "?", .labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}}};
    Request request;
    request.model = "m";
    request.prompt = std::string("hello");
    request.intent = intent;
    std::optional<Result<LabelScores>> scores;
    EXPECT_TRUE(given_.ScoreLabels(request, labels, [&](auto result) { scores = result; }).ok());
    return scores && scores->ok() ? scores->value().logits : std::vector<float>{};
  }

  FakeBackend backend_{{FakeModel::Named("m", "small")}};
  GivenLabels given_{backend_};
};

TEST_F(GivenLabelsTest, TheGivenLabelIsCertainAndTheProbeWasAsked) {
  EXPECT_THAT(Score("qa"), ElementsAre(0, 20, 0));
  EXPECT_EQ(backend_.probes().size(), 1u);
}

TEST_F(GivenLabelsTest, WithoutALabelTheProbeSaysWhatItThinks) {
  EXPECT_THAT(Score(""), ElementsAre(1, 2, 3));
  EXPECT_THAT(Score("poetry"), ElementsAre(1, 2, 3));
}

TEST_F(GivenLabelsTest, AFaultStaysAFault) {
  backend_.Update("m", [](FakeModel& model) { model.probe_fault = Unavailable("gone"); });
  EXPECT_TRUE(Score("qa").empty());
}

}  // namespace
}  // namespace aio
