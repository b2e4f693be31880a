#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/json_text.h"
#include "api/openai_response.h"
#include "api/response_parts.h"
#include "backend/tool_call_json.h"
#include "base/json_writer.h"

namespace aio {
namespace {

// Most answers are not larger.
constexpr size_t kChunkBytes = 512;
constexpr size_t kAnswerBytes = 2048;

void WriteEnvelope(const AnswerInfo& info, const char* chat_object, JsonWriter& json) {
  json.Member("id", info.id);
  json.Member("object", info.kind == ApiKind::kChat ? chat_object : "text_completion");
  json.Member("created", info.created);
  json.Member("model", info.start.model);
}

std::string Logprobs(ApiKind kind, const std::vector<TokenLogprob>& logprobs, size_t& offset) {
  return ToText(kind == ApiKind::kChat ? ChatLogprobs(logprobs)
                                       : CompletionLogprobs(logprobs, offset));
}

void WriteTotals(const AnswerInfo& info, const FinishEvent& finish, JsonWriter& json) {
  json.Key("timings");
  WriteTimings(finish, json);
  json.Key("aio");
  WriteAio(info.start, finish, json);
}

// An answer that calls tools and was not cut off ends for that.
std::string_view ReasonName(FinishReason reason, bool has_calls) {
  return has_calls && reason == FinishReason::kStop ? "tool_calls" : FinishReasonName(reason);
}

// A chunk of one choice, up to what is new in it.
void BeginChunk(const AnswerInfo& info, int index, JsonWriter& json) {
  json.reserve(kChunkBytes);
  json.BeginObject();
  WriteEnvelope(info, "chat.completion.chunk", json);
  json.Key("choices");
  json.BeginArray();
  json.BeginObject();
  json.Member("index", index);
}

// The rest of its choice. `logprobs`: as JSON; empty: there are none. `reason`: empty: it goes on.
void EndChoice(const AnswerInfo& info, std::string_view logprobs, std::string_view reason,
               JsonWriter& json) {
  json.RawMember("logprobs", logprobs.empty() ? "null" : logprobs);
  json.Key("finish_reason");
  if (reason.empty()) {
    json.Value(nullptr);
  } else {
    json.Value(reason);
  }
  json.EndObject();
  json.EndArray();
  if (info.include_usage) json.Member("usage", nullptr);
}

// A chunk in which nothing is new but the end, or all of it but what comes after its choice.
void BeginLastChunk(const AnswerInfo& info, int index, std::string_view reason, JsonWriter& json) {
  BeginChunk(info, index, json);
  if (info.kind == ApiKind::kChat) {
    json.RawMember("delta", "{}");
  } else {
    json.Member("text", "");
  }
  EndChoice(info, /*logprobs=*/"", reason, json);
}

void WriteMessage(const WholeAnswer& answer, JsonWriter& json) {
  json.BeginObject();
  json.Member("role", "assistant");
  json.Key("content");
  if (answer.text.empty() && !answer.tool_calls.empty()) {
    json.Value(nullptr);
  } else {
    json.Value(answer.text);
  }
  if (!answer.reasoning.empty()) json.Member("reasoning_content", answer.reasoning);
  json.Member("refusal", nullptr);
  if (!answer.tool_calls.empty()) {
    json.Key("tool_calls");
    json.BeginArray();
    for (const ToolCall& call : answer.tool_calls) WriteToolCall(call, std::nullopt, json);
    json.EndArray();
  }
  json.EndObject();
}

void WriteChoice(const AnswerInfo& info, int index, const WholeAnswer& answer, bool with_logprobs,
                 JsonWriter& json) {
  json.BeginObject();
  json.Member("index", index);
  if (info.kind == ApiKind::kChat) {
    json.Key("message");
    WriteMessage(answer, json);
  } else {
    json.Member("text", answer.text);
  }
  size_t offset = 0;
  json.RawMember("logprobs", with_logprobs ? Logprobs(info.kind, answer.logprobs, offset) : "null");
  json.Member("finish_reason", ReasonName(answer.reason, !answer.tool_calls.empty()));
  json.EndObject();
}

}  // namespace

std::string EncodeAnswer(const AnswerInfo& info, const std::vector<WholeAnswer>& choices,
                         bool with_logprobs, const FinishEvent& total) {
  JsonWriter json;
  json.reserve(kAnswerBytes);
  json.BeginObject();
  WriteEnvelope(info, "chat.completion", json);
  json.Key("choices");
  json.BeginArray();
  int index = 0;
  for (const WholeAnswer& answer : choices) WriteChoice(info, index++, answer, with_logprobs, json);
  json.EndArray();
  json.Key("usage");
  WriteUsage(total, json);
  WriteTotals(info, total, json);
  json.EndObject();
  return json.Take();
}

StreamEncoder::StreamEncoder(AnswerInfo info, int choices)
    : info_(std::move(info)), text_offsets_(choices), calls_(choices) {}

std::string StreamEncoder::First(int choice) const {
  JsonWriter json;
  BeginChunk(info_, choice, json);
  if (info_.kind == ApiKind::kChat) {
    json.RawMember("delta", R"({"role":"assistant","content":""})");
  } else {
    json.Member("text", "");
  }
  EndChoice(info_, /*logprobs=*/"", /*reason=*/"", json);
  if (choice == 0 && info_.start.decision) {
    json.Key("aio");
    WriteDecision(*info_.start.decision, json);
  }
  json.EndObject();
  return json.Take();
}

void StreamEncoder::WriteDelta(const TokenEvent& event, int choice, JsonWriter& json) {
  json.BeginObject();
  if (!event.reasoning.empty()) json.Member("reasoning_content", event.reasoning);
  if (!event.text.empty() || (event.tool_calls.empty() && event.reasoning.empty())) {
    json.Member("content", event.text);
  }
  if (!event.tool_calls.empty()) {
    json.Key("tool_calls");
    json.BeginArray();
    for (const ToolCall& call : event.tool_calls) WriteToolCall(call, calls_[choice]++, json);
    json.EndArray();
  }
  json.EndObject();
}

std::string StreamEncoder::Delta(const TokenEvent& event, int choice) {
  const bool is_chat = info_.kind == ApiKind::kChat;
  const bool has_text = !event.text.empty() || !event.logprobs.empty();
  const bool has_reasoning = !event.reasoning.empty() && is_chat;
  if (!has_text && !has_reasoning && event.tool_calls.empty()) return "";
  JsonWriter json;
  BeginChunk(info_, choice, json);
  if (is_chat) {
    json.Key("delta");
    WriteDelta(event, choice, json);
  } else {
    json.Member("text", event.text);
  }
  std::string logprobs;
  if (!event.logprobs.empty()) {
    logprobs = Logprobs(info_.kind, event.logprobs, text_offsets_[choice]);
  }
  EndChoice(info_, logprobs, /*reason=*/"", json);
  json.EndObject();
  return json.Take();
}

std::string StreamEncoder::End(FinishReason reason, int choice) const {
  JsonWriter json;
  BeginLastChunk(info_, choice, ReasonName(reason, calls_[choice] > 0), json);
  json.EndObject();
  return json.Take();
}

std::vector<std::string> StreamEncoder::Last(const FinishEvent& total, int choice) const {
  JsonWriter last;
  BeginLastChunk(info_, choice, ReasonName(total.reason, calls_[choice] > 0), last);
  if (!info_.include_usage) {
    WriteTotals(info_, total, last);
    last.EndObject();
    return {last.Take()};
  }
  last.EndObject();
  JsonWriter usage;
  usage.reserve(kAnswerBytes);
  usage.BeginObject();
  WriteEnvelope(info_, "chat.completion.chunk", usage);
  usage.RawMember("choices", "[]");
  usage.Key("usage");
  WriteUsage(total, usage);
  WriteTotals(info_, total, usage);
  usage.EndObject();
  return {last.Take(), usage.Take()};
}

std::string SseEvent(std::string_view json) {
  std::string event = "data: ";
  event.reserve(json.size() + 8);
  event += json;
  event += "\n\n";
  return event;
}

std::string NamedSseEvent(std::string_view type, std::string_view json) {
  std::string event = "event: ";
  event.reserve(type.size() + json.size() + 17);
  event += type;
  event += '\n';
  return event + SseEvent(json);
}

}  // namespace aio
