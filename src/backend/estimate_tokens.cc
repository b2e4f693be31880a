#include "backend/estimate_tokens.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace aio {
namespace {

constexpr int64_t kBytesPerToken = 4;
// Marks of a turn's beginning and end.
constexpr int64_t kTokensPerMessage = 4;

struct PromptEstimate {
  int64_t operator()(const std::vector<ChatMessage>& messages) const {
    int64_t tokens = 0;
    for (const ChatMessage& message : messages)
      tokens += (*this)(message.content) + kTokensPerMessage;
    return tokens;
  }
  int64_t operator()(const std::string& text) const {
    return static_cast<int64_t>(text.size()) / kBytesPerToken;
  }
  int64_t operator()(const std::vector<int32_t>& ids) const {
    return static_cast<int64_t>(ids.size());
  }
};

}  // namespace

int64_t EstimatePromptTokens(const Prompt& prompt) { return std::visit(PromptEstimate{}, prompt); }

int64_t EstimateAnswerTokens(const Request& request) {
  return std::max(0, request.sampling.max_tokens.value_or(kAnswerTokensGuess));
}

int64_t EstimateTokens(const Request& request) {
  return std::max<int64_t>(1, EstimatePromptTokens(request.prompt) + EstimateAnswerTokens(request));
}

}  // namespace aio
