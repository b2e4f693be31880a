// What tells prompts apart where their text must not be kept.
#ifndef AIO_ROUTER_PROMPT_HASH_H_
#define AIO_ROUTER_PROMPT_HASH_H_

#include <string>

#include "backend/request.h"

namespace aio {

// SHA-256 of the prompt's canonical form, in hexadecimal: what kind it is, then every part with
// its length before it, so that no two prompts have one form. Equal prompts have equal hashes on
// every machine. Who can guess a prompt can check the guess: this hides no short text.
std::string PromptHash(const Prompt& prompt);

}  // namespace aio

#endif  // AIO_ROUTER_PROMPT_HASH_H_
