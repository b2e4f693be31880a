#include "app/probe_prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/testing/fake_backend.h"
#include "router/router.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

const LabelQuery kLabels = {
    .prefix = "", .suffix = "?", .labels = {{"code", "code"}, {"qa", "qa"}}, .window_tokens = 0};

FakeModel Named(const std::string& name) {
  FakeModel model = FakeModel::Named(name, "");
  model.logits = [](const Request& request, const LabelQuery&) {
    const bool code = FakePromptText(request.prompt).find("code") != std::string::npos;
    return code ? std::vector<float>{3, 0} : std::vector<float>{0, 3};
  };
  return model;
}

class ProbePromptsTest : public testing::Test {
 protected:
  Result<std::vector<Signals>> Probe(const std::vector<std::string>& prompts) {
    RouterOptions options;
    options.small = {.backend = &backend_, .model = "little"};
    options.large = {.backend = &backend_, .model = "big"};
    options.labels = {.prefix = "",
                      .suffix = "?",
                      .labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}},
                      .window_tokens = 0};
    options.policy = RoutingPolicy::Paper();
    auto router = Router::Create(std::move(options), clock_);
    EXPECT_TRUE(router.ok()) << router.status().ToString();
    return ProbePrompts(**router, kLabels, prompts, [this](size_t done) { done_ = done; });
  }

  ManualClock clock_;
  FakeBackend backend_{{Named("little"), Named("big")}, FakeBackend::Delivery::kThread};
  size_t done_ = 0;
};

TEST_F(ProbePromptsTest, SeesWhatTheRouterWouldSee) {
  std::vector<std::string> prompts;
  for (int i = 0; i < 40; ++i) prompts.push_back(i % 2 == 0 ? "some code please" : "who is it");
  const auto signals = Probe(prompts);
  ASSERT_TRUE(signals.ok()) << signals.status().ToString();
  ASSERT_EQ(signals->size(), 40u);
  EXPECT_EQ(done_, 40u);
  EXPECT_EQ((*signals)[0].intent->labels[(*signals)[0].intent->top()], "code");
  EXPECT_EQ((*signals)[39].intent->labels[(*signals)[39].intent->top()], "qa");
  EXPECT_EQ((*signals)[0].label_logits, (std::vector<float>{3, 0}));
  EXPECT_EQ((*signals)[0].prompt_tokens, 3);
  EXPECT_EQ((*signals)[0].small.context.context_length, 4096);
  for (const FakeCall& probe : backend_.probes()) EXPECT_EQ(probe.request.model, "little");
}

TEST_F(ProbePromptsTest, AFaultOfTheModelIsNoScore) {
  backend_.Update("little", [](FakeModel& model) { model.probe_fault = Unavailable("gone"); });
  EXPECT_THAT(Probe({"a", "b"}).status().message(), HasSubstr("gone"));
}

TEST_F(ProbePromptsTest, WhatDoesNotFitIsNotProbed) {
  std::string prompt = "w";
  for (int i = 0; i < 5000; ++i) prompt += " w";
  const auto signals = Probe({prompt, "code"});
  ASSERT_TRUE(signals.ok()) << signals.status().ToString();
  EXPECT_FALSE((*signals)[0].intent.has_value());
  EXPECT_EQ((*signals)[0].prompt_tokens, 5001);
  EXPECT_TRUE((*signals)[1].intent.has_value());
}

}  // namespace
}  // namespace aio
