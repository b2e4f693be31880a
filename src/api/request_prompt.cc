#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "api/faults.h"
#include "api/request_parts.h"

namespace aio {
namespace {

constexpr std::string_view kExpected = "a string or an array of token ids";

Status DecodeTokens(const nlohmann::json& array, const std::string& path, Prompt& prompt) {
  auto& tokens = prompt.emplace<std::vector<int32_t>>();
  tokens.reserve(array.size());
  for (size_t i = 0; i < array.size(); ++i) {
    constexpr int kMax = std::numeric_limits<int32_t>::max();
    const auto* id = array[i].get_ptr<const uint64_t*>();
    if (id != nullptr && *id <= kMax) {  // names nothing: prompts may have a million tokens
      tokens.push_back(static_cast<int32_t>(*id));
      continue;
    }
    AIO_RETURN_IF_ERROR(ReadInt(array[i], fmt::format("{}[{}]", path, i), {.min = 0, .max = kMax},
                                tokens.emplace_back()));
  }
  return Status::Ok();
}

}  // namespace

Status DecodePrompt(const ObjectReader& body, Prompt& prompt) {
  const nlohmann::json* json = body.Find("prompt");
  if (json == nullptr) return MissingField("prompt", kExpected);
  std::string path = "prompt";
  // OpenAI takes a batch: one prompt in an array is the same as the prompt itself.
  if (json->is_array() && !json->empty() &&
      (json->front().is_string() || json->front().is_array())) {
    if (json->size() > 1) {
      return BadValue(path,
                      fmt::format("{} prompts were given; send one a request.", json->size()));
    }
    json = &json->front();
    path += "[0]";
  }
  if (json->is_string()) {
    prompt = json->get<std::string>();
    return Status::Ok();
  }
  if (!json->is_array()) return WrongType(path, kExpected, *json);
  if (json->empty()) return BadValue(path, "the array is empty; give at least one token id.");
  return DecodeTokens(*json, path, prompt);
}

}  // namespace aio
