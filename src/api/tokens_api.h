// /tokenize, /detokenize and /apply-template, in the shapes of llama-server's and vLLM's. No
// sockets.
//
//   /tokenize        {"content", "add_special": false, "parse_special": true,
//                     "with_pieces": false}                       as llama-server's clients ask
//                    {"prompt", "add_special_tokens": true, "return_token_strs": false}
//                    {"messages", "add_generation_prompt": true, "return_token_strs"}    as vLLM's
//                    -> {"tokens": [id, ...] or [{"id", "piece"}, ...], "count",
//                        "max_model_len", "token_strs" (if asked for), "model"}
//   /detokenize      {"tokens"} -> {"content", "prompt" (the same, by vLLM's name)}
//   /apply-template  {"messages", "add_generation_prompt": true} -> {"prompt"}
//
// All take `model`; without one, or with a name that routes, it is the small model.
#ifndef AIO_API_TOKENS_API_H_
#define AIO_API_TOKENS_API_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/text_query.h"
#include "base/status.h"

namespace aio {

struct TokenizeRequest {
  TokenizeQuery query;
  bool with_pieces = false;        // llama-server's: tokens as objects
  bool return_token_strs = false;  // vLLM's: texts beside the tokens
};
Result<TokenizeRequest> DecodeTokenizeRequest(std::string_view body);
// A piece that is not UTF-8 by itself is an array of bytes, as llama-server has it; in token_strs
// it has U+FFFD.
std::string EncodeTokenized(const TokenizeRequest& request, const Tokenized& tokenized);

struct DetokenizeRequest {
  std::string model;
  std::vector<int32_t> tokens;
};
Result<DetokenizeRequest> DecodeDetokenizeRequest(std::string_view body);
// What is not UTF-8 in `bytes` becomes U+FFFD.
std::string EncodeDetokenized(std::string_view bytes);

Result<TokenizeQuery> DecodeApplyTemplateRequest(std::string_view body);
std::string EncodeAppliedTemplate(std::string_view text);

}  // namespace aio

#endif  // AIO_API_TOKENS_API_H_
