#include "engine/verifier.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "engine/testing/fake_tokenizer.h"

namespace aio {
namespace {

using Tokens = std::vector<int32_t>;

constexpr int kVocabulary = 4;  // three words and the end
constexpr int kStride = 5;      // a padded vocabulary

class VerifierTest : public testing::Test {
 protected:
  // Logits that make `tokens` the greedy choices.
  static std::vector<float> LogitsFor(const Tokens& tokens) {
    std::vector<float> logits(tokens.size() * kStride, 0.0f);
    for (size_t i = 0; i < tokens.size(); ++i) {
      logits[i * kStride + tokens[i]] = 1.0f;
      logits[i * kStride + kStride - 1] = 9.0f;  // padding that nobody may look at
    }
    return logits;
  }

  // Returns the accepted guesses; what was sampled is in sampled_.
  int Check(const Tokens& choices, const Tokens& draft, Answer& answer) {
    const std::vector<float> logits = LogitsFor(choices);
    Sampler sampler;
    sampled_.clear();
    return Verify({logits.data(), static_cast<int>(choices.size()), kVocabulary, kStride}, draft,
                  /*position=*/1, sampler, answer, sampled_);
  }

  Answer NewAnswer(int tokens_max = 100, std::vector<std::string> stop = {}) {
    SamplingParams params;
    params.temperature = 0;
    params.stop = std::move(stop);
    return Answer(tokenizer_, params, Tokens{0}, tokens_max, /*continues_text=*/true);
  }

  const FakeTokenizer tokenizer_{{"a", "b", "c"}};
  Tokens sampled_;
};

TEST_F(VerifierTest, WithoutDraftSamplesOne) {
  Answer answer = NewAnswer();
  EXPECT_EQ(Check({2}, {}, answer), 0);
  EXPECT_EQ(sampled_, (Tokens{2}));
}

TEST_F(VerifierTest, AllTrueGivesOneMoreToken) {
  Answer answer = NewAnswer();
  EXPECT_EQ(Check({1, 2, 0}, {1, 2}, answer), 2);
  EXPECT_EQ(sampled_, (Tokens{1, 2, 0}));
}

TEST_F(VerifierTest, TheFirstDifferenceEndsIt) {
  Answer answer = NewAnswer();
  EXPECT_EQ(Check({1, 0, 2}, {1, 2}, answer), 1);
  EXPECT_EQ(sampled_, (Tokens{1, 0}));
  EXPECT_EQ(Check({1, 0, 2}, {2, 0}, answer), 0);
  EXPECT_EQ(sampled_, (Tokens{1}));
  EXPECT_EQ(answer.num_tokens(), 3);
}

TEST_F(VerifierTest, TheEndOfTheAnswerEndsIt) {
  Answer at_end = NewAnswer();
  EXPECT_EQ(Check({1, 3, 2}, {1, 3}, at_end), 2);
  EXPECT_EQ(sampled_, (Tokens{1, 3}));
  Answer at_limit = NewAnswer(/*tokens_max=*/2);
  Check({1, 2, 0}, {1, 2}, at_limit);
  EXPECT_EQ(sampled_, (Tokens{1, 2}));
  Answer at_stop = NewAnswer(100, {"c"});
  Check({1, 2, 0}, {1, 2}, at_stop);
  EXPECT_EQ(sampled_, (Tokens{1, 2}));
}

TEST_F(VerifierTest, PenaltiesSeeTheAcceptedTokens) {
  SamplingParams params;
  params.temperature = 0;
  params.presence_penalty = 2;
  Answer answer(tokenizer_, params, Tokens{0}, 100, true);
  // Token 1 is best at both positions, but the second time it was there before.
  EXPECT_EQ(Check({1, 1}, {1}, answer), 1);
  EXPECT_EQ(sampled_, (Tokens{1, 0}));
}

// Position by position the same as decoding one at a time, at a temperature.
TEST_F(VerifierTest, SamplesWhatPlainDecodingWouldHave) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    SamplingParams params;
    params.seed = random();
    params.frequency_penalty = 0.5f;
    params.ignore_eos = true;
    std::vector<float> logits(4 * kStride);
    for (float& logit : logits) logit = static_cast<float>(random() % 100) / 50;
    Tokens draft(3);
    for (int32_t& token : draft) token = static_cast<int32_t>(random() % 3);

    Answer plain(tokenizer_, params, Tokens{0}, 100, true);
    Tokens expected;
    Sampler sampler;
    const LogitRows rows{logits.data(), 4, kVocabulary, kStride};
    for (int i = 0; i < 4; ++i) {
      const SampledToken token = sampler.Sample(rows.row(i), plain.sampling(), 10 + i);
      plain.Append(token);
      expected.push_back(token.token);
      if (i == 3 || draft[i] != token.token) break;
    }
    Answer speculating(tokenizer_, params, Tokens{0}, 100, true);
    Tokens sampled;
    EXPECT_EQ(Verify(rows, draft, 10, sampler, speculating, sampled),
              static_cast<int>(expected.size()) - 1);
    ASSERT_EQ(sampled, expected);
  }
}

}  // namespace
}  // namespace aio
