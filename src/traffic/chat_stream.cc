#include "traffic/chat_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <variant>

#include "base/utf8.h"

namespace aio {
namespace {

using Json = nlohmann::json;

// An object's member, or null; of what is no object, null.
const Json& Member(const Json& object, const char* key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto it = object.find(key);
  return it == object.end() ? null : *it;
}

std::string Text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

double Number(const Json& value) { return value.is_number() ? value.get<double>() : 0; }

// Clamped: the numbers of a server are anyone's.
int64_t Count(const Json& value) {
  return static_cast<int64_t>(std::clamp(Number(value), 0.0, 9e15));
}

int SmallCount(const Json& value) {
  return static_cast<int>(std::min<int64_t>(Count(value), std::numeric_limits<int>::max() / 4));
}

std::optional<FinishReason> ReasonOf(const Json& value) {
  const std::string name = Text(value);
  if (name.empty()) return std::nullopt;
  // Others ("tool_calls", "content_filter") end an answer too.
  return name == FinishReasonName(FinishReason::kLength) ? FinishReason::kLength
                                                         : FinishReason::kStop;
}

Usage UsageOf(const Json& usage) {
  return {.prompt_tokens = SmallCount(Member(usage, "prompt_tokens")),
          .cached_prompt_tokens =
              SmallCount(Member(Member(usage, "prompt_tokens_details"), "cached_tokens")),
          .completion_tokens = SmallCount(Member(usage, "completion_tokens"))};
}

Decision DecisionOf(const Json& aio) {
  Decision decision;
  decision.model = Text(Member(aio, "model"));
  decision.role = Text(Member(aio, "role"));
  decision.weights = Text(Member(aio, "weights"));
  decision.strategy = StrategyFromName(Text(Member(aio, "strategy"))).value_or(Strategy{});
  decision.reason = Text(Member(aio, "reason"));
  decision.rule = Text(Member(aio, "rule"));
  decision.intent = Text(Member(aio, "intent"));
  decision.probed = !decision.intent.empty();
  decision.entropy = Number(Member(aio, "entropy"));
  decision.prompt_tokens = SmallCount(Member(aio, "prompt_tokens"));
  decision.probe_ms = Number(Member(aio, "probe_ms"));
  return decision;
}

FinishEvent TotalsOf(const Json& accounting) {
  FinishEvent totals;
  const Json& ms = Member(accounting, "ms");
  totals.timings = {.queue_ms = Number(Member(ms, "queue")),
                    .probe_ms = Number(Member(ms, "probe")),
                    .prompt_ms = Number(Member(ms, "prefill")),
                    .predicted_ms = Number(Member(ms, "decode"))};
  const Json& bytes = Member(accounting, "bytes");
  totals.traffic = {.weight_bytes = Count(Member(bytes, "weights")),
                    .kv_bytes = Count(Member(bytes, "kv")),
                    .static_large_bytes = Count(Member(bytes, "static_large"))};
  const Json& tokens = Member(accounting, "tokens");
  totals.speculation.draft_tokens = SmallCount(Member(tokens, "drafted"));
  totals.speculation.draft_accepted_tokens = SmallCount(Member(tokens, "accepted"));
  return totals;
}

Json MessagesOf(const Prompt& prompt) {
  Json messages = Json::array();
  if (const auto* text = std::get_if<std::string>(&prompt)) {
    messages.push_back({{"role", "user"}, {"content", ReplaceInvalidUtf8(*text)}});
  } else if (const auto* chat = std::get_if<std::vector<ChatMessage>>(&prompt)) {
    for (const ChatMessage& message : *chat) {
      messages.push_back(
          {{"role", message.role}, {"content", ReplaceInvalidUtf8(message.content)}});
    }
  }
  return messages;
}

std::string_view ErrorText(const Json& error) {
  if (error.is_string()) return error.get_ref<const std::string&>();
  const Json& message = Member(error, "message");
  return message.is_string() ? std::string_view(message.get_ref<const std::string&>())
                             : std::string_view();
}

StatusCode CodeOf(long http_status) {
  switch (http_status) {
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 429:
      return StatusCode::kResourceExhausted;
    case 501:
      return StatusCode::kUnimplemented;
    case 502:
    case 503:
      return StatusCode::kUnavailable;
    case 504:
      return StatusCode::kDeadlineExceeded;
    default:
      return http_status >= 400 && http_status < 500 ? StatusCode::kInvalidArgument
                                                     : StatusCode::kInternal;
  }
}

}  // namespace

Result<std::string> EncodeChatBody(const Request& request) {
  if (std::holds_alternative<std::vector<int32_t>>(request.prompt)) {
    return Unimplemented("token ids cannot be sent as a chat; give the text");
  }
  if (request.format.kind != AnswerFormatKind::kText) {
    return Unimplemented("the form of an answer cannot be sent to another server; leave it out")
        .WithParam(request.format.param);
  }
  const SamplingParams& sampling = request.sampling;
  Json body = {{"model", request.model},
               {"messages", MessagesOf(request.prompt)},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}},
               {"temperature", sampling.temperature},
               {"seed", sampling.seed}};
  if (sampling.max_tokens) body["max_tokens"] = *sampling.max_tokens;
  if (sampling.top_p != 1) body["top_p"] = sampling.top_p;
  if (!sampling.stop.empty()) body["stop"] = sampling.stop;
  if (sampling.ignore_eos) body["ignore_eos"] = true;
  if (request.strategy) {
    body["aio"]["strategy"] = StrategyName(request.strategy->kind);
  }
  if (request.weights) body["aio"]["weights"] = *request.weights;
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ChatChunk> ParseChatChunk(std::string_view data) {
  const Json json = Json::parse(data, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Internal("the server sent an event that is no JSON object");
  ChatChunk chunk;
  const Json& error = Member(json, "error");
  if (!error.is_null()) {
    chunk.error = Internal(fmt::format("the server broke off: {}", ErrorText(error)));
    return chunk;
  }
  chunk.model = Text(Member(json, "model"));
  const Json& choices = Member(json, "choices");
  if (choices.is_array() && !choices.empty()) {
    chunk.text = Text(Member(Member(choices[0], "delta"), "content"));
    chunk.reason = ReasonOf(Member(choices[0], "finish_reason"));
  }
  const Json& usage = Member(json, "usage");
  if (usage.is_object()) chunk.usage = UsageOf(usage);
  const Json& aio = Member(json, "aio");
  if (!Text(Member(aio, "role")).empty()) chunk.decision = DecisionOf(aio);
  const Json& accounting = Member(aio, "accounting");
  if (accounting.is_object()) chunk.totals = TotalsOf(accounting);
  return chunk;
}

Status StatusOfResponse(long http_status, std::string_view body) {
  constexpr size_t kShownBytesMax = 300;
  const Json json = Json::parse(body, /*callback=*/nullptr, /*allow_exceptions=*/false);
  std::string_view text = ErrorText(Member(json, "error"));
  if (text.empty()) text = body.substr(0, kShownBytesMax);
  return Status(CodeOf(http_status),
                fmt::format("HTTP {}: {}", http_status, ReplaceInvalidUtf8(text)));
}

}  // namespace aio
