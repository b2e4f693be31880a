// What each route does. Internal to server/; the table is in routes.cc.
#ifndef AIO_SERVER_HANDLERS_H_
#define AIO_SERVER_HANDLERS_H_

#include <memory>

#include "server/call.h"

namespace aio {

using CallHandler = void (*)(const std::shared_ptr<Call>& call);

void HandleChatCompletions(const std::shared_ptr<Call>& call);
void HandleCompletions(const std::shared_ptr<Call>& call);
void HandleResponses(const std::shared_ptr<Call>& call);
void HandleMessages(const std::shared_ptr<Call>& call);
void HandleCountTokens(const std::shared_ptr<Call>& call);
void HandleEmbeddings(const std::shared_ptr<Call>& call);
void HandleTokenize(const std::shared_ptr<Call>& call);
void HandleDetokenize(const std::shared_ptr<Call>& call);
void HandleApplyTemplate(const std::shared_ptr<Call>& call);
void HandleProps(const std::shared_ptr<Call>& call);
void HandleSlots(const std::shared_ptr<Call>& call);
void HandleDecision(const std::shared_ptr<Call>& call);
void HandleFeedback(const std::shared_ptr<Call>& call);
void HandleModels(const std::shared_ptr<Call>& call);
void HandleModel(const std::shared_ptr<Call>& call);
void HandleHealth(const std::shared_ptr<Call>& call);
void HandleReady(const std::shared_ptr<Call>& call);
void HandleMetrics(const std::shared_ptr<Call>& call);

}  // namespace aio

#endif  // AIO_SERVER_HANDLERS_H_
