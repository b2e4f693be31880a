#include <cstdint>
#include <random>
#include <utility>

#include "api/openai_request.h"
#include "api/openai_response.h"
#include "server/answer_sink.h"
#include "server/authorize.h"
#include "server/handlers.h"
#include "server/headers.h"

namespace aio {
namespace {

uint64_t RandomSeed() {
  std::random_device random;
  return static_cast<uint64_t>(random()) << 32 | random();
}

// By the names that other servers know; empty: the client says nothing of it.
std::string SessionOf(const HttpHeaders& headers) {
  const std::string_view session = headers.Get("x-session-id");
  return std::string(session.empty() ? headers.Get("x-conversation-id") : session);
}

// What the body leaves to the server.
void Complete(const Call& call, ApiRequest& decoded) {
  Request& request = decoded.request;
  request.id = call.id();
  request.session = SessionOf(call.request().headers);
  if (!decoded.has_seed) request.sampling.seed = RandomSeed();
  const Duration timeout = call.context().request_timeout;
  if (timeout > Duration::zero()) request.deadline = call.arrival() + timeout;
}

void Generate(const std::shared_ptr<Call>& call, Result<ApiRequest> decoded) {
  if (!decoded.ok()) return call->Fail(decoded.status());
  Complete(*call, *decoded);
  if (const Status may = AdmitRequest(*call, decoded->request); !may.ok()) return call->Fail(may);
  call->DropBody();
  std::shared_ptr<EventSink> sink = MakeAnswerSink(call, *decoded);
  auto generation = call->context().backend.Generate(std::move(decoded->request), std::move(sink));
  if (!generation.ok()) return call->Fail(generation.status());
  call->OnClose([running = std::move(*generation)] { running->Cancel(); });
}

}  // namespace

void HandleChatCompletions(const std::shared_ptr<Call>& call) {
  Generate(call, DecodeChatRequest(call->request().body));
}

void HandleCompletions(const std::shared_ptr<Call>& call) {
  Generate(call, DecodeCompletionRequest(call->request().body));
}

void HandleDecision(const std::shared_ptr<Call>& call) {
  Result<ApiRequest> decoded = DecodeDecisionRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  Complete(*call, *decoded);
  if (const Status may = AdmitRequest(*call, decoded->request); !may.ok()) return call->Fail(may);
  call->DropBody();
  const Status status =
      call->context().backend.Decide(decoded->request, [call](Result<Decision> decision) {
        if (!decision.ok()) return call->Fail(decision.status());
        call->facts().model = decision->model;
        call->facts().prompt_tokens = decision->prompt_tokens;
        call->RespondJson(200, EncodeDecision(*decision),
                          DecisionHeaders(decision->model, &*decision));
      });
  if (!status.ok()) call->Fail(status);
}

}  // namespace aio
