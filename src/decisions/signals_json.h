// Everything a decision was made from as one line of JSON, and back, bit for bit: what is logged
// is what is decided from anew.
#ifndef AIO_DECISIONS_SIGNALS_JSON_H_
#define AIO_DECISIONS_SIGNALS_JSON_H_

#include <string>
#include <string_view>

#include "backend/request.h"
#include "base/status.h"
#include "router/routing_policy.h"

namespace aio {

std::string SignalsToJson(const Signals& signals);
// Also checks what Decide() takes for granted: a probability for every label. Errors name the
// field; `text` comes from a file, hence from anyone.
Result<Signals> SignalsFromJson(std::string_view text);

// {"kind": "prompt_lookup", "prompt_lookup_max": 6, ...}
std::string StrategyToJson(const Strategy& strategy);
Result<Strategy> StrategyFromJson(std::string_view text);

// As the body of a request says it: a list of {"role", "content"}, a string, or token ids.
std::string PromptToJson(const Prompt& prompt);

}  // namespace aio

#endif  // AIO_DECISIONS_SIGNALS_JSON_H_
