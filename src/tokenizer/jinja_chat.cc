#include "tokenizer/jinja_chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "formats/gguf.h"
#include "jinja/json_value.h"

namespace aio {
namespace {

// The piece that a key of the file names by its id, or "".
std::string PieceOf(const GgufFile& file, const std::string& key) {
  const Result<int64_t> id = file.GetInt(key);
  const Result<std::vector<std::string_view>> pieces = file.GetStringArray("tokenizer.ggml.tokens");
  if (!id.ok() || !pieces.ok() || *id < 0) return {};
  return static_cast<uint64_t>(*id) < pieces->size() ? std::string((*pieces)[*id]) : std::string();
}

JinjaValue Key(const char* name) { return JinjaValue::TemplateText(name); }

// Roles are a fixed set, so that templates may write them into their marks.
bool IsRole(std::string_view role) {
  return role == "system" || role == "user" || role == "assistant" || role == "tool";
}

JinjaValue ToValue(const ChatCall& call) {
  Result<JinjaValue> arguments = ParseJsonValue(call.arguments);
  const bool is_object = arguments.ok() && arguments->is_dict();
  JinjaValue function = JinjaValue::Dict(
      {{Key("name"), JinjaValue::DataText(std::string(call.name))},
       {Key("arguments"),
        is_object ? *std::move(arguments) : JinjaValue::DataText(std::string(call.arguments))}});
  return JinjaValue::Dict({{Key("id"), JinjaValue::DataText(std::string(call.id))},
                           {Key("type"), JinjaValue::TemplateText("function")},
                           {Key("function"), std::move(function)}});
}

JinjaValue ToValue(const ChatTurn& turn) {
  JinjaValue::Members members = {{Key("role"), JinjaValue::TemplateText(std::string(turn.role))},
                                 {Key("content"), JinjaValue::DataText(std::string(turn.content))}};
  if (!turn.calls.empty()) {
    std::vector<JinjaValue> calls;
    calls.reserve(turn.calls.size());
    for (const ChatCall& call : turn.calls) calls.push_back(ToValue(call));
    members.emplace_back(Key("tool_calls"), JinjaValue::List(std::move(calls)));
  }
  if (turn.role == "tool") {
    members.emplace_back(Key("tool_call_id"), JinjaValue::DataText(std::string(turn.call_id)));
  }
  return JinjaValue::Dict(std::move(members));
}

size_t InputBytes(std::span<const ChatTurn> turns, const ChatOptions& options) {
  size_t bytes = options.tools.size();
  for (const ChatTurn& turn : turns) {
    bytes += turn.content.size();
    for (const ChatCall& call : turn.calls) bytes += call.arguments.size();
  }
  return bytes;
}

// A long conversation may take longer.
JinjaLimits LimitsFor(size_t input_bytes) {
  const auto bytes = static_cast<int64_t>(input_bytes);
  JinjaLimits limits;
  limits.steps_max += 16 * bytes;
  limits.bytes_max += 64 * bytes;
  limits.output_bytes_max += 4 * bytes;
  return limits;
}

std::string Joined(const std::vector<TextPiece>& pieces) {
  std::string text;
  for (const TextPiece& piece : pieces) text += piece.text;
  return text;
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::string_view kSampleTool = "sample_tool_name";
constexpr std::string_view kSampleTools =
    R"([{"type": "function", "function": {"name": "sample_tool_name", "description": "d",)"
    R"( "parameters": {"type": "object", "properties": {"a": {"type": "string",)"
    R"( "description": "d"}}, "required": ["a"]}}}])";

}  // namespace

Result<JinjaChat> JinjaChat::Parse(const GgufFile& file, std::string_view jinja,
                                   const Clock& clock) {
  AIO_ASSIGN_OR_RETURN(JinjaTemplate parsed, JinjaTemplate::Parse(jinja));
  JinjaChat chat(std::move(parsed), clock);
  constexpr std::pair<const char*, const char*> kTokens[] = {
      {"bos_token", "tokenizer.ggml.bos_token_id"},
      {"eos_token", "tokenizer.ggml.eos_token_id"},
      {"unk_token", "tokenizer.ggml.unknown_token_id"},
      {"pad_token", "tokenizer.ggml.padding_token_id"}};
  for (const auto& [name, key] : kTokens) {
    std::string piece = PieceOf(file, key);
    if (piece.empty()) continue;
    if (std::string_view(name) == "bos_token") chat.bos_piece_ = piece;
    chat.special_tokens_.emplace_back(name, JinjaValue::TemplateText(std::move(piece)));
  }
  return chat;
}

Result<std::vector<TextPiece>> JinjaChat::Render(std::span<const ChatTurn> turns,
                                                 const ChatOptions& options) const {
  if (turns.empty()) return InvalidArgument("there are no messages").WithParam("messages");
  std::vector<JinjaValue> messages;
  messages.reserve(turns.size());
  for (const ChatTurn& turn : turns) {
    if (!IsRole(turn.role)) {
      return InvalidArgument(fmt::format("there is no role \"{}\"; expected \"system\", \"user\", "
                                         "\"assistant\" or \"tool\"",
                                         turn.role))
          .WithParam(fmt::format("messages[{}].role", messages.size()));
    }
    messages.push_back(ToValue(turn));
  }
  JinjaValue tools = JinjaValue::None();
  if (!options.tools.empty()) {
    Result<JinjaValue> parsed = ParseJsonValue(options.tools);
    if (!parsed.ok()) return std::move(parsed).status().WithContext("tools").WithParam("tools");
    tools = *std::move(parsed);
  }
  JinjaVariables variables = special_tokens_;
  variables.emplace_back("messages", JinjaValue::List(std::move(messages)));
  variables.emplace_back("tools", std::move(tools));
  variables.emplace_back("documents", JinjaValue::None());
  variables.emplace_back("add_generation_prompt", JinjaValue::Bool(options.add_generation_prompt));
  Result<MarkedText> text =
      parsed_.Render(variables, clock_->UnixSeconds(), LimitsFor(InputBytes(turns, options)));
  if (!text.ok()) {
    return std::move(text)
        .status()
        .WithContext("the model's chat template refuses the conversation")
        .WithParam("messages");
  }
  std::vector<TextPiece> pieces;
  for (const MarkedText::Run& run : text->Runs()) {
    pieces.push_back({std::string(run.bytes), /*is_template=*/!run.is_data});
  }
  return pieces;
}

bool JinjaChat::WritesTools() const {
  const ChatTurn turns[] = {{"user", "U"}};
  const auto pieces = Render(turns, {.add_generation_prompt = true, .tools = kSampleTools});
  return pieces.ok() && Contains(Joined(*pieces), kSampleTool);
}

ToolCallFormat JinjaChat::CallFormat() const {
  // An id of nine letters and digits is what the strictest of the templates takes.
  const ChatTurn turns[] = {
      {"user", "U"},
      {"assistant", "", {{"call00001", kSampleTool, R"({"a": "sample_argument"})"}}}};
  const auto pieces = Render(turns, {});
  if (!pieces.ok()) return ToolCallFormat::kUnknown;
  const std::string text = Joined(*pieces);
  const size_t name = text.rfind(kSampleTool);
  if (name == std::string::npos) return ToolCallFormat::kUnknown;
  const size_t object = text.rfind('{', name);
  if (object == std::string::npos || !Contains(std::string_view(text).substr(object), "}")) {
    return ToolCallFormat::kUnknown;
  }
  // {"name": "sample_tool_name", "arguments": {... or the like, as JSON is spaced
  const std::string_view call = std::string_view(text).substr(object);
  const size_t quoted = call.find("\"name\"");
  const bool is_json = quoted != std::string_view::npos && quoted < name - object &&
                       (Contains(call, "\"arguments\"") || Contains(call, "\"parameters\""));
  if (!is_json) return ToolCallFormat::kUnknown;
  const std::string_view before = std::string_view(text).substr(0, object);
  return Contains(before.substr(before.size() - std::min<size_t>(before.size(), 16)), "<tool_call>")
             ? ToolCallFormat::kTagged
             : ToolCallFormat::kBare;
}

ChatComparison CompareChats(const JinjaChat& jinja_chat, ChatRenderer renders, const void* family) {
  const std::vector<ChatTurn> kChats[] = {
      {{"user", "first question"}},
      {{"system", "a rule"}, {"user", "first question"}},
      {{"system", " a rule \n"}, {"user", " first question\n"}},
      {{"user", "first question"}, {"assistant", " an answer\n"}, {"user", " second question "}},
      {{"system", "a rule"},
       {"user", "first question"},
       {"assistant", "an answer"},
       {"user", "second question"},
       {"assistant", "another"}},
      {{"user", "first question"},
       {"assistant", "<think>\nhm\n</think>\n\nan answer"},
       {"user", "second question"}}};
  ChatComparison comparison;
  for (const std::vector<ChatTurn>& chat : kChats) {
    for (const bool add_generation_prompt : {true, false}) {
      const auto own =
          jinja_chat.Render(chat, {.add_generation_prompt = add_generation_prompt, .tools = {}});
      if (!own.ok()) {
        if (comparison.fault.empty()) comparison.fault = own.status().message();
        continue;
      }
      std::string text = Joined(*own);
      if (!Contains(text, "first question")) {
        if (comparison.fault.empty()) comparison.fault = "it does not write what a user says";
        continue;
      }
      ++comparison.written;
      if (renders == nullptr) continue;
      // The tokenizer's business (Encode's `add_bos`).
      const std::string& bos = jinja_chat.bos_piece();
      if (!bos.empty() && text.starts_with(bos)) text.erase(0, bos.size());
      const auto other = renders(family, chat, add_generation_prompt);
      comparison.different += other.ok() && Joined(*other) == text ? 0 : 1;
    }
  }
  return comparison;
}

}  // namespace aio
