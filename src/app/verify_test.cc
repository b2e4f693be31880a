// The comparison on random models, and that it finds what is wrong in engines that are broken on
// purpose.
#include "app/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "backend/forwarding_backend.h"
#include "engine/embedded_backend.h"
#include "engine/testing/tiny_model.h"

namespace aio {
namespace {

using ::testing::HasSubstr;

const Clock& MachineClock() {
  static const SystemClock clock;
  return clock;
}

const std::vector<EmbeddedModel>& TinyPair() {
  static const auto* pair = [] {
    TestModelSpec large;
    large.seed = 2;
    large.num_layers = 3;
    auto* models = new std::vector<EmbeddedModel>{MakeTinyModel("tiny-small", "small"),
                                                  MakeTinyModel("tiny-large", "large", large)};
    (*models)[1].draft_model = "tiny-small";
    return models;
  }();
  return *pair;
}

// Passes events on, a little wrong.
using Corruption = std::function<void(TokenEvent&)>;

class CorruptingSink final : public EventSink {
 public:
  CorruptingSink(std::shared_ptr<EventSink> next, Corruption corrupt)
      : next_(std::move(next)), corrupt_(std::move(corrupt)) {}
  void OnStart(const StartEvent& event) override { next_->OnStart(event); }
  void OnToken(const TokenEvent& event) override {
    TokenEvent changed = event;
    corrupt_(changed);
    next_->OnToken(changed);
  }
  void OnFinish(const FinishEvent& event) override { next_->OnFinish(event); }
  void OnError(const Status& status) override { next_->OnError(status); }

 private:
  const std::shared_ptr<EventSink> next_;
  const Corruption corrupt_;
};

// What a broken engine does to requests and to answers.
struct Fault {
  std::function<void(Request&)> request = [](Request&) {};
  Corruption answer = [](TokenEvent&) {};
  std::function<void(LabelScores&)> scores = [](LabelScores&) {};
  Status refusal{};  // of draft_model
};

class FaultyBackend final : public ForwardingBackend {
 public:
  FaultyBackend(std::unique_ptr<Backend> engine, Fault fault)
      : ForwardingBackend(*engine), engine_(std::move(engine)), fault_(std::move(fault)) {}

  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override {
    const auto change = [this, done = std::move(done)](Result<LabelScores> scores) {
      if (scores.ok()) fault_.scores(*scores);
      done(std::move(scores));
    };
    return engine_->ScoreLabels(request, labels, change);
  }
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override {
    if (!fault_.refusal.ok() && request.strategy->kind == StrategyKind::kDraftModel) {
      return fault_.refusal;
    }
    fault_.request(request);
    return engine_->Generate(std::move(request),
                             std::make_shared<CorruptingSink>(std::move(sink), fault_.answer));
  }

 private:
  const std::unique_ptr<Backend> engine_;
  const Fault fault_;
};

// Enough of them for a fault to show.
VerifyOptions FewRequests() {
  VerifyOptions options;
  options.requests = 5;
  return options;
}

// `fault` is that of the setting named, every other is sound.
VerifyReport Compare(const VerifyOptions& options, const std::string& broken_setting = "",
                     const Fault& fault = {}) {
  const auto start = [&](const VerifySetting& setting) -> Result<std::unique_ptr<Backend>> {
    AIO_ASSIGN_OR_RETURN(std::unique_ptr<Backend> engine,
                         EmbeddedBackend::Create(TinyPair(), setting.options, MachineClock()));
    if (setting.name != broken_setting) return engine;
    return std::unique_ptr<Backend>(std::make_unique<FaultyBackend>(std::move(engine), fault));
  };
  return VerifyModels(TinyPair(), options, start, {}, MachineClock()).value();
}

TEST(VerifyTest, FindsNothingInASoundEngine) {
  VerifyOptions options;
#ifdef AIO_SANITIZED
  options.requests = 8;
#else
  options.requests = 32;
#endif
  options.prompts = {{{"user", "the hen in the ring, the hen in the ring"}}};
  const VerifyReport report = Compare(options);
  for (const VerifyDivergence& divergence : report.divergences) {
    ADD_FAILURE() << divergence.strategy << ", " << divergence.setting << ": "
                  << divergence.difference.where << " of " << divergence.description;
  }
  EXPECT_EQ(report.num_divergences(), 0);
  ASSERT_EQ(report.counts.size(), 12u) << "five strategies and the probe, on two models";
  for (const VerifyCounts& row : report.counts) {
    EXPECT_GE(row.comparisons + row.not_applicable, options.requests) << row.strategy;
  }
  EXPECT_GT(report.comparisons(), 18 * options.requests);
  // Otherwise the comparison shows little.
  EXPECT_GT(report.counts[1].draft_accepted_tokens, 0);
  EXPECT_GT(report.counts[1].draft_tokens, report.counts[1].draft_accepted_tokens);
  EXPECT_GT(report.counts[1].tokens_per_second(), 0);
  EXPECT_EQ(report.counts[0].speed_over_plain(), 1);
  EXPECT_GT(report.prefix_tokens_found, 0);
#ifndef AIO_SANITIZED
  EXPECT_GT(report.preemptions, 0);
#endif
}

TEST(VerifyTest, FindsAnotherSeed) {
  const Fault fault{.request = [](Request& request) { ++request.sampling.seed; }};
  VerifyOptions options = FewRequests();
  for (const char* setting : {"1 thread", "2 threads", "chunks of 7", "small cache"}) {
    const VerifyReport report = Compare(options, setting, fault);
    EXPECT_GT(report.num_divergences(), 0) << setting;
    ASSERT_FALSE(report.divergences.empty());
    EXPECT_THAT(report.divergences[0].setting, HasSubstr(setting));
  }
}

TEST(VerifyTest, ADivergenceComesBackByItsNumber) {
  const Fault fault{.request = [](Request& request) { ++request.sampling.seed; }};
  VerifyOptions options = FewRequests();
  const VerifyReport report = Compare(options, "2 threads", fault);
  ASSERT_FALSE(report.divergences.empty());
  const VerifyDivergence& first = report.divergences[0];
  options.only = first.request;
  const VerifyReport again = Compare(options, "2 threads", fault);
  EXPECT_LT(again.comparisons(), report.comparisons());
  const auto is_first = [&](const VerifyDivergence& d) {
    return d.request == first.request && d.strategy == first.strategy &&
           d.setting == first.setting && d.description == first.description &&
           d.difference.where == first.difference.where &&
           d.difference.expected == first.difference.expected &&
           d.difference.actual == first.difference.actual;
  };
  EXPECT_TRUE(std::any_of(again.divergences.begin(), again.divergences.end(), is_first));
}

TEST(VerifyTest, FindsOneBitOfALogProbability) {
  const Fault fault{.answer = [](TokenEvent& event) {
    for (TokenLogprob& logprob : event.logprobs) {
      logprob.logprob = std::nextafter(logprob.logprob, -100.0f);
    }
  }};
  const VerifyReport report = Compare(FewRequests(), "small cache", fault);
  ASSERT_FALSE(report.divergences.empty());
  EXPECT_EQ(report.divergences[0].difference.where, "log-probability of token 0");
}

TEST(VerifyTest, FindsTextTokensAndScoresThatChanged) {
  const Fault text{.answer = [](TokenEvent& event) { event.text += "!"; }};
  VerifyReport report = Compare(FewRequests(), "chunks of 7", text);
  ASSERT_FALSE(report.divergences.empty());
  EXPECT_THAT(report.divergences[0].difference.where, HasSubstr("text at byte"));

  const Fault tokens{.answer = [](TokenEvent& event) {
    for (int32_t& token : event.tokens) token ^= 1;
  }};
  report = Compare(FewRequests(), "1 thread", tokens);
  ASSERT_FALSE(report.divergences.empty());
  EXPECT_EQ(report.divergences[0].difference.where, "token 0");

  const Fault scores{.scores = [](LabelScores& s) { s.logits[1] += 1; }};
  report = Compare(FewRequests(), "chunks of 7", scores);
  ASSERT_FALSE(report.divergences.empty());
  EXPECT_EQ(report.divergences[0].difference.where, "score of label 1");
  EXPECT_EQ(report.divergences[0].strategy, "after a probe");
}

TEST(VerifyTest, AModelWithoutDraftModelIsNoDivergence) {
  const Fault fault{.refusal = InvalidArgument("model \"tiny\" has no draft model")};
  const VerifyReport report = Compare(FewRequests(), "2 threads", fault);
  EXPECT_EQ(report.num_divergences(), 0);
  EXPECT_GT(report.counts[3].not_applicable, 0);
  // Any other refusal is one.
  EXPECT_GT(Compare(FewRequests(), "2 threads", {.refusal = Internal("broken")}).num_divergences(),
            0);
}

TEST(VerifyTest, SaysWhichRequestsThereAre) {
  VerifyOptions options = FewRequests();
  options.requests = 3;
  options.only = 6;
  const auto start = [&](const VerifySetting& setting) -> Result<std::unique_ptr<Backend>> {
    AIO_ASSIGN_OR_RETURN(auto engine,
                         EmbeddedBackend::Create(TinyPair(), setting.options, MachineClock()));
    return std::unique_ptr<Backend>(std::move(engine));
  };
  const auto report = VerifyModels(TinyPair(), options, start, {}, MachineClock());
  EXPECT_EQ(report.status().message(), "there is no request 6; they are 0 to 5");
}

}  // namespace
}  // namespace aio
