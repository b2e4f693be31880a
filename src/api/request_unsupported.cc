#include <nlohmann/json.hpp>

#include "api/faults.h"
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

struct Field {
  const char* name;
  Harmless harmless;
  const char* mend;
};

constexpr const char* kNoTools = "Tools are not supported; leave it out.";
constexpr const char* kLeaveOut = "Leave it out.";

constexpr Field kBoth[] = {
    {"n", IsOne, "Use n = 1 and send one request for each answer."},
    {"best_of", IsOne, "Use best_of = 1."},
    {"use_beam_search", IsFalse, kLeaveOut},
    {"min_tokens", IsZero, kLeaveOut},
    {"stop_token_ids", IsEmpty, "Use 'stop' with strings."},
    {"prompt_logprobs", Never, kLeaveOut},
};

constexpr Field kChatOnly[] = {
    {"tools", IsEmpty, kNoTools},
    {"tool_choice", IsNone, kNoTools},
    {"functions", IsEmpty, kNoTools},
    {"function_call", IsNone, kNoTools},
    {"modalities", IsTextOnly, "Use [\"text\"] or leave it out."},
    {"audio", Never, kLeaveOut},
    {"web_search_options", Never, kLeaveOut},
};

constexpr Field kCompletionOnly[] = {
    {"echo", IsFalse, "Use echo = false and put the prompt before the answer yourself."},
    {"suffix", IsEmptyText, kLeaveOut},
};

template <size_t n>
Status Refuse(const ObjectReader& body, const Field (&fields)[n]) {
  for (const Field& field : fields) {
    const nlohmann::json* value = body.Find(field.name);
    if (value != nullptr && !field.harmless(*value)) return Unsupported(field.name, field.mend);
  }
  return Status::Ok();
}

}  // namespace

Status RefuseUnsupported(const ObjectReader& body, ApiKind kind) {
  AIO_RETURN_IF_ERROR(Refuse(body, kBoth));
  return kind == ApiKind::kChat ? Refuse(body, kChatOnly) : Refuse(body, kCompletionOnly);
}

}  // namespace aio
