#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/faults.h"
#include "api/request_parts.h"

namespace aio {
namespace {

Status DecodeWeights(const ObjectReader& aio, std::optional<std::string>& weights) {
  const nlohmann::json* json = aio.Find("weights");
  if (json == nullptr) return Status::Ok();
  const std::string path = aio.Path("weights");
  if (!json->is_string()) return WrongType(path, "a string", *json);
  weights = json->get<std::string>();
  if (weights->empty() || *weights == kW8A16) return Status::Ok();
  return BadValue(path, fmt::format("give \"{}\", or \"\" for the model's own.", kW8A16));
}

}  // namespace

Status DecodeOverrides(const ObjectReader& body, Request& request) {
  const nlohmann::json* json = body.Find("aio");
  if (json == nullptr) return Status::Ok();
  if (!json->is_object()) return WrongType("aio", "an object", *json);
  const ObjectReader aio(*json, "aio");
  AIO_RETURN_IF_ERROR(aio.RefuseUnknown({"strategy", "weights", "entropy_threshold", "model"}));
  AIO_RETURN_IF_ERROR(DecodeWeights(aio, request.weights));
  AIO_RETURN_IF_ERROR(aio.Read("entropy_threshold", request.entropy_threshold));
  if (aio.Find("model") == nullptr) return Status::Ok();
  return aio.ReadRequired("model", "the name of a model", request.model);
}

}  // namespace aio
