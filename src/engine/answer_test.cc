// Answer and AnswerText: when an answer ends, and which text and tokens come out when.
#include "engine/answer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/testing/fake_tokenizer.h"

namespace aio {
namespace {

using Tokens = std::vector<int32_t>;

// Pushes tokens one by one and notes each event as "text|token,token".
class Recorder {
 public:
  Recorder(const FakeTokenizer& tokenizer, SamplingParams params, int tokens_max = 100)
      : answer_(tokenizer, std::move(params), Tokens{0}, tokens_max, /*continues_text=*/true) {}

  void Append(int32_t token) {
    SampledToken sampled;
    sampled.token = token;
    sampled.logprob = -0.5f * static_cast<float>(token);
    answer_.Append(sampled);
    if (!answer_.text().has_event()) return;
    const TokenEvent event = answer_.text().event();
    answer_.text().ClearEvent();
    std::string noted = event.text + "|";
    for (int32_t id : event.tokens) noted += (noted.back() == '|' ? "" : ",") + std::to_string(id);
    events_.push_back(noted);
    text_ += event.text;
    tokens_.insert(tokens_.end(), event.tokens.begin(), event.tokens.end());
    logprobs_.insert(logprobs_.end(), event.logprobs.begin(), event.logprobs.end());
  }
  void Append(const Tokens& tokens) {
    for (int32_t token : tokens) Append(token);
  }

  const Answer& answer() const { return answer_; }
  const std::vector<std::string>& events() const { return events_; }
  const std::string& text() const { return text_; }
  const Tokens& tokens() const { return tokens_; }
  const std::vector<TokenLogprob>& logprobs() const { return logprobs_; }

 private:
  Answer answer_;
  std::vector<std::string> events_;
  std::string text_;
  Tokens tokens_;
  std::vector<TokenLogprob> logprobs_;
};

using Events = std::vector<std::string>;

SamplingParams Stop(std::vector<std::string> stops) {
  SamplingParams params;
  params.stop = std::move(stops);
  return params;
}

TEST(AnswerTest, EndsAtTheEndTokenWhichIsNotShown) {
  const FakeTokenizer tokenizer({"a", "b"});
  Recorder recorder(tokenizer, {});
  recorder.Append({0, 1, tokenizer.end()});
  EXPECT_EQ(recorder.events(), (Events{"a|0", "b|1"}));
  EXPECT_TRUE(recorder.answer().finished());
  EXPECT_EQ(recorder.answer().reason(), FinishReason::kStop);
  EXPECT_EQ(recorder.answer().num_tokens(), 3);
}

TEST(AnswerTest, IgnoringTheEndTokenItIsATokenWithoutText) {
  const FakeTokenizer tokenizer({"a", "b"});
  SamplingParams params;
  params.ignore_eos = true;
  Recorder recorder(tokenizer, params, /*tokens_max=*/3);
  recorder.Append({0, tokenizer.end(), 1});
  EXPECT_EQ(recorder.events(), (Events{"a|0", "|2", "b|1"}));
  EXPECT_EQ(recorder.answer().reason(), FinishReason::kLength);
}

TEST(AnswerTest, TheLastAllowedTokenMayStillEndItWithStop) {
  const FakeTokenizer tokenizer({"a", "b"});
  Recorder at_end(tokenizer, {}, /*tokens_max=*/2);
  at_end.Append({0, tokenizer.end()});
  EXPECT_EQ(at_end.answer().reason(), FinishReason::kStop);
  Recorder at_stop(tokenizer, Stop({"b"}), /*tokens_max=*/2);
  at_stop.Append({0, 1});
  EXPECT_EQ(at_stop.answer().reason(), FinishReason::kStop);
  EXPECT_EQ(at_stop.text(), "a");
  EXPECT_EQ(at_stop.answer().stop_string(), "b");
}

TEST(AnswerTest, TokensGoOutWithTheFirstByteOfTheirText) {
  const FakeTokenizer tokenizer({"x", "y\n", "En", "d", "e"});
  Recorder recorder(tokenizer, Stop({"\nEnd"}));
  recorder.Append({0, 1, 2, 4});  // "\nEne" is no stop string
  EXPECT_EQ(recorder.events(), (Events{"x|0", "y|1", "\nEne|2,4"}));
}

TEST(AnswerTest, TokensInsideTheStopStringNeverGoOut) {
  const FakeTokenizer tokenizer({"x", "y\n", "En", "d", "e"});
  Recorder recorder(tokenizer, Stop({"\nEnd"}));
  recorder.Append({0, 1, 2, 3});
  EXPECT_EQ(recorder.events(), (Events{"x|0", "y|1"}));
  EXPECT_TRUE(recorder.answer().finished());
  EXPECT_EQ(recorder.answer().num_tokens(), 4);
}

TEST(AnswerTest, WithheldTextComesOutAtTheEnd) {
  const FakeTokenizer tokenizer({"x", "En"});
  Recorder by_length(tokenizer, Stop({"End"}), /*tokens_max=*/2);
  by_length.Append({0, 1});
  EXPECT_EQ(by_length.events(), (Events{"x|0", "En|1"}));
  Recorder by_end(tokenizer, Stop({"End"}));
  by_end.Append({0, 1, tokenizer.end()});
  EXPECT_EQ(by_end.text(), "xEn");
  EXPECT_EQ(by_end.tokens(), (Tokens{0, 1}));
}

TEST(AnswerTest, PartsOfACharacterWaitForTheRest) {
  const FakeTokenizer tokenizer({"\xE2\x82", "\xAC", "a", ""});
  SamplingParams params;
  params.ignore_eos = true;
  Recorder recorder(tokenizer, params);
  recorder.Append({2, 0, 3, 1, 2});  // a control token in the middle of "\u20ac"
  EXPECT_EQ(recorder.events(), (Events{"a|2", "\xE2\x82\xAC|0,3,1", "a|2"}));
}

TEST(AnswerTest, ACutOffCharacterBecomesAReplacement) {
  const FakeTokenizer tokenizer({"\xE2\x82", "a"});
  Recorder recorder(tokenizer, {}, /*tokens_max=*/2);
  recorder.Append({1, 0});
  EXPECT_EQ(recorder.text(), "a\xEF\xBF\xBD");
  EXPECT_EQ(recorder.tokens(), (Tokens{1, 0}));
}

TEST(AnswerTest, LogprobsStayWithTheirTokens) {
  const FakeTokenizer tokenizer({"x", "En", "d", "e"});
  SamplingParams params = Stop({"End"});
  params.top_logprobs = 0;
  Recorder recorder(tokenizer, params);
  recorder.Append({0, 1, 3, 1, 2});
  EXPECT_EQ(recorder.text(), "xEne");
  ASSERT_EQ(recorder.logprobs().size(), recorder.tokens().size());
  EXPECT_EQ(recorder.tokens(), (Tokens{0, 1, 3}));
  for (size_t i = 0; i < recorder.tokens().size(); ++i) {
    EXPECT_EQ(recorder.logprobs()[i].token, recorder.tokens()[i]);
    EXPECT_EQ(recorder.logprobs()[i].bytes, tokenizer.TokenBytes(recorder.tokens()[i]));
    EXPECT_EQ(recorder.logprobs()[i].logprob, -0.5f * static_cast<float>(recorder.tokens()[i]));
  }
}

}  // namespace
}  // namespace aio
