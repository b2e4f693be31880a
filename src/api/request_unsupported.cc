#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "api/faults.h"
#include "api/json_member_text.h"
#include "api/request_parts.h"

namespace aio {
namespace {

// Whether a value asks for nothing that plain text generation does not do anyway.
using Harmless = bool (*)(const nlohmann::json& value);

bool Never(const nlohmann::json&) { return false; }
bool IsEmpty(const nlohmann::json& v) { return v.is_structured() && v.empty(); }
bool IsFalse(const nlohmann::json& v) { return v.is_boolean() && !v.get<bool>(); }
bool IsZero(const nlohmann::json& v) { return v.is_number() && v.get<double>() == 0; }
bool IsOne(const nlohmann::json& v) { return v.is_number() && v.get<double>() == 1; }
bool IsNone(const nlohmann::json& v) { return v.is_string() && v == "none"; }
bool IsEmptyText(const nlohmann::json& v) { return v.is_string() && v == ""; }

bool IsTextOnly(const nlohmann::json& v) {
  return v.is_array() && v.size() == 1 && v[0].is_string() && v[0] == "text";
}

// A string, or the `type` of an object.
bool IsTypeOf(const nlohmann::json& v, std::string_view type) {
  if (v.is_string()) return v == type;
  const auto member = v.is_object() ? v.find("type") : v.end();
  return member != v.end() && member->is_string() && *member == type;
}
bool IsDisabled(const nlohmann::json& v) { return IsTypeOf(v, "disabled"); }

// Members that are absent or null, or whose value is `harmless`.
bool HasOnly(const nlohmann::json& v, std::string_view name, Harmless harmless) {
  const auto member = v.find(name);
  return member == v.end() || member->is_null() || harmless(*member);
}

bool IsMedium(const nlohmann::json& v) { return v.is_string() && v == "medium"; }
bool AsksForMediumVerbosity(const nlohmann::json& v) {
  return !v.is_object() || HasOnly(v, "verbosity", IsMedium);
}
// Anthropic's default is "high".
bool IsHigh(const nlohmann::json& v) { return v.is_string() && v == "high"; }
bool AsksForHighEffort(const nlohmann::json& v) {
  return !v.is_object() || HasOnly(v, "effort", IsHigh);
}
bool AsksForNoReasoning(const nlohmann::json& v) {
  return v.is_object() && HasOnly(v, "effort", IsNone) && HasOnly(v, "summary", Never);
}

struct Field {
  const char* name;
  Harmless harmless;
  const char* mend;
};

constexpr const char* kLeaveOut = "Leave it out.";

constexpr Field kBoth[] = {
    {"use_beam_search", IsFalse, kLeaveOut},
    {"min_tokens", IsZero, kLeaveOut},
    {"stop_token_ids", IsEmpty, "Use 'stop' with strings."},
    {"prompt_logprobs", Never, kLeaveOut},
};

constexpr Field kChatOnly[] = {
    {"functions", IsEmpty, "Use 'tools'."},
    {"function_call", IsNone, "Use 'tools'."},
    {"modalities", IsTextOnly, "Use [\"text\"] or leave it out."},
    {"audio", Never, kLeaveOut},
    {"web_search_options", Never, kLeaveOut},
};

constexpr Field kCompletionOnly[] = {
    {"echo", IsFalse, "Use echo = false and put the prompt before the answer yourself."},
    {"suffix", IsEmptyText, kLeaveOut},
};

constexpr Field kResponseOnly[] = {
    {"previous_response_id", Never,
     "Responses are not kept here; send the whole conversation as 'input'."},
    {"conversation", Never, "Conversations are not kept here; send the whole of it as 'input'."},
    {"store", IsFalse, "Responses are not kept here; use store = false or leave it out."},
    {"background", IsFalse, "Use background = false and wait for the answer, or stream it."},
    {"prompt", Never, "Prompt templates are not kept here; send the text as 'input'."},
    {"messages", Never, "Use 'input'."},
    {"text", AsksForMediumVerbosity, "Leave its 'verbosity' out."},
    {"reasoning", AsksForNoReasoning, "The models here do not reason apart; leave it out."},
    {"truncation", IsDisabled, "Shorten the input yourself; use \"disabled\" or leave it out."},
    {"max_tokens", Never, "Use 'max_output_tokens'."},
    {"max_completion_tokens", Never, "Use 'max_output_tokens'."},
    {"n", IsOne, "Use n = 1; /v1/chat/completions gives several answers."},
};

constexpr Field kMessageOnly[] = {
    {"thinking", IsDisabled, "The models here do not think apart; leave it out."},
    {"mcp_servers", IsEmpty, "Call them yourself, as 'tools'; leave it out."},
    {"container", Never, kLeaveOut},
    {"context_management", Never, "Shorten the conversation yourself; leave it out."},
    {"output_config", AsksForHighEffort, "Leave its 'effort' out."},
    {"stop", Never, "Use 'stop_sequences'."},
    {"max_completion_tokens", Never, "Use 'max_tokens'."},
    {"n", IsOne, "Use n = 1; /v1/chat/completions gives several answers."},
};

template <size_t n>
Status Refuse(const ObjectReader& body, const Field (&fields)[n]) {
  for (const Field& field : fields) {
    const nlohmann::json* value = body.Find(field.name);
    if (value != nullptr && !field.harmless(*value)) return Unsupported(field.name, field.mend);
  }
  return Status::Ok();
}

// The table's entry, or null.
template <size_t n>
const Field* FindField(std::string_view name, const Field (&fields)[n]) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const Field* FindField(std::string_view name, ApiKind kind) {
  if (const Field* field = FindField(name, kBoth)) return field;
  return kind == ApiKind::kChat ? FindField(name, kChatOnly) : FindField(name, kCompletionOnly);
}

bool IsAscii(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return (c & 0x80) == 0; });
}

std::string Lowered(std::string name) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

bool IsServed(const std::string& choice) { return choice == "auto" || choice == "none"; }

}  // namespace

Status CollectVendorFields(const ObjectReader& body, std::string_view text, ApiKind kind,
                           const std::vector<std::string_view>& asked,
                           std::vector<VendorField>& fields) {
  constexpr size_t kFieldsMax = 32;
  const auto is_known = [&asked](std::string_view name) {
    return std::find(asked.begin(), asked.end(), name) != asked.end();
  };
  for (const auto& [name, value] : body.object().items()) {
    if (value.is_null()) continue;
    std::string mend;
    if (const Field* field = FindField(name, kind)) {
      if (field->harmless(value)) continue;
      mend = field->mend;
    } else if (name == "tool_choice" && kind == ApiKind::kChat && !IsServed(ToolChoice(body))) {
      mend = kToolChoiceMend;
    } else if (is_known(name)) {
      continue;
    } else if (!IsAscii(name)) {
      // Go's JSON takes U+017F for an s and U+212A for a k.
      return BadValue(name, "the names of fields are ASCII; leave it out.");
    } else if (const std::string lower = Lowered(name); is_known(lower)) {
      // Some engines do not mind the case, and would take it for the other.
      return UnknownField(name, lower);
    }
    if (fields.size() == kFieldsMax) {
      return BadValue(name, fmt::format("more than {} unknown fields were given.", kFieldsMax));
    }
    // The order of members may say something; looking for it in the text takes its time.
    std::string json = value.is_structured() ? std::string(MemberText(text, {name})) : value.dump();
    fields.push_back({name, std::move(json), std::move(mend)});
  }
  return Status::Ok();
}

Status RefuseUnsupported(const ObjectReader& body, ApiKind kind) {
  AIO_RETURN_IF_ERROR(Refuse(body, kBoth));
  switch (kind) {
    case ApiKind::kChat:
      return Refuse(body, kChatOnly);
    case ApiKind::kCompletion:
      return Refuse(body, kCompletionOnly);
    case ApiKind::kResponse:
      return Refuse(body, kResponseOnly);
    case ApiKind::kMessage:
      return Refuse(body, kMessageOnly);
  }
  return Status::Ok();
}

}  // namespace aio
