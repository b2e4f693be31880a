#include <nlohmann/json.hpp>
#include <utility>

#include "api/error_object.h"
#include "api/json_text.h"
#include "api/messages_api.h"
#include "api/response_parts.h"

namespace aio {
namespace {

const char* StopReason(FinishReason reason, const std::string& stop_string, bool has_calls) {
  if (reason == FinishReason::kLength) return "max_tokens";
  if (has_calls) return "tool_use";
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

OrderedJson ToolUseBlock(const ToolCall& call, OrderedJson input) {
  OrderedJson block;
  block["type"] = "tool_use";
  block["id"] = call.id;
  block["name"] = call.name;
  block["input"] = std::move(input);
  return block;
}

// A model's arguments are an object: what is not JSON was taken for no call.
OrderedJson ParseInput(const ToolCall& call) {
  // Sorted: a tree that keeps the order takes long for objects of many members.
  const auto input = nlohmann::json::parse(call.arguments, nullptr, /*allow_exceptions=*/false);
  return input.is_object() ? OrderedJson(input) : OrderedJson::object();
}

class MessagesEncoder final : public AnswerEncoder {
 public:
  explicit MessagesEncoder(std::string hex_id) : hex_id_(std::move(hex_id)) {}

  std::string Whole(const StartEvent& start, const std::vector<WholeAnswer>& choices,
                    const FinishEvent& total) override {
    start_ = start;
    const WholeAnswer& answer = choices.front();
    OrderedJson message = Message();
    const bool has_calls = !answer.tool_calls.empty();
    if (!answer.text.empty() || !has_calls) message["content"].push_back(TextBlock(answer.text));
    for (const ToolCall& call : answer.tool_calls) {
      message["content"].push_back(ToolUseBlock(call, ParseInput(call)));
    }
    message["stop_reason"] = StopReason(answer.reason, answer.stop_string, has_calls);
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
    const std::string bytes = Event("message_start", {{"message", std::move(message)}});
    return bytes + Event("ping", OrderedJson::object());
  }

  std::string Delta(int /*choice*/, const TokenEvent& event) override {
    std::string bytes;
    if (!event.text.empty()) {
      bytes = OpenText();
      bytes += BlockDelta({{"type", "text_delta"}, {"text", event.text}});
    }
    for (const ToolCall& call : event.tool_calls) {
      bytes += CloseText();
      bytes += BlockStart(ToolUseBlock(call, OrderedJson::object()));
      bytes += BlockDelta({{"type", "input_json_delta"}, {"partial_json", call.arguments}});
      bytes += BlockStop();
      has_calls_ = true;
    }
    return bytes;
  }

  std::string End(int /*choice*/, const FinishEvent& finish) override {
    stop_string_ = finish.stop_string;
    const std::string bytes = blocks_ == 0 ? OpenText() : "";  // a message has a block
    return bytes + CloseText();
  }

  std::string Finish(const FinishEvent& total) override {
    OrderedJson end;
    end["delta"] = {{"stop_reason", StopReason(total.reason, stop_string_, has_calls_)},
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

  // Of the block that is being written.
  std::string BlockStart(OrderedJson block) {
    return Event("content_block_start", {{"index", blocks_}, {"content_block", std::move(block)}});
  }
  std::string BlockDelta(OrderedJson delta) {
    return Event("content_block_delta", {{"index", blocks_}, {"delta", std::move(delta)}});
  }
  std::string BlockStop() { return Event("content_block_stop", {{"index", blocks_++}}); }

  std::string OpenText() { return std::exchange(in_text_, true) ? "" : BlockStart(TextBlock("")); }
  std::string CloseText() { return std::exchange(in_text_, false) ? BlockStop() : ""; }

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
  int blocks_ = 0;        // that are finished
  bool in_text_ = false;  // another has begun, of text
  bool has_calls_ = false;
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
