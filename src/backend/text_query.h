// Questions about text that need a model's vocabulary or one pass of it, but no answer. Plain data.
#ifndef AIO_BACKEND_TEXT_QUERY_H_
#define AIO_BACKEND_TEXT_QUERY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "backend/request.h"
#include "base/clock.h"

namespace aio {

struct TokenizeQuery {
  std::string model;  // as Request::model
  Prompt prompt;      // a text or a conversation
  // Of a text:
  bool add_special = true;     // begin as the model's own prompts do, with its BOS if it has one
  bool parse_special = false;  // special tokens in it become their ids; else they are plain text
  // Of a conversation (which always begins as its template says):
  bool add_generation_prompt = true;
  std::string tools = {};  // as Request::tools
};

struct Tokenized {
  std::string model;  // its own name
  std::vector<int32_t> tokens;
  std::vector<std::string> pieces;  // [tokens]: the bytes of each; a special token's name
  int context_length = 0;           // of the model, in tokens; 0: unknown
};

struct EmbeddingsQuery {
  std::string model;           // as Request::model
  std::vector<Prompt> inputs;  // texts or token ids; at least one
  TimePoint deadline = kNoDeadline;
};

// An embedding is the mean, over all tokens of an input, of the model's last hidden state (after
// the output norm), divided by its Euclidean length. A text has the tokens that it has as a prompt.
struct Embeddings {
  std::string model;                        // its own name
  std::vector<std::vector<float>> vectors;  // [inputs][hidden], each of length 1
  int prompt_tokens = 0;                    // of all inputs
};

}  // namespace aio

#endif  // AIO_BACKEND_TEXT_QUERY_H_
