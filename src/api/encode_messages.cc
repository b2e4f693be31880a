#include <nlohmann/json.hpp>
#include <utility>

#include "api/error_object.h"
#include "api/json_text.h"
#include "api/messages_api.h"
#include "api/response_parts.h"

namespace aio {
namespace {

const char* StopReason(FinishReason reason, const std::string& stop_string) {
  if (reason == FinishReason::kLength) return "max_tokens";
  return stop_string.empty() ? "end_turn" : "stop_sequence";
}

OrderedJson OrNull(const std::string& text) {
  return text.empty() ? OrderedJson(nullptr) : OrderedJson(text);
}

// Anthropic's input_tokens are those that were not read from a cache.
OrderedJson Usage(int prompt_tokens, int cached_tokens, int answer_tokens) {
  OrderedJson json;
  json["input_tokens"] = prompt_tokens - cached_tokens;
  json["cache_creation_input_tokens"] = 0;
  json["cache_read_input_tokens"] = cached_tokens;
  json["output_tokens"] = answer_tokens;
  return json;
}
OrderedJson Usage(const FinishEvent& finish) {
  return Usage(finish.usage.prompt_tokens, finish.usage.cached_prompt_tokens,
               finish.usage.completion_tokens);
}

OrderedJson TextBlock(const std::string& text) {
  OrderedJson block;
  block["type"] = "text";
  block["text"] = text;
  return block;
}

class MessagesEncoder final : public AnswerEncoder {
 public:
  explicit MessagesEncoder(std::string hex_id) : hex_id_(std::move(hex_id)) {}

  std::string Whole(const StartEvent& start, const std::vector<WholeAnswer>& choices,
                    const FinishEvent& total) override {
    start_ = start;
    const WholeAnswer& answer = choices.front();
    OrderedJson message = Message();
    message["content"].push_back(TextBlock(answer.text));
    message["stop_reason"] = StopReason(answer.reason, answer.stop_string);
    message["stop_sequence"] = OrNull(answer.stop_string);
    message["usage"] = Usage(total);
    AddTotals(total, message);
    return ToText(message);
  }

  std::string Start(const StartEvent& start) override {
    start_ = start;
    OrderedJson message = Message();
    message["usage"] = Usage(start.prompt_tokens, 0, 0);
    if (start.decision) message["aio"] = DecisionObject(*start.decision);
    std::string bytes = Event("message_start", {{"message", std::move(message)}});
    bytes += Event("content_block_start", {{"index", 0}, {"content_block", TextBlock("")}});
    return bytes + Event("ping", OrderedJson::object());
  }

  std::string Delta(int /*choice*/, const TokenEvent& event) override {
    if (event.text.empty()) return "";
    return Event("content_block_delta",
                 {{"index", 0}, {"delta", {{"type", "text_delta"}, {"text", event.text}}}});
  }

  std::string End(int /*choice*/, const FinishEvent& finish) override {
    stop_string_ = finish.stop_string;
    return Event("content_block_stop", {{"index", 0}});
  }

  std::string Finish(const FinishEvent& total) override {
    OrderedJson end;
    end["delta"] = {{"stop_reason", StopReason(total.reason, stop_string_)},
                    {"stop_sequence", OrNull(stop_string_)}};
    end["usage"] = Usage(total);
    AddTotals(total, end);
    return Event("message_delta", std::move(end)) + Event("message_stop", OrderedJson::object());
  }

  std::string Fail(const Status& status) override {
    return NamedSseEvent("error", EncodeAnthropicError(status, ""));
  }

 private:
  static std::string Event(const std::string& type, OrderedJson members) {
    OrderedJson json;
    json["type"] = type;
    json.update(members);
    return NamedSseEvent(type, ToText(json));
  }

  // Without content so far.
  OrderedJson Message() const {
    OrderedJson json;
    json["id"] = "msg_" + hex_id_;
    json["type"] = "message";
    json["role"] = "assistant";
    json["model"] = start_.model;
    json["content"] = OrderedJson::array();
    json["stop_reason"] = nullptr;
    json["stop_sequence"] = nullptr;
    return json;
  }

  void AddTotals(const FinishEvent& total, OrderedJson& json) const {
    json["timings"] = TimingsObject(total);
    json["aio"] = AioObject(start_, total);
  }

  const std::string hex_id_;
  StartEvent start_;
  std::string stop_string_;
};

}  // namespace

std::string EncodeTokenCount(int tokens) {
  OrderedJson json;
  json["input_tokens"] = tokens;
  return ToText(json);
}

std::unique_ptr<AnswerEncoder> MakeMessagesEncoder(std::string hex_id) {
  return std::make_unique<MessagesEncoder>(std::move(hex_id));
}

}  // namespace aio
