// How much a request will come to, guessed before anything is computed.
#ifndef AIO_BACKEND_ESTIMATE_TOKENS_H_
#define AIO_BACKEND_ESTIMATE_TOKENS_H_

#include <cstdint>

#include "backend/request.h"

namespace aio {

// Of an answer whose length the request does not limit.
inline constexpr int kAnswerTokensGuess = 256;

// Tokens of prompt and answer together, >= 1: a token every four bytes of text, and as many as the
// answer may have. For queues and budgets, which are put right when the answer is there.
int64_t EstimateTokens(const Request& request);
// Of these, those of the answer, and of the prompt.
int64_t EstimateAnswerTokens(const Request& request);
int64_t EstimatePromptTokens(const Prompt& prompt);

// No tokenizer of practice makes fewer of a prompt: a token every ten bytes of text.
int64_t LeastPromptTokens(const Prompt& prompt);

}  // namespace aio

#endif  // AIO_BACKEND_ESTIMATE_TOKENS_H_
