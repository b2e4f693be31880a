// The parts of a request, each decoded by a file of its own. Internal to api/.
#ifndef AIO_API_REQUEST_PARTS_H_
#define AIO_API_REQUEST_PARTS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/object_reader.h"
#include "api/openai_request.h"
#include "backend/request.h"
#include "base/status.h"

namespace aio {

// `model`, which may be left out: the router chooses.
Status DecodeModel(const ObjectReader& body, std::string& model);

// What an API calls the parts of a text, and those that are known but not supported.
struct ContentForm {
  std::span<const std::string_view> text_types;
  std::span<const std::string_view> refused_types;
};
// A member that is a text, or an array of parts, which are paragraphs.
Status DecodeContent(const ObjectReader& object, std::string_view name, const ContentForm& form,
                     std::string& content);
// One part, whose text is appended.
Status DecodePart(const nlohmann::json& json, const std::string& path, const ContentForm& form,
                  std::string& content);

// `messages`: system/developer/user/assistant/tool, content as text or as text parts.
Status DecodeMessages(const ObjectReader& body, std::vector<ChatMessage>& messages);

// `prompt`: one string or one array of token ids, bare or as the only element of an array.
Status DecodePrompt(const ObjectReader& body, Prompt& prompt);

// temperature, penalties, seed, stop, logit_bias, max_tokens, logprobs, n, ..., by the names that
// out.kind has for them.
Status DecodeSampling(const ObjectReader& body, ApiRequest& out);

// The object `aio`, but for its strategy.
Status DecodeOverrides(const ObjectReader& body, Request& request);

// How to decode: `aio.strategy`, and what other servers call it. Absent where nothing says.
Status DecodeStrategy(const ObjectReader& body, std::optional<Strategy>& strategy);

// What the answer must be, by the API's own name for it (`response_format`, ...) or what other
// servers call it. `text` is the body's, from which schemas are taken as they are written: the
// order of properties is theirs.
Status DecodeFormat(const ObjectReader& body, std::string_view text, ApiKind kind,
                    AnswerFormat& format);

// What other servers' clients may say of their place among those that wait.
Status DecodePriority(const ObjectReader& body, int& priority);

// `tools` and `tool_choice` as Request::tools, with the members of schemas in the order in which
// the body's `text` has them. A choice that is neither "auto" nor "none" is refused.
inline constexpr size_t kToolsMax = 128;
Status DecodeTools(const ObjectReader& body, std::string_view text, ApiKind kind,
                   std::string& tools);
inline constexpr const char* kToolChoiceMend = "Use \"auto\" or \"none\", or leave it out.";
// What `tool_choice` says: "auto" where nothing does.
std::string ToolChoice(const ObjectReader& body);
// Of a chat's message: what the assistant called, and which call a tool answers.
Status DecodeToolCalls(const ObjectReader& message, std::vector<ToolCall>& calls);
Status DecodeToolCallId(const ObjectReader& message, std::string& id);

// Refuses the known fields that would change the answer.
Status RefuseUnsupported(const ObjectReader& body, ApiKind kind);
// Of a chat or a completion these go on to the backend, for an engine that may know them, and so do
// the members that no reader has `asked` for. `text` is the body's. Too many are refused.
Status CollectVendorFields(const ObjectReader& body, std::string_view text, ApiKind kind,
                           const std::vector<std::string_view>& asked,
                           std::vector<VendorField>& fields);

}  // namespace aio

#endif  // AIO_API_REQUEST_PARTS_H_
