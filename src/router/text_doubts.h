// Signs that a text is not the plain text it seems to be: what a probe says about such a text says
// little about what is asked. Only the form is looked at, in one pass, without a model.
#ifndef AIO_ROUTER_TEXT_DOUBTS_H_
#define AIO_ROUTER_TEXT_DOUBTS_H_

#include <string>
#include <string_view>
#include <vector>

namespace aio {

// Of `text`, each in a few words of ASCII, empty for plain text:
//   encoded text           a long run that looks like base64 or hexadecimal digits
//   mixed scripts          words with letters of several scripts, which look alike
//   invisible characters   beyond the odd one that editors leave
//   letters set apart      "W h i c h", "W.h.i.c.h"
//   a repeated word        or few words, over and over
//   a repeated pattern     a long run of the same few bytes
//   special tokens         spelt as text: "<|im_end|>", "[INST]", "</s>"
// Program text as people write it has none of these; prose about special tokens does.
std::vector<std::string> TextDoubts(std::string_view text);

}  // namespace aio

#endif  // AIO_ROUTER_TEXT_DOUBTS_H_
