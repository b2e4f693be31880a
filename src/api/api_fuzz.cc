// Any bytes as the body of any endpoint: the decoders answer with a request or with a fault
// that names itself, and what they accept keeps the promises of backend/request.h.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/embeddings_api.h"
#include "api/error_object.h"
#include "api/feedback_request.h"
#include "api/messages_api.h"
#include "api/openai_request.h"
#include "api/responses_api.h"
#include "api/tokens_api.h"
#include "base/check.h"
#include "base/utf8.h"

namespace {

void CheckSampling(const aio::SamplingParams& sampling) {
  AIO_CHECK(sampling.temperature >= 0 && sampling.temperature <= 2);
  AIO_CHECK(sampling.top_k >= 0);
  AIO_CHECK(sampling.top_p > 0 && sampling.top_p <= 1);
  AIO_CHECK(sampling.min_p >= 0 && sampling.min_p < 1);
  AIO_CHECK(sampling.repetition_penalty > 0);
  AIO_CHECK(!sampling.max_tokens || *sampling.max_tokens >= 1);
  AIO_CHECK(sampling.top_logprobs >= -1 && sampling.top_logprobs <= aio::kTopLogprobsMax);
  AIO_CHECK(sampling.stop.size() <= aio::kStopStringsMax);
  for (const std::string& stop : sampling.stop) {
    AIO_CHECK(!stop.empty() && aio::IsValidUtf8(stop));
  }
}

void CheckPrompt(const aio::Prompt& prompt) {
  if (const auto* messages = std::get_if<std::vector<aio::ChatMessage>>(&prompt)) {
    AIO_CHECK(!messages->empty());
    for (const aio::ChatMessage& message : *messages) {
      AIO_CHECK(message.role == "system" || message.role == "user" || message.role == "assistant" ||
                message.role == "tool");
      AIO_CHECK(aio::IsValidUtf8(message.content));
    }
  } else if (const auto* tokens = std::get_if<std::vector<int32_t>>(&prompt)) {
    AIO_CHECK(!tokens->empty());
    for (int32_t token : *tokens) AIO_CHECK(token >= 0);
  } else {
    AIO_CHECK(aio::IsValidUtf8(std::get<std::string>(prompt)));
  }
}

void CheckFault(const aio::Status& status) {
  AIO_CHECK(aio::HttpStatusOf(status.code()) == 400);
  AIO_CHECK(!status.message().empty() && !status.reason().empty());
  AIO_CHECK(!aio::EncodeError(status).empty());
  AIO_CHECK(!aio::EncodeAnthropicError(status, "id").empty());
}

void CheckFeedback(const aio::Result<aio::FeedbackRequest>& feedback) {
  if (!feedback.ok()) return CheckFault(feedback.status());
  AIO_CHECK(!feedback->id.empty() && feedback->score >= -1 && feedback->score <= 1);
  AIO_CHECK(!aio::EncodeFeedback(*feedback).empty());
}

void Check(const aio::Result<aio::ApiRequest>& result) {
  if (!result.ok()) return CheckFault(result.status());
  AIO_CHECK(!result->request.model.empty());
  CheckPrompt(result->request.prompt);
  CheckSampling(result->request.sampling);
  if (const auto& strategy = result->request.strategy) {
    AIO_CHECK(strategy->prompt_lookup_min >= 1 &&
              strategy->prompt_lookup_min <= strategy->prompt_lookup_max);
    AIO_CHECK(strategy->prompt_lookup_max <= aio::kPromptLookupMax);
    AIO_CHECK(strategy->num_speculative_tokens >= 1 &&
              strategy->num_speculative_tokens <= aio::kSpeculativeTokensMax);
  }
  AIO_CHECK(result->choices >= 1 && result->choices <= aio::kChoicesMax);
  const std::string weights = result->request.weights.value_or("");
  AIO_CHECK(weights.empty() || weights == aio::kW8A16);
}

void Check(const aio::Result<aio::ResponsesRequest>& result) {
  if (!result.ok()) return CheckFault(result.status());
  AIO_CHECK(result->echo.metadata.size() <= aio::kMetadataPairsMax);
  Check(aio::Result<aio::ApiRequest>(result->api));
}

void Check(const aio::Result<aio::EmbeddingsRequest>& result) {
  if (!result.ok()) return CheckFault(result.status());
  const aio::EmbeddingsQuery& query = result->query;
  AIO_CHECK(!query.inputs.empty() && query.inputs.size() <= aio::kEmbeddingInputsMax);
  for (const aio::Prompt& input : query.inputs) {
    AIO_CHECK(!std::holds_alternative<std::vector<aio::ChatMessage>>(input));
    CheckPrompt(input);
  }
}

void Check(const aio::Result<aio::TokenizeRequest>& result) {
  if (!result.ok()) return CheckFault(result.status());
  CheckPrompt(result->query.prompt);
}

void Check(const aio::Result<aio::DetokenizeRequest>& result) {
  if (!result.ok()) return CheckFault(result.status());
  for (const int32_t token : result->tokens) AIO_CHECK(token >= 0);
}

void Check(const aio::Result<aio::TokenizeQuery>& result) {
  if (!result.ok()) return CheckFault(result.status());
  CheckPrompt(result->prompt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Check(aio::DecodeChatRequest(body));
  Check(aio::DecodeCompletionRequest(body));
  Check(aio::DecodeDecisionRequest(body));
  Check(aio::DecodeResponsesRequest(body));
  Check(aio::DecodeMessagesRequest(body));
  Check(aio::DecodeCountTokensRequest(body));
  Check(aio::DecodeEmbeddingsRequest(body));
  Check(aio::DecodeTokenizeRequest(body));
  Check(aio::DecodeDetokenizeRequest(body));
  Check(aio::DecodeApplyTemplateRequest(body));
  CheckFeedback(aio::DecodeFeedbackRequest(body));
  return 0;
}
