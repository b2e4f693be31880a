#include <utility>

#include "api/messages_api.h"
#include "api/openai_request.h"
#include "api/openai_response.h"
#include "api/responses_api.h"
#include "base/random_bits.h"
#include "server/authorize.h"
#include "server/call_answer.h"
#include "server/handlers.h"
#include "server/headers.h"

namespace aio {
namespace {

// By the names that other servers know; empty: the client says nothing of it.
std::string SessionOf(const HttpHeaders& headers) {
  const std::string_view session = headers.Get("x-session-id");
  return std::string(session.empty() ? headers.Get("x-conversation-id") : session);
}

QuestionFacts QuestionOf(const ApiRequest& decoded) {
  const Request& request = decoded.request;
  const AnswerFormatKind format = request.format.kind;
  QuestionFacts facts;
  facts.operation = decoded.kind == ApiKind::kCompletion ? "text_completion" : "chat";
  facts.model = PrintableAscii(request.model, kLoggedNameBytesMax);
  facts.stream = decoded.stream;
  facts.choices = decoded.choices;
  facts.max_tokens = request.sampling.max_tokens;
  facts.temperature = request.sampling.temperature;
  facts.top_p = request.sampling.top_p;
  if (decoded.has_seed) facts.seed = request.sampling.seed;
  facts.json = format == AnswerFormatKind::kJsonObject || format == AnswerFormatKind::kJsonSchema;
  facts.session = PrintableAscii(request.session, kLoggedNameBytesMax);
  return facts;
}

// What the body leaves to the server.
void Complete(Call& call, ApiRequest& decoded) {
  Request& request = decoded.request;
  request.id = call.id();
  request.session = SessionOf(call.request().headers);
  if (!decoded.has_seed) {
    request.sampling.seed = RandomBits();
    request.sampling.seed_is_ours = true;
  }
  const Duration timeout = call.context().request_timeout;
  if (timeout > Duration::zero()) request.deadline = call.arrival() + timeout;
  call.facts().question = QuestionOf(decoded);
}

// Of both kinds of OpenAI's older API.
void Generate(const std::shared_ptr<Call>& call, Result<ApiRequest> decoded) {
  if (!decoded.ok()) return call->Fail(decoded.status());
  Complete(*call, *decoded);
  const Status may = AdmitRequest(*call, decoded->request, decoded->choices);
  if (!may.ok()) return call->Fail(may);
  call->DropBody();
  AnswerInfo info;
  info.kind = decoded->kind;
  info.id = (info.kind == ApiKind::kChat ? "chatcmpl-" : "cmpl-") + NewRequestId();
  info.created = call->context().clock.UnixSeconds();
  info.include_usage = decoded->include_usage;
  const bool with_logprobs = decoded->request.sampling.top_logprobs >= 0;
  auto encoder = MakeOpenaiEncoder(std::move(info), with_logprobs, decoded->choices);
  StartAnswer(call, *std::move(decoded), std::move(encoder));
}

}  // namespace

void HandleChatCompletions(const std::shared_ptr<Call>& call) {
  Generate(call, DecodeChatRequest(call->request().body));
}

void HandleCompletions(const std::shared_ptr<Call>& call) {
  Generate(call, DecodeCompletionRequest(call->request().body));
}

void HandleResponses(const std::shared_ptr<Call>& call) {
  Result<ResponsesRequest> decoded = DecodeResponsesRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  Complete(*call, decoded->api);
  if (const Status may = AdmitRequest(*call, decoded->api.request); !may.ok()) {
    return call->Fail(may);
  }
  call->DropBody();
  auto encoder = MakeResponsesEncoder(std::move(decoded->echo), NewRequestId(),
                                      call->context().clock.UnixSeconds());
  StartAnswer(call, std::move(decoded->api), std::move(encoder));
}

void HandleMessages(const std::shared_ptr<Call>& call) {
  Result<ApiRequest> decoded = DecodeMessagesRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  Complete(*call, *decoded);
  if (const Status may = AdmitRequest(*call, decoded->request); !may.ok()) return call->Fail(may);
  call->DropBody();
  StartAnswer(call, *std::move(decoded), MakeMessagesEncoder(NewRequestId()));
}

void HandleCountTokens(const std::shared_ptr<Call>& call) {
  const Result<ApiRequest> decoded = DecodeCountTokensRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  if (const Status may = CheckModel(*call, decoded->request.model); !may.ok()) {
    return call->Fail(may);
  }
  const Result<int> tokens = call->context().backend.CountPromptTokens(decoded->request);
  if (!tokens.ok()) return call->Fail(tokens.status());
  call->RespondJson(200, EncodeTokenCount(*tokens));
}

void HandleDecision(const std::shared_ptr<Call>& call) {
  Result<ApiRequest> decoded = DecodeDecisionRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  Complete(*call, *decoded);
  if (const Status may = AdmitRequest(*call, decoded->request); !may.ok()) return call->Fail(may);
  call->DropBody();
  call->facts().question.operation = {};  // nothing is generated
  call->FollowTrace(decoded->request.id, 0);
  const Status status =
      call->context().backend.Decide(decoded->request, [call](Result<Decision> decision) {
        if (!decision.ok()) return call->Fail(decision.status());
        call->facts().model = decision->model;
        call->facts().decision = *decision;
        call->facts().prompt_tokens = decision->prompt_tokens;
        call->RespondJson(200, EncodeDecision(*decision),
                          DecisionHeaders(decision->model, &*decision));
      });
  if (!status.ok()) call->Fail(status);
}

}  // namespace aio
