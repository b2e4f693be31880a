#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/error_object.h"
#include "api/json_text.h"
#include "api/response_parts.h"
#include "api/responses_api.h"

namespace aio {
namespace {

OrderedJson Usage(const FinishEvent& finish) {
  const aio::Usage& usage = finish.usage;
  OrderedJson json;
  json["input_tokens"] = usage.prompt_tokens;
  json["input_tokens_details"]["cached_tokens"] = usage.cached_prompt_tokens;
  json["output_tokens"] = usage.completion_tokens;
  json["output_tokens_details"]["reasoning_tokens"] = 0;
  json["total_tokens"] = usage.prompt_tokens + usage.completion_tokens;
  return json;
}

OrderedJson TextPart(std::string text, OrderedJson logprobs) {
  OrderedJson part;
  part["type"] = "output_text";
  part["annotations"] = OrderedJson::array();
  part["logprobs"] = std::move(logprobs);
  part["text"] = std::move(text);
  return part;
}

const char* StatusOf(FinishReason reason) {
  return reason == FinishReason::kLength ? "incomplete" : "completed";
}

class ResponsesEncoder final : public AnswerEncoder {
 public:
  ResponsesEncoder(ResponsesEcho echo, std::string hex_id, int64_t created)
      : echo_(std::move(echo)),
        text_format_(Parsed(echo_.text_format)),
        tools_(Parsed(echo_.tools)),
        hex_id_(std::move(hex_id)),
        created_(created) {}

  std::string Whole(const StartEvent& start, const std::vector<WholeAnswer>& choices,
                    const FinishEvent& total) override {
    start_ = start;
    const WholeAnswer& answer = choices.front();
    text_ = answer.text;
    AddLogprobs(answer.logprobs);
    if (!text_.empty() || answer.tool_calls.empty()) output_.push_back(Message(total.reason));
    for (const ToolCall& call : answer.tool_calls) output_.push_back(CallItem(call));
    return ToText(Finished(total));
  }

  std::string Start(const StartEvent& start) override {
    start_ = start;
    OrderedJson response = Response("in_progress");
    if (start.decision) response["aio"] = DecisionObject(*start.decision);
    const std::string bytes = Event("response.created", {{"response", response}});
    return bytes + Event("response.in_progress", {{"response", std::move(response)}});
  }

  std::string Delta(int /*choice*/, const TokenEvent& event) override {
    std::string bytes;
    if (!event.text.empty() || (event.tool_calls.empty() && !event.logprobs.empty())) {
      bytes = OpenMessage();
      text_ += event.text;
      OrderedJson delta = Place();
      delta["delta"] = event.text;
      delta["logprobs"] = AddLogprobs(event.logprobs);
      bytes += Event("response.output_text.delta", std::move(delta));
    }
    for (const ToolCall& call : event.tool_calls) {
      bytes += CloseMessage(FinishReason::kStop);
      bytes += CallEvents(call);
    }
    return bytes;
  }

  std::string End(int /*choice*/, const FinishEvent& /*finish*/) override { return ""; }

  std::string Finish(const FinishEvent& total) override {
    std::string bytes = output_.empty() ? OpenMessage() : "";  // an output has an item
    bytes += CloseMessage(total.reason);
    OrderedJson response = Finished(total);
    const std::string type = std::string("response.") + StatusOf(total.reason);
    return bytes + Event(type, {{"response", std::move(response)}});
  }

  std::string Fail(const Status& status) override {
    const bool ours = HttpStatusOf(status.code()) >= 500;
    const std::string code = !status.reason().empty() ? status.reason()
                             : ours                   ? "server_error"
                                                      : "invalid_prompt";
    OrderedJson error;
    error["code"] = code;
    error["message"] = status.message();
    error["param"] = status.param().empty() ? OrderedJson(nullptr) : OrderedJson(status.param());
    const std::string bytes = Event("error", std::move(error));
    OrderedJson response = Response("failed");
    response["error"] = {{"code", code}, {"message", status.message()}};
    return bytes + Event("response.failed", {{"response", std::move(response)}});
  }

 private:
  // By a tree that sorts: one that keeps the order takes long for objects of many members.
  static OrderedJson Parsed(const std::string& text) { return nlohmann::json::parse(text); }

  std::string Event(const std::string& type, OrderedJson members) {
    OrderedJson json;
    json["type"] = type;
    json["sequence_number"] = sequence_number_++;
    json.update(members);
    return NamedSseEvent(type, ToText(json));
  }

  // Ids tell an answer's items apart: the first message has the response's own number.
  std::string MessageId() const {
    return output_.empty() ? "msg_" + hex_id_ : fmt::format("msg_{}_{}", hex_id_, output_.size());
  }
  OrderedJson Item(const char* status) const {
    OrderedJson item;
    item["id"] = MessageId();
    item["type"] = "message";
    item["status"] = status;
    item["role"] = "assistant";
    return item;
  }
  OrderedJson Message(FinishReason reason) const {
    OrderedJson item = Item(StatusOf(reason));
    item["content"] = OrderedJson::array({TextPart(text_, logprobs_)});
    return item;
  }
  OrderedJson CallItem(const ToolCall& call) const {
    OrderedJson item;
    item["id"] = fmt::format("fc_{}_{}", hex_id_, output_.size());
    item["type"] = "function_call";
    item["status"] = "completed";
    item["call_id"] = call.id;
    item["name"] = call.name;
    item["arguments"] = call.arguments;
    return item;
  }

  // Where the text stands.
  OrderedJson Place() const {
    OrderedJson place;
    place["item_id"] = MessageId();
    place["output_index"] = output_.size();
    place["content_index"] = 0;
    return place;
  }

  std::string OpenMessage() {
    if (std::exchange(in_message_, true)) return "";
    OrderedJson item = Item("in_progress");
    item["content"] = OrderedJson::array();
    const std::string bytes = Event("response.output_item.added",
                                    {{"output_index", output_.size()}, {"item", std::move(item)}});
    OrderedJson added = Place();
    added["part"] = TextPart("", OrderedJson::array());
    return bytes + Event("response.content_part.added", std::move(added));
  }

  std::string CloseMessage(FinishReason reason) {
    if (!std::exchange(in_message_, false)) return "";
    OrderedJson done = Place();
    done["text"] = text_;
    done["logprobs"] = logprobs_;
    std::string bytes = Event("response.output_text.done", std::move(done));
    done = Place();
    done["part"] = TextPart(text_, logprobs_);
    bytes += Event("response.content_part.done", std::move(done));
    bytes += FinishItem(Message(reason));
    text_.clear();
    logprobs_ = OrderedJson::array();
    return bytes;
  }

  // A call comes whole.
  std::string CallEvents(const ToolCall& call) {
    OrderedJson item = CallItem(call);
    OrderedJson begun = item;
    begun["status"] = "in_progress";
    begun["arguments"] = "";
    std::string bytes = Event("response.output_item.added",
                              {{"output_index", output_.size()}, {"item", std::move(begun)}});
    OrderedJson place;
    place["item_id"] = item["id"];
    place["output_index"] = output_.size();
    OrderedJson delta = place;
    delta["delta"] = call.arguments;
    bytes += Event("response.function_call_arguments.delta", std::move(delta));
    place["name"] = call.name;
    place["arguments"] = call.arguments;
    bytes += Event("response.function_call_arguments.done", std::move(place));
    return bytes + FinishItem(std::move(item));
  }

  std::string FinishItem(OrderedJson item) {
    std::string bytes =
        Event("response.output_item.done", {{"output_index", output_.size()}, {"item", item}});
    output_.push_back(std::move(item));
    return bytes;
  }

  // In the form of a content part; they are remembered.
  OrderedJson AddLogprobs(const std::vector<TokenLogprob>& logprobs) {
    OrderedJson added = std::move(ChatLogprobs(logprobs)["content"]);
    for (const OrderedJson& logprob : added) logprobs_.push_back(logprob);
    return added;
  }

  OrderedJson Metadata() const {
    OrderedJson metadata = OrderedJson::object();
    for (const auto& [key, value] : echo_.metadata) metadata[key] = value;
    return metadata;
  }

  // Without an output so far.
  OrderedJson Response(const char* status) const {
    const auto or_null = [](const auto& value) {
      return value ? OrderedJson(*value) : OrderedJson(nullptr);
    };
    OrderedJson json;
    json["id"] = "resp_" + hex_id_;
    json["object"] = "response";
    json["created_at"] = created_;
    json["status"] = status;
    json["background"] = false;
    json["error"] = nullptr;
    json["incomplete_details"] = nullptr;
    json["instructions"] = or_null(echo_.instructions);
    json["max_output_tokens"] = or_null(echo_.max_output_tokens);
    json["model"] = start_.model;
    json["output"] = OrderedJson::array();
    json["parallel_tool_calls"] = echo_.parallel_tool_calls;
    json["previous_response_id"] = nullptr;
    json["reasoning"] = {{"effort", nullptr}, {"summary", nullptr}};
    json["store"] = false;
    json["temperature"] = AsWritten(echo_.temperature);
    json["text"] = {{"format", text_format_}};
    json["tool_choice"] = echo_.tool_choice;
    json["tools"] = tools_;
    json["top_logprobs"] = std::max(0, echo_.top_logprobs);
    json["top_p"] = AsWritten(echo_.top_p);
    json["truncation"] = "disabled";
    json["usage"] = nullptr;
    json["metadata"] = Metadata();
    return json;
  }

  OrderedJson Finished(const FinishEvent& total) const {
    const char* status = StatusOf(total.reason);
    OrderedJson json = Response(status);
    if (total.reason == FinishReason::kLength) {
      json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    }
    json["output"] = output_;
    json["usage"] = Usage(total);
    json["timings"] = TimingsObject(total);
    json["aio"] = AioObject(start_, total);
    return json;
  }

  const ResponsesEcho echo_;
  const OrderedJson text_format_;
  const OrderedJson tools_;
  const std::string hex_id_;
  const int64_t created_;
  StartEvent start_;
  OrderedJson output_ = OrderedJson::array();  // items that are finished
  bool in_message_ = false;                    // another has begun, with:
  std::string text_;
  OrderedJson logprobs_ = OrderedJson::array();
  int sequence_number_ = 0;
};

}  // namespace

std::unique_ptr<AnswerEncoder> MakeResponsesEncoder(ResponsesEcho echo, std::string hex_id,
                                                    int64_t created) {
  return std::make_unique<ResponsesEncoder>(std::move(echo), std::move(hex_id), created);
}

}  // namespace aio
