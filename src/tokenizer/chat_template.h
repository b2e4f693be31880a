// Renders a conversation the way a model was trained to see it.
#ifndef AIO_TOKENIZER_CHAT_TEMPLATE_H_
#define AIO_TOKENIZER_CHAT_TEMPLATE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tokenizer/tokenizer.h"

namespace aio {

class GgufFile;

struct ChatTurn {
  std::string_view role;  // "system", "user", "assistant"
  std::string_view content;
};

// The template families we render ourselves, recognised from `tokenizer.chat_template`
// (a Jinja text) by their markers. Value type, immutable.
class ChatTemplate {
 public:
  // kNotFound: the file has no template; kUnimplemented: one we do not recognise. Both
  // name the families that can be forced by name.
  static Result<ChatTemplate> FromGguf(const GgufFile& file);
  static Result<ChatTemplate> FromName(std::string_view family);  // "chatml", "llama-3", ...
  static std::vector<std::string_view> Families();

  std::string_view family() const;

  // kInvalidArgument with param "messages[i].role" for roles the family cannot express
  // or an order it forbids. Message contents become user pieces, all else template
  // pieces. `add_generation_prompt` ends with the opening of an assistant turn.
  Result<std::vector<TextPiece>> Render(std::span<const ChatTurn> turns,
                                        bool add_generation_prompt) const;

 private:
  explicit ChatTemplate(int family) : family_(family) {}
  int family_;
};

}  // namespace aio

#endif  // AIO_TOKENIZER_CHAT_TEMPLATE_H_
