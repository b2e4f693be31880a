#include <nlohmann/json.hpp>
#include <utility>

#include "api/json_text.h"
#include "api/openai_response.h"
#include "api/response_parts.h"

namespace aio {
namespace {

// Zero means "unknown" in ModelInfo.
template <typename T>
OrderedJson KnownOrNull(T value) {
  return value == T{} ? OrderedJson(nullptr) : OrderedJson(value);
}

OrderedJson ModelObject(const ModelInfo& model, int64_t created) {
  OrderedJson json;
  json["id"] = model.name;
  json["object"] = "model";
  json["created"] = created;
  json["owned_by"] = "aio";
  OrderedJson& aio = json["aio"];
  aio["role"] = KnownOrNull(model.role);
  if (!model.weights.empty()) aio["weights"] = model.weights;
  if (!model.draft_model.empty()) aio["draft_model"] = model.draft_model;
  aio["architecture"] = KnownOrNull(model.architecture);
  aio["parameters"] = KnownOrNull(model.parameters);
  aio["bytes"] = KnownOrNull(model.bytes);
  aio["context_length"] = KnownOrNull(model.context_length);
  aio["vocabulary_size"] = KnownOrNull(model.vocabulary_size);
  return json;
}

}  // namespace

std::string EncodeDecision(const Decision& decision) {
  OrderedJson json;
  json["object"] = "decision";
  json.update(DecisionObject(decision));
  return ToText(json);
}

std::string EncodeModels(const std::vector<ModelInfo>& models, int64_t created) {
  OrderedJson json;
  json["object"] = "list";
  OrderedJson& data = json["data"] = OrderedJson::array();
  for (const ModelInfo& model : models) data.push_back(ModelObject(model, created));
  return ToText(json);
}

std::string EncodeModel(const ModelInfo& model, int64_t created) {
  return ToText(ModelObject(model, created));
}

}  // namespace aio
