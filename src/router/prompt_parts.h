// The parts of a prompt that can be looked at by themselves. What a model makes of a whole prompt
// depends on its last lines most; a question with a program after it passes for a request about
// programs. Parts have nothing after them. Only the form is looked at, without a model.
#ifndef AIO_ROUTER_PROMPT_PARTS_H_
#define AIO_ROUTER_PROMPT_PARTS_H_

#include <string>
#include <string_view>
#include <vector>

namespace aio {

struct PromptPart {
  std::string what;  // "prose", "paragraph", "question", "comments"
  std::string text;

  friend bool operator==(const PromptPart&, const PromptPart&) = default;
};

// Of `text`, each once, those that are not the whole of it:
//   prose       all that is not program text, if there is both; marks of fences and comments and
//               quotes left out
//   paragraph   one of several runs of prose, by blank lines and program text
//   comments    of the program text, all of them together
//   question    a sentence of prose or comments that asks, or has a sum in it
// What an indented string after a program's line says (a docstring) is program text: it says what
// the program is to do. Parts of a few words are left out, for nobody could tell what they are.
std::vector<PromptPart> PromptParts(std::string_view text);

}  // namespace aio

#endif  // AIO_ROUTER_PROMPT_PARTS_H_
