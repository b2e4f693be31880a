#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "api/faults.h"
#include "api/request_parts.h"

namespace aio {
namespace {

Status RefuseUnknown(const ObjectReader& reader, std::initializer_list<std::string_view> known) {
  for (const auto& member : reader.object().items()) {
    if (std::find(known.begin(), known.end(), member.key()) != known.end()) continue;
    // Clients choose the name: it may be long, the message need not be.
    return UnknownField(reader.Path(member.key().substr(0, 64)),
                        fmt::format("{}", fmt::join(known, ", ")));
  }
  return Status::Ok();
}

Status DecodeName(const std::string& name, const std::string& path, Strategy& strategy) {
  const std::optional<Strategy> found = StrategyFromName(name);
  if (!found) return BadValue(path, fmt::format("there are {}.", StrategyNames()));
  strategy = *found;
  return Status::Ok();
}

Status DecodeStrategy(const nlohmann::json& json, Strategy& strategy) {
  const std::string path = "aio.strategy";
  if (json.is_string()) return DecodeName(json.get_ref<const std::string&>(), path, strategy);
  if (!json.is_object()) return WrongType(path, "a name or an object", json);
  const ObjectReader reader(json, path);
  AIO_RETURN_IF_ERROR(RefuseUnknown(
      reader, {"kind", "prompt_lookup_max", "prompt_lookup_min", "num_speculative_tokens"}));
  std::string kind;
  AIO_RETURN_IF_ERROR(reader.ReadRequired("kind", "the name of a strategy", kind));
  AIO_RETURN_IF_ERROR(DecodeName(kind, reader.Path("kind"), strategy));
  AIO_RETURN_IF_ERROR(reader.Read("prompt_lookup_max", {.min = 1, .max = kPromptLookupMax},
                                  strategy.prompt_lookup_max));
  AIO_RETURN_IF_ERROR(reader.Read("prompt_lookup_min",
                                  {.min = 1, .max = strategy.prompt_lookup_max},
                                  strategy.prompt_lookup_min));
  return reader.Read("num_speculative_tokens", {.min = 1, .max = kSpeculativeTokensMax},
                     strategy.num_speculative_tokens);
}

}  // namespace

Status DecodeOverrides(const ObjectReader& body, Request& request) {
  const nlohmann::json* json = body.Find("aio");
  if (json == nullptr) return Status::Ok();
  if (!json->is_object()) return WrongType("aio", "an object", *json);
  const ObjectReader aio(*json, "aio");
  AIO_RETURN_IF_ERROR(RefuseUnknown(aio, {"strategy", "entropy_threshold", "model"}));
  if (const nlohmann::json* strategy = aio.Find("strategy")) {
    AIO_RETURN_IF_ERROR(DecodeStrategy(*strategy, request.strategy.emplace()));
  }
  AIO_RETURN_IF_ERROR(aio.Read("entropy_threshold", request.entropy_threshold));
  if (aio.Find("model") == nullptr) return Status::Ok();
  return aio.ReadRequired("model", "the name of a model", request.model);
}

}  // namespace aio
