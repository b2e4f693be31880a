#include "api/openai_request.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "api/faults.h"
#include "api/json_body.h"
#include "api/object_reader.h"
#include "api/request_parts.h"

namespace aio {
namespace {

Status DecodeStreaming(const ObjectReader& body, ApiRequest& out) {
  AIO_RETURN_IF_ERROR(body.Read("stream", out.stream));
  const nlohmann::json* options = body.Find("stream_options");
  if (options == nullptr) return Status::Ok();
  if (!options->is_object()) return WrongType("stream_options", "an object", *options);
  if (!out.stream) {
    return BadValue("stream_options", "it is only allowed with \"stream\": true.");
  }
  return ObjectReader(*options, "stream_options").Read("include_usage", out.include_usage);
}

Result<ApiRequest> Decode(ObjectReader body, std::string_view text, ApiKind kind) {
  std::vector<std::string_view> asked;
  body.Record(asked);
  ApiRequest out;
  out.kind = kind;
  Request& request = out.request;
  AIO_RETURN_IF_ERROR(DecodeModel(body, request.model));
  if (kind == ApiKind::kChat) {
    AIO_RETURN_IF_ERROR(DecodeMessages(body, request.prompt.emplace<std::vector<ChatMessage>>()));
  } else {
    AIO_RETURN_IF_ERROR(DecodePrompt(body, request.prompt));
  }
  if (kind == ApiKind::kChat) AIO_RETURN_IF_ERROR(DecodeTools(body, text, kind, request.tools));
  AIO_RETURN_IF_ERROR(DecodeFormat(body, text, kind, request.format));
  AIO_RETURN_IF_ERROR(DecodeStreaming(body, out));
  AIO_RETURN_IF_ERROR(DecodeSampling(body, out));
  AIO_RETURN_IF_ERROR(DecodeOverrides(body, request));
  AIO_RETURN_IF_ERROR(DecodePriority(body, request.priority));
  AIO_RETURN_IF_ERROR(DecodeStrategy(body, request.strategy));
  AIO_RETURN_IF_ERROR(CollectVendorFields(body, text, kind, asked, request.vendor_fields));
  return out;
}

Result<ApiRequest> Decode(std::string_view text, ApiKind kind) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(text, json));
  return Decode(ObjectReader(json), text, kind);
}

}  // namespace

Status DecodePriority(const ObjectReader& body, int& priority) {
  return body.Read("priority", IntRange{-kPriorityMax, kPriorityMax}, priority);
}

// OpenAI requires a model; here a request that names none leaves the choice to the router.
Status DecodeModel(const ObjectReader& body, std::string& model) {
  model = "auto";
  if (body.Find("model") == nullptr) return Status::Ok();
  return body.ReadRequired("model", "the name of a model, or \"auto\"", model);
}

Result<ApiRequest> DecodeChatRequest(std::string_view body) { return Decode(body, ApiKind::kChat); }

Result<ApiRequest> DecodeCompletionRequest(std::string_view body) {
  return Decode(body, ApiKind::kCompletion);
}

Result<ApiRequest> DecodeDecisionRequest(std::string_view body) {
  nlohmann::json json;
  AIO_RETURN_IF_ERROR(ParseJsonObject(body, json));
  const ObjectReader reader(json);
  const bool chat = reader.Find("messages") != nullptr;
  if (chat && reader.Find("prompt") != nullptr) {
    return BadValue("prompt", "give either 'messages' or 'prompt', not both.");
  }
  const bool completion = !chat && reader.Find("prompt") != nullptr;
  return Decode(reader, body, completion ? ApiKind::kCompletion : ApiKind::kChat);
}

}  // namespace aio
