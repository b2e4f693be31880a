// Routes that only tell: models, health, metrics.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/openai_response.h"
#include "server/handlers.h"

namespace aio {

namespace {

bool MayUse(const Call& call, std::string_view model) {
  return call.account() == nullptr || AllowsModel(call.account()->key, model);
}

}  // namespace

void HandleModels(const std::shared_ptr<Call>& call) {
  const ServerContext& context = call->context();
  std::vector<ModelInfo> models = context.backend.Models();
  std::erase_if(models, [&](const ModelInfo& model) { return !MayUse(*call, model.name); });
  call->RespondJson(200, EncodeModels(models, context.started_at));
}

void HandleModel(const std::shared_ptr<Call>& call) {
  constexpr std::string_view kPrefix = "/v1/models/";
  const ServerContext& context = call->context();
  const std::string id =
      PercentDecode(std::string_view(call->request().path).substr(kPrefix.size()));
  for (const ModelInfo& model : context.backend.Models()) {
    if (model.name == id && MayUse(*call, id)) {
      return call->RespondJson(200, EncodeModel(model, context.started_at));
    }
  }
  constexpr size_t kShownBytesMax = 128;
  call->Fail(NotFound(fmt::format("The model '{}' does not exist; GET /v1/models lists those "
                                  "that do.",
                                  id.substr(0, kShownBytesMax)))
                 .WithParam("model")
                 .WithReason("model_not_found"));
}

void HandleHealth(const std::shared_ptr<Call>& call) {
  call->RespondJson(200, R"({"status":"ok"})");
}

void HandleReady(const std::shared_ptr<Call>& call) {
  if (call->context().state == Server::State::kReady) {
    return call->RespondJson(200, R"({"status":"ready"})");
  }
  call->RespondJson(503, R"({"status":"draining"})");
}

void HandleMetrics(const std::shared_ptr<Call>& call) {
  const ServerContext& context = call->context();
  call->Respond({.status = 200,
                 .headers = {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}},
                 .body = context.MetricsText()});
}

}  // namespace aio
