// Renders a conversation the way a model was trained to see it.
#ifndef AIO_TOKENIZER_CHAT_TEMPLATE_H_
#define AIO_TOKENIZER_CHAT_TEMPLATE_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tokenizer/chat_turn.h"
#include "tokenizer/tokenizer.h"

namespace aio {

class Clock;
class GgufFile;
class JinjaChat;
struct ChatFamily;

// What a model's `tokenizer.chat_template` (a Jinja text) makes of a conversation. Value type,
// immutable.
//
// A template that writes what one of the families that we render ourselves writes, on a set of
// conversations, is rendered by that family; any other is run (jinja/). One that cannot be run but
// is recognised by its markers is taken for its family. Tools are the template's own business, and
// always run.
//
// A default system prompt is added only where the file's template spells one out (Qwen2.5,
// SmolLM2, DeepSeek Coder, the dates of Llama 3.1) or always writes the turn (openPangu); a
// family chosen by name adds none.
class ChatTemplate {
 public:
  // kNotFound: the file has no template; kUnimplemented: one that we neither recognise nor can
  // run, and why. Both name the families that can be forced by name. `clock`, for templates that
  // state the date, must outlive the result; null: the machine's.
  static Result<ChatTemplate> FromGguf(const GgufFile& file, const Clock* clock = nullptr);
  // "chatml", "llama-3", ...; kNotFound with all names otherwise.
  static Result<ChatTemplate> FromName(std::string_view family);
  static std::vector<std::string_view> Families();

  std::string_view family() const;  // "jinja" of a template that is run
  // Whether it shows a model the tools of a request.
  bool has_tools() const { return has_tools_; }
  ToolCallFormat call_format() const { return call_format_; }

  // kInvalidArgument with param "messages[i].role" for roles the family cannot express
  // or an order it forbids, with param "messages" for no turns at all or a system message
  // alone where the family writes it into a user's. Message contents become user pieces, all
  // else template pieces. The beginning-of-sequence token is left to
  // Tokenizer::Encode(pieces, /*add_bos=*/true).
  // A template that is run may refuse a conversation: kInvalidArgument with param "messages" and
  // its own words. With param "tools", "messages[i].tool_calls" or "messages[i].role" for tools,
  // calls and tools' answers where the template has no tools.
  Result<std::vector<TextPiece>> Render(std::span<const ChatTurn> turns,
                                        const ChatOptions& options) const;
  Result<std::vector<TextPiece>> Render(std::span<const ChatTurn> turns,
                                        bool add_generation_prompt) const {
    return Render(turns, ChatOptions{.add_generation_prompt = add_generation_prompt, .tools = {}});
  }

 private:
  class Renderer;

  explicit ChatTemplate(const ChatFamily& family);
  explicit ChatTemplate(std::shared_ptr<const JinjaChat> jinja) : jinja_(std::move(jinja)) {}
  void ReadVariant(std::string_view jinja);
  Status CheckTools(std::span<const ChatTurn> turns, const ChatOptions& options) const;
  Result<std::vector<TextPiece>> RenderFamily(std::span<const ChatTurn> turns,
                                              bool add_generation_prompt) const;

  const ChatFamily* family_ = nullptr;      // static; null: jinja_ is run
  std::shared_ptr<const JinjaChat> jinja_;  // null: it cannot be run, or there is none
  bool has_tools_ = false;
  ToolCallFormat call_format_ = ToolCallFormat::kUnknown;
  std::optional<std::string> default_system_;  // where the conversation has no system message
  std::string system_preface_;                 // at the start of the first system message
  std::string generation_suffix_;              // after the opening of the answer
  std::string after_answer_;                   // between an answer and the next turn
  bool drops_thinking_ = false;                // earlier answers lose what stands before </think>
  bool trims_after_thinking_ = false;          // and the line breaks after it
};

}  // namespace aio

#endif  // AIO_TOKENIZER_CHAT_TEMPLATE_H_
