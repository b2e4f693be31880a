// What a model's vocabulary and chat template can tell without a pass of the model.
#ifndef AIO_ENGINE_TEXT_ANSWERS_H_
#define AIO_ENGINE_TEXT_ANSWERS_H_

#include <cstdint>
#include <span>
#include <string>

#include "backend/backend.h"
#include "backend/text_query.h"
#include "base/status.h"
#include "engine/embedded_model.h"

namespace aio {

// Thread-safe, all of them: models are immutable. Tokenized::context_length is the caller's.
Result<Tokenized> TokenizeFor(const EmbeddedModel& model, const TokenizeQuery& query);
Result<std::string> DetokenizeFor(const EmbeddedModel& model, std::span<const int32_t> tokens);
Result<std::string> RenderChatFor(const EmbeddedModel& model, const TokenizeQuery& query);

// The members of ModelInfo that tell of text.
void DescribeText(const EmbeddedModel& model, ModelInfo& info);

}  // namespace aio

#endif  // AIO_ENGINE_TEXT_ANSWERS_H_
