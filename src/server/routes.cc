#include "server/routes.h"

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "api/error_object.h"
#include "server/authorize.h"
#include "server/cors.h"
#include "server/handlers.h"
#include "server/headers.h"

namespace aio {
namespace {

struct Route {
  std::string_view path;    // what follows a final '/' is the handler's
  std::string_view method;  // GET takes HEAD as well
  bool is_open;             // asks for no API key
  bool needs_ready;         // 503 while draining
  CallHandler handler;
  bool is_admin = false;  // asks for an administrator's API key
};

constexpr Route kRoutes[] = {
    {"/v1/chat/completions", "POST", false, true, HandleChatCompletions},
    {"/v1/completions", "POST", false, true, HandleCompletions},
    {"/v1/responses", "POST", false, true, HandleResponses},
    {"/v1/messages", "POST", false, true, HandleMessages},
    {"/v1/messages/count_tokens", "POST", false, true, HandleCountTokens},
    {"/v1/embeddings", "POST", false, true, HandleEmbeddings},
    {"/tokenize", "POST", false, false, HandleTokenize},
    {"/detokenize", "POST", false, false, HandleDetokenize},
    {"/apply-template", "POST", false, false, HandleApplyTemplate},
    {"/props", "GET", false, false, HandleProps},
    {"/slots", "GET", false, false, HandleSlots},
    {"/v1/decision", "POST", false, true, HandleDecision},
    {"/v1/feedback", "POST", false, false, HandleFeedback},
    {"/v1/models", "GET", false, false, HandleModels},
    {"/v1/models/", "GET", false, false, HandleModel},
    {"/health", "GET", true, false, HandleHealth},
    {"/ready", "GET", true, false, HandleReady},
    {"/metrics", "GET", false, false, HandleMetrics, true},
};

bool Matches(const Route& route, std::string_view path) {
  if (!route.path.ends_with('/')) return path == route.path;
  return path.size() > route.path.size() && path.starts_with(route.path);
}

const Route* FindRoute(std::string_view path) {
  for (const Route& route : kRoutes) {
    if (Matches(route, path)) return &route;
  }
  return nullptr;
}

const ServerPage* FindPage(const std::vector<ServerPage>& pages, std::string_view path) {
  for (const ServerPage& page : pages) {
    if (path == page.path) return &page;
  }
  return nullptr;
}

bool TakesMethod(std::string_view own, std::string_view method) {
  return method == own || (method == "HEAD" && own == "GET");
}

void RefuseMethod(const std::shared_ptr<Call>& call, std::string_view path,
                  std::string_view method) {
  const std::string allowed = method == "GET" ? "GET, HEAD" : std::string(method);
  call->RespondJson(405, EncodeError(405, fmt::format("{} takes {} only.", path, allowed)),
                    {{"allow", allowed}});
}

void ShowPage(const std::shared_ptr<Call>& call, const ServerPage& page) {
  call->set_endpoint(page.path);
  if (!TakesMethod("GET", call->request().method)) return RefuseMethod(call, page.path, "GET");
  if (!page.is_open) {
    const Status status = Authenticate(*call, /*admin=*/true);
    if (!status.ok()) return call->Fail(status);
  }
  call->Respond(page.respond(call->request()));
}

Status CheckReady(Server::State state) {
  if (state == Server::State::kReady) return Status::Ok();
  return Unavailable("The server is shutting down; send the request to another.");
}

Status NothingAt(std::string_view path) {
  constexpr size_t kShownBytesMax = 128;
  std::string known;
  for (const Route& route : kRoutes) fmt::format_to(std::back_inserter(known), " {}", route.path);
  return NotFound(fmt::format("There is nothing at {}; the paths are{}.",
                              PrintableAscii(path, kShownBytesMax), known));
}

}  // namespace

void Dispatch(const std::shared_ptr<Call>& call) {
  const HttpRequest& request = call->request();
  const Route* route = FindRoute(request.path);
  if (route == nullptr) {
    const ServerPage* page = FindPage(call->context().pages, request.path);
    return page == nullptr ? call->Fail(NothingAt(request.path)) : ShowPage(call, *page);
  }
  call->set_endpoint(route->path);
  if (request.method == "OPTIONS" && !call->context().cors_origins.empty()) {
    return call->Respond(CorsPreflight(route->method));
  }
  if (!TakesMethod(route->method, request.method)) {
    return RefuseMethod(call, route->path, route->method);
  }
  if (!route->is_open) {
    const Status status = Authenticate(*call, route->is_admin);
    if (!status.ok()) return call->Fail(status);
  }
  if (route->needs_ready) {
    call->StartTrace();
    Status status = CheckReady(call->context().state);
    if (status.ok()) status = CountAgainstLimit(*call);
    if (!status.ok()) return call->Fail(status);
  }
  route->handler(call);
}

}  // namespace aio
