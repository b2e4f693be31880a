// A model's own chat template, run. Internal to tokenizer/.
#ifndef AIO_TOKENIZER_JINJA_CHAT_H_
#define AIO_TOKENIZER_JINJA_CHAT_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "jinja/jinja_template.h"
#include "tokenizer/chat_turn.h"
#include "tokenizer/tokenizer.h"

namespace aio {

class GgufFile;

// Immutable, thread-safe. `clock` must outlive it.
class JinjaChat {
 public:
  // The file's template, `jinja`, with the file's special tokens. Errors of JinjaTemplate::Parse().
  static Result<JinjaChat> Parse(const GgufFile& file, std::string_view jinja, const Clock& clock);

  // kInvalidArgument with param "messages" or one of its fields when the template raises an
  // exception or a turn has a role other than the four; with param "tools" for tools that are no
  // JSON. Message contents, tools and calls become user pieces.
  Result<std::vector<TextPiece>> Render(std::span<const ChatTurn> turns,
                                        const ChatOptions& options) const;

  // As the template writes them for a sample: whether the tools of a request are shown to the
  // model, and how the model is shown its own calls.
  bool WritesTools() const;
  ToolCallFormat CallFormat() const;

  // What the template writes for the beginning of a text: "<s>". Empty: unknown.
  const std::string& bos_piece() const { return bos_piece_; }

 private:
  JinjaChat(JinjaTemplate parsed, const Clock& clock)
      : parsed_(std::move(parsed)), clock_(&clock) {}

  JinjaTemplate parsed_;
  const Clock* clock_;
  JinjaVariables special_tokens_;
  std::string bos_piece_;
};

// How `jinja_chat` compares with what a family's renderer makes of a set of conversations.
struct ChatComparison {
  int written = 0;    // of them the template wrote, the user's text included
  int different = 0;  // of these the family writes otherwise
  std::string fault;  // why the template wrote none
};
// `renders` is asked for the same; null: there is no family.
using ChatRenderer = Result<std::vector<TextPiece>> (*)(const void* family,
                                                        std::span<const ChatTurn> turns,
                                                        bool add_generation_prompt);
ChatComparison CompareChats(const JinjaChat& jinja_chat, ChatRenderer renders, const void* family);

}  // namespace aio

#endif  // AIO_TOKENIZER_JINJA_CHAT_H_
