#include "backend/estimate_tokens.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace aio {
namespace {

struct PromptEstimate {
  int64_t bytes_per_token = 4;
  int64_t tokens_per_message = 4;  // marks of a turn's beginning and end

  int64_t operator()(const std::vector<ChatMessage>& messages) const {
    int64_t tokens = 0;
    for (const ChatMessage& message : messages)
      tokens += (*this)(message.content) + tokens_per_message;
    return tokens;
  }
  int64_t operator()(const std::string& text) const {
    return static_cast<int64_t>(text.size()) / bytes_per_token;
  }
  int64_t operator()(const std::vector<int32_t>& ids) const {
    return static_cast<int64_t>(ids.size());
  }
};

}  // namespace

int64_t EstimatePromptTokens(const Prompt& prompt) { return std::visit(PromptEstimate{}, prompt); }

int64_t LeastPromptTokens(const Prompt& prompt) {
  return std::visit(PromptEstimate{.bytes_per_token = 10, .tokens_per_message = 0}, prompt);
}

int64_t EstimateAnswerTokens(const Request& request) {
  return std::max(0, request.sampling.max_tokens.value_or(kAnswerTokensGuess));
}

int64_t EstimateTokens(const Request& request) {
  return std::max<int64_t>(1, EstimatePromptTokens(request.prompt) + EstimateAnswerTokens(request));
}

}  // namespace aio
