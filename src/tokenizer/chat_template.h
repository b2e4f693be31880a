// Renders a conversation the way a model was trained to see it.
#ifndef AIO_TOKENIZER_CHAT_TEMPLATE_H_
#define AIO_TOKENIZER_CHAT_TEMPLATE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tokenizer/tokenizer.h"

namespace aio {

class GgufFile;
struct ChatFamily;

struct ChatTurn {
  std::string_view role;  // "system", "user", "assistant"
  std::string_view content;
};

// The template families we render ourselves, recognised from `tokenizer.chat_template`
// (a Jinja text) by their markers. Value type, immutable.
//
// A default system prompt is added only where the file's template spells one out (Qwen2.5,
// SmolLM2, DeepSeek Coder, the dates of Llama 3.1) or always writes the turn (openPangu); a
// family chosen by name adds none.
class ChatTemplate {
 public:
  // kNotFound: the file has no template; kUnimplemented: one we do not recognise. Both
  // name the families that can be forced by name.
  static Result<ChatTemplate> FromGguf(const GgufFile& file);
  // "chatml", "llama-3", ...; kNotFound with all names otherwise.
  static Result<ChatTemplate> FromName(std::string_view family);
  static std::vector<std::string_view> Families();

  std::string_view family() const;

  // kInvalidArgument with param "messages[i].role" for roles the family cannot express
  // or an order it forbids, with param "messages" for no turns at all or a system message
  // alone where the family writes it into a user's. Message contents become user pieces, all
  // else template pieces. `add_generation_prompt` ends with the opening of an assistant turn.
  // The beginning-of-sequence token is left to Tokenizer::Encode(pieces, /*add_bos=*/true).
  Result<std::vector<TextPiece>> Render(std::span<const ChatTurn> turns,
                                        bool add_generation_prompt) const;

 private:
  class Renderer;

  explicit ChatTemplate(const ChatFamily& family);
  void ReadVariant(std::string_view jinja);

  const ChatFamily* family_;                   // static
  std::optional<std::string> default_system_;  // where the conversation has no system message
  std::string system_preface_;                 // at the start of the first system message
  std::string generation_suffix_;              // after the opening of the answer
  std::string after_answer_;                   // between an answer and the next turn
  bool drops_thinking_ = false;                // earlier answers lose what stands before </think>
  bool trims_after_thinking_ = false;          // and the line breaks after it
};

}  // namespace aio

#endif  // AIO_TOKENIZER_CHAT_TEMPLATE_H_
