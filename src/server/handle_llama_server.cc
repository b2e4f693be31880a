// What llama-server's clients ask of the server itself: /props and /slots.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/error_object.h"
#include "api/llama_server_api.h"
#include "server/handlers.h"

namespace aio {
namespace {

// The models that can be asked for slots: by name or role, or all if `name` is empty.
std::vector<ModelInfo> Resident(const Backend& backend, const std::string& name) {
  std::vector<ModelInfo> models = backend.Models();
  const auto is_other = [&](const ModelInfo& model) {
    return model.role == "router" || (!name.empty() && name != model.name && name != model.role);
  };
  models.erase(std::remove_if(models.begin(), models.end(), is_other), models.end());
  return models;
}

// `?model=` of the request; a name that routes stands for the small model, as does none at all.
std::string AskedFor(const Call& call) {
  std::string name = PercentDecode(QueryValue(call.request().query, "model"));
  for (const ModelInfo& model : call.context().backend.Models()) {
    if (model.name == name && model.role == "router") return "";
  }
  return name;
}

void FailUnknown(Call& call, const std::string& name) {
  constexpr size_t kShownBytesMax = 128;
  call.Fail(NotFound(fmt::format("The model '{}' is not resident; GET /v1/models lists those "
                                 "that are.",
                                 name.substr(0, kShownBytesMax)))
                .WithParam("model")
                .WithReason("model_not_found"));
}

}  // namespace

void HandleProps(const std::shared_ptr<Call>& call) {
  const std::string name = AskedFor(*call);
  const std::vector<ModelInfo> models = Resident(call->context().backend, name);
  if (models.empty()) return FailUnknown(*call, name);
  const auto small = std::find_if(models.begin(), models.end(),
                                  [](const ModelInfo& model) { return model.role == "small"; });
  const ModelInfo& model = name.empty() && small != models.end() ? *small : models.front();
  call->RespondJson(200, EncodeProps(model, "aio"));
}

void HandleSlots(const std::shared_ptr<Call>& call) {
  const std::string name = AskedFor(*call);
  const Backend& backend = call->context().backend;
  const std::vector<ModelInfo> models = Resident(backend, name);
  if (models.empty()) return FailUnknown(*call, name);
  Slots slots = EncodeSlots(models, backend.Load());
  if (slots.idle == 0 && QueryValue(call->request().query, "fail_on_no_slot") == "1") {
    return call->Fail(Unavailable("No slot is idle; try again."));
  }
  call->RespondJson(200, std::move(slots.json));
}

}  // namespace aio
