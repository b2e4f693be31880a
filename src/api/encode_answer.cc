#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/json_text.h"
#include "api/openai_response.h"
#include "api/response_parts.h"

namespace aio {
namespace {

OrderedJson Envelope(const AnswerInfo& info, const char* chat_object) {
  OrderedJson json;
  json["id"] = info.id;
  json["object"] = info.kind == ApiKind::kChat ? chat_object : "text_completion";
  json["created"] = info.created;
  json["model"] = info.start.model;
  return json;
}

OrderedJson Logprobs(ApiKind kind, const std::vector<TokenLogprob>& logprobs, size_t& offset) {
  return kind == ApiKind::kChat ? ChatLogprobs(logprobs) : CompletionLogprobs(logprobs, offset);
}

void AddTotals(const AnswerInfo& info, const FinishEvent& finish, OrderedJson& json) {
  json["timings"] = TimingsObject(finish);
  json["aio"] = AioObject(info.start, finish);
}

// A chunk with one choice, whose log-probabilities and finish_reason are null so far.
// Chats carry `delta` as it is, completions its content as `text`.
OrderedJson Chunk(const AnswerInfo& info, int index, OrderedJson delta) {
  OrderedJson choice;
  choice["index"] = index;
  if (info.kind == ApiKind::kChat) {
    choice["delta"] = std::move(delta);
  } else {
    choice["text"] = delta.contains("content") ? std::move(delta["content"]) : OrderedJson("");
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = nullptr;
  OrderedJson json = Envelope(info, "chat.completion.chunk");
  json["choices"] = OrderedJson::array({std::move(choice)});
  if (info.include_usage) json["usage"] = nullptr;
  return json;
}

// `index` counts the calls of an answer; a stream's clients tell them apart by it.
OrderedJson CallObject(const ToolCall& call, std::optional<int> index) {
  OrderedJson json;
  if (index) json["index"] = *index;
  json["id"] = call.id;
  json["type"] = "function";
  json["function"]["name"] = call.name;
  json["function"]["arguments"] = call.arguments;
  return json;
}

// An answer that calls tools and was not cut off ends for that.
std::string_view ReasonName(FinishReason reason, bool has_calls) {
  return has_calls && reason == FinishReason::kStop ? "tool_calls" : FinishReasonName(reason);
}

OrderedJson Choice(const AnswerInfo& info, int index, const WholeAnswer& answer,
                   bool with_logprobs) {
  OrderedJson choice;
  choice["index"] = index;
  if (info.kind == ApiKind::kChat) {
    OrderedJson& message = choice["message"];
    message["role"] = "assistant";
    const bool calls_alone = answer.text.empty() && !answer.tool_calls.empty();
    message["content"] = calls_alone ? OrderedJson(nullptr) : OrderedJson(answer.text);
    if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
    message["refusal"] = nullptr;
    for (const ToolCall& call : answer.tool_calls) {
      message["tool_calls"].push_back(CallObject(call, std::nullopt));
    }
  } else {
    choice["text"] = answer.text;
  }
  size_t offset = 0;
  choice["logprobs"] =
      with_logprobs ? Logprobs(info.kind, answer.logprobs, offset) : OrderedJson(nullptr);
  choice["finish_reason"] = ReasonName(answer.reason, !answer.tool_calls.empty());
  return choice;
}

}  // namespace

std::string EncodeAnswer(const AnswerInfo& info, const std::vector<WholeAnswer>& choices,
                         bool with_logprobs, const FinishEvent& total) {
  OrderedJson json = Envelope(info, "chat.completion");
  OrderedJson& array = json["choices"] = OrderedJson::array();
  for (const WholeAnswer& answer : choices) {
    array.push_back(Choice(info, static_cast<int>(array.size()), answer, with_logprobs));
  }
  json["usage"] = UsageObject(total);
  AddTotals(info, total, json);
  return ToText(json);
}

StreamEncoder::StreamEncoder(AnswerInfo info, int choices)
    : info_(std::move(info)), text_offsets_(choices), calls_(choices) {}

std::string StreamEncoder::First(int choice) const {
  OrderedJson delta;
  if (info_.kind == ApiKind::kChat) delta["role"] = "assistant";
  delta["content"] = "";
  OrderedJson json = Chunk(info_, choice, std::move(delta));
  if (choice == 0 && info_.start.decision) json["aio"] = DecisionObject(*info_.start.decision);
  return ToText(json);
}

std::string StreamEncoder::Delta(const TokenEvent& event, int choice) {
  const bool has_text = !event.text.empty() || !event.logprobs.empty();
  const bool has_reasoning = !event.reasoning.empty() && info_.kind == ApiKind::kChat;
  if (!has_text && !has_reasoning && event.tool_calls.empty()) return "";
  OrderedJson delta;
  if (has_reasoning) delta["reasoning_content"] = event.reasoning;
  if (!event.text.empty() || (event.tool_calls.empty() && !has_reasoning)) {
    delta["content"] = event.text;
  }
  for (const ToolCall& call : event.tool_calls) {
    delta["tool_calls"].push_back(CallObject(call, calls_[choice]++));
  }
  OrderedJson json = Chunk(info_, choice, std::move(delta));
  if (!event.logprobs.empty()) {
    json["choices"][0]["logprobs"] = Logprobs(info_.kind, event.logprobs, text_offsets_[choice]);
  }
  return ToText(json);
}

std::string StreamEncoder::End(FinishReason reason, int choice) const {
  OrderedJson end = Chunk(info_, choice, OrderedJson::object());
  end["choices"][0]["finish_reason"] = ReasonName(reason, calls_[choice] > 0);
  return ToText(end);
}

std::vector<std::string> StreamEncoder::Last(const FinishEvent& total, int choice) const {
  OrderedJson last = Chunk(info_, choice, OrderedJson::object());
  last["choices"][0]["finish_reason"] = ReasonName(total.reason, calls_[choice] > 0);
  if (!info_.include_usage) {
    AddTotals(info_, total, last);
    return {ToText(last)};
  }
  OrderedJson usage = Envelope(info_, "chat.completion.chunk");
  usage["choices"] = OrderedJson::array();
  usage["usage"] = UsageObject(total);
  AddTotals(info_, total, usage);
  return {ToText(last), ToText(usage)};
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
