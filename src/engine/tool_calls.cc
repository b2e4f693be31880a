#include "engine/tool_calls.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "jinja/json_value.h"

namespace aio {
namespace {

constexpr std::string_view kOpen = "<tool_call>";
constexpr std::string_view kClose = "</tool_call>";
constexpr std::string_view kSpaces = " \t\r\n";

// Where a part that may still become `tag` begins at the end of `text`, with the whitespace before
// it: that is not shown when a call follows.
size_t UncertainEnd(std::string_view text, std::string_view tag) {
  size_t begin = text.size();
  for (size_t length = std::min(tag.size() - 1, text.size()); length > 0; --length) {
    if (!text.ends_with(tag.substr(0, length))) continue;
    begin = text.size() - length;
    break;
  }
  const size_t last = text.substr(0, begin).find_last_not_of(kSpaces);
  return last == std::string_view::npos ? 0 : last + 1;
}

std::string_view WithoutSpacesAfter(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

// {"name": ..., "arguments" or "parameters": {...} or a text of that}
std::optional<ToolCall> ReadCall(const JinjaValue& value) {
  const JinjaValue* name = value.Find("name");
  const JinjaValue* arguments = value.Find("arguments");
  if (arguments == nullptr) arguments = value.Find("parameters");
  if (name == nullptr || !name->is_text() || name->text().empty()) return std::nullopt;
  JinjaValue object = arguments != nullptr ? *arguments : JinjaValue::Dict({});
  if (object.is_text()) {
    Result<JinjaValue> inner = ParseJsonValue(object.bytes());
    if (!inner.ok()) return std::nullopt;
    object = *std::move(inner);
  }
  if (object.is_none()) object = JinjaValue::Dict({});
  if (!object.is_dict()) return std::nullopt;
  const Result<MarkedText> text = WriteJsonValue(object);
  if (!text.ok()) return std::nullopt;
  return ToolCall{"", name->bytes(), text->bytes()};
}

std::vector<std::string> NamesOf(std::string_view tools) {
  std::vector<std::string> names;
  const Result<JinjaValue> parsed = ParseJsonValue(tools);
  if (!parsed.ok() || !parsed->is_list()) return names;
  for (const JinjaValue& tool : parsed->list().items) {
    const JinjaValue* function = tool.Find("function");
    const JinjaValue* name = function != nullptr ? function->Find("name") : nullptr;
    if (name != nullptr && name->is_text()) names.push_back(name->bytes());
  }
  return names;
}

// Between the engine and the request's own sink.
class ToolCallSink final : public EventSink {
 public:
  ToolCallSink(ToolCallReader reader, std::shared_ptr<EventSink> sink)
      : reader_(std::move(reader)), sink_(std::move(sink)) {}

  void OnStart(const StartEvent& event) override { sink_->OnStart(event); }

  void OnToken(const TokenEvent& event) override {
    ToolCallReader::Found found = reader_.Add(event.text);
    TokenEvent shown = event;
    shown.text = std::move(found.text);
    shown.tool_calls = std::move(found.calls);
    sink_->OnToken(shown);
  }

  void OnFinish(const FinishEvent& event) override {
    ToolCallReader::Found found = reader_.End();
    if (!found.text.empty() || !found.calls.empty()) {
      TokenEvent rest;
      rest.text = std::move(found.text);
      rest.tool_calls = std::move(found.calls);
      sink_->OnToken(rest);
    }
    sink_->OnFinish(event);
  }

  void OnError(const Status& status) override { sink_->OnError(status); }

 private:
  ToolCallReader reader_;
  const std::shared_ptr<EventSink> sink_;
};

}  // namespace

ToolCallReader::Found ToolCallReader::Add(std::string_view text) {
  Found found;
  if (is_text_ || format_ == ToolCallFormat::kUnknown) {
    found.text = text;
    return found;
  }
  held_ += text;
  if (format_ == ToolCallFormat::kTagged) {
    ReadTagged(found);
    return found;
  }
  const size_t first = held_.find_first_not_of(kSpaces);
  is_text_ = first != std::string::npos && held_[first] != '{' && held_[first] != '[';
  if (is_text_) found.text = std::exchange(held_, "");
  return found;
}

void ToolCallReader::ReadTagged(Found& found) {
  for (;;) {
    if (in_call_) {
      const size_t close = held_.find(kClose);
      if (close == std::string::npos) return;
      if (!AddCalls(std::string_view(held_).substr(0, close), /*any_name=*/true, found)) {
        found.text.append(gap_).append(kOpen).append(held_, 0, close + kClose.size());
      }
      held_.erase(0, close + kClose.size());
      in_call_ = false;
    }
    const size_t open = held_.find(kOpen);
    if (open == std::string::npos) break;
    const std::string_view shown = WithoutSpacesAfter(std::string_view(held_).substr(0, open));
    found.text += shown;
    gap_ = held_.substr(shown.size(), open - shown.size());
    held_.erase(0, open + kOpen.size());
    in_call_ = true;
  }
  const size_t uncertain = UncertainEnd(held_, kOpen);
  found.text.append(held_, 0, uncertain);
  held_.erase(0, uncertain);
}

ToolCallReader::Found ToolCallReader::End() {
  Found found;
  const std::string held = std::exchange(held_, "");
  const bool may_call = in_call_ || (format_ == ToolCallFormat::kBare && !is_text_);
  if (may_call && AddCalls(held, /*any_name=*/in_call_, found)) return found;
  if (in_call_) found.text = gap_.append(kOpen);
  found.text += held;
  return found;
}

bool ToolCallReader::AddCalls(std::string_view json, bool any_name, Found& found) {
  const Result<JinjaValue> parsed = ParseJsonValue(json);
  if (!parsed.ok()) return false;
  std::vector<JinjaValue> values = {*parsed};
  if (parsed->is_list()) values = parsed->list().items;
  std::vector<ToolCall> calls;
  for (const JinjaValue& value : values) {
    std::optional<ToolCall> call = ReadCall(value);
    if (!call) return false;
    if (!any_name && std::find(names_.begin(), names_.end(), call->name) == names_.end()) {
      return false;
    }
    calls.push_back(*std::move(call));
  }
  for (ToolCall& call : calls) {
    call.id = NextId();
    found.calls.push_back(std::move(call));
  }
  return !calls.empty();
}

std::string ToolCallReader::NextId() {
  constexpr std::string_view kChars =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  // One step of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
  id_seed_ += 0x9E3779B97F4A7C15;
  uint64_t bits = id_seed_;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  bits ^= bits >> 31;
  std::string id;
  for (int i = 0; i < 9; ++i) {
    id += kChars[bits % kChars.size()];
    bits /= kChars.size();
  }
  return id;
}

std::shared_ptr<EventSink> ReadToolCalls(const EmbeddedModel& model, const Request& request,
                                         std::shared_ptr<EventSink> sink) {
  const bool may_call = !request.tools.empty() && request.format.kind == AnswerFormatKind::kText &&
                        model.chat_template &&
                        model.chat_template->call_format() != ToolCallFormat::kUnknown;
  if (!may_call) return sink;
  // Of the seed too: the choices of one request have ids of their own.
  const uint64_t seed = std::hash<std::string>()(request.id) ^ request.sampling.seed;
  return std::make_shared<ToolCallSink>(
      ToolCallReader(model.chat_template->call_format(), NamesOf(request.tools), seed),
      std::move(sink));
}

}  // namespace aio
