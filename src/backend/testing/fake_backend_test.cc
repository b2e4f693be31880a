#include "backend/testing/fake_backend.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

Request Ask(std::string model, std::string prompt) {
  Request request;
  request.model = std::move(model);
  request.prompt = std::move(prompt);
  return request;
}

TEST(FakeBackend, DeliversTheScriptedAnswerAtOnce) {
  FakeBackend backend({FakeModel::Named("m", "small")});
  auto sink = std::make_shared<RecordingSink>();
  auto generation = backend.Generate(Ask("m", "two words"), sink);
  ASSERT_TRUE(generation.ok());
  const RecordingSink::Record record = sink->record();
  EXPECT_TRUE(record.in_order);
  EXPECT_EQ(record.text(), "Hello world");
  ASSERT_EQ(record.finishes.size(), 1u);
  EXPECT_EQ(record.finishes[0].usage.prompt_tokens, 2);
  EXPECT_EQ(record.finishes[0].usage.completion_tokens, 3);
}

TEST(FakeBackend, CutsAtMaxTokensAndGivesLogprobsWhenAsked) {
  FakeBackend backend({FakeModel::Named("m", "small")});
  Request request = Ask("m", "x");
  request.sampling.max_tokens = 1;
  request.sampling.top_logprobs = 2;
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(backend.Generate(request, sink).ok());
  const RecordingSink::Record record = sink->record();
  EXPECT_EQ(record.finishes.at(0).reason, FinishReason::kLength);
  ASSERT_EQ(record.tokens.size(), 1u);
  EXPECT_EQ(record.tokens[0].logprobs.at(0).top.size(), 2u);
}

TEST(FakeBackend, ManualDeliveryTakesTurnsAndCancels) {
  FakeBackend backend({FakeModel::Named("m", "small")}, FakeBackend::Delivery::kManual);
  auto first = std::make_shared<RecordingSink>();
  auto second = std::make_shared<RecordingSink>();
  auto first_generation = backend.Generate(Ask("m", "x"), first);
  auto second_generation = backend.Generate(Ask("m", "x"), second);
  EXPECT_EQ(backend.pending(), 2);
  EXPECT_TRUE(backend.DeliverOne());
  EXPECT_TRUE(backend.DeliverOne());
  EXPECT_EQ(first->record().starts.size(), 1u);
  EXPECT_EQ(second->record().starts.size(), 1u);
  (*first_generation)->Cancel();
  backend.DeliverAll();
  EXPECT_EQ(first->record().finishes.at(0).reason, FinishReason::kCancelled);
  EXPECT_EQ(first->record().tokens.size(), 0u);
  EXPECT_EQ(second->record().text(), "Hello world");
  EXPECT_TRUE(first->record().in_order && second->record().in_order);
}

TEST(FakeBackend, ThreadDelivery) {
  FakeBackend backend({FakeModel::Named("m", "small")}, FakeBackend::Delivery::kThread);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(backend.Generate(Ask("m", "x"), sink).ok());
  sink->Wait();
  EXPECT_EQ(sink->record().text(), "Hello world");
}

TEST(FakeBackend, HeldPromptsAreCountedAndOnlyItsOwnAreUsed) {
  FakeBackend backend({FakeModel::Named("m", "small")});
  FakeBackend other({FakeModel::Named("m", "small")});
  std::shared_ptr<HeldPrompt> held;
  ASSERT_TRUE(backend
                  .ScoreLabels(Ask("m", "x"), {.prefix = {}, .suffix = {}, .labels = {{"a", "a"}}},
                               [&](Result<LabelScores> scores) { held = scores->held_prompt; })
                  .ok());
  EXPECT_EQ(backend.held_prompts(), 1);
  Request request = Ask("m", "x");
  request.held_prompt = std::move(held);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(other.Generate(request, sink).ok());
  EXPECT_EQ(sink->record().finishes.at(0).usage.cached_prompt_tokens, 0);
  sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(backend.Generate(std::move(request), sink).ok());
  EXPECT_EQ(sink->record().finishes.at(0).usage.cached_prompt_tokens, 1);
  EXPECT_EQ(backend.held_prompts(), 0);
  EXPECT_TRUE(backend.generations().at(0).had_held_prompt);
}

TEST(FakeBackend, FailsAsScripted) {
  FakeBackend backend({FakeModel::Named("m", "small")});
  EXPECT_EQ(backend.Generate(Ask("none", "x"), nullptr).status().reason(), "model_not_found");
  backend.Update("m", [](FakeModel& m) {
    m.answer = [](const Request&) {
      FakeAnswer answer;
      answer.tokens = {"a"};
      answer.error = Internal("boom");
      return answer;
    };
  });
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(backend.Generate(Ask("m", "x"), sink).ok());
  EXPECT_EQ(sink->record().text(), "a");
  EXPECT_EQ(sink->record().errors.at(0).message(), "boom");
  backend.Update("m", [](FakeModel& m) { m.info.context_length = 1; });
  EXPECT_EQ(backend.Generate(Ask("m", "x"), sink).status().reason(), "context_length_exceeded");
}

}  // namespace
}  // namespace aio
