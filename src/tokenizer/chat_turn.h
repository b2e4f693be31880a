// A conversation as chat templates take it. Views: the texts outlive them.
#ifndef AIO_TOKENIZER_CHAT_TURN_H_
#define AIO_TOKENIZER_CHAT_TURN_H_

#include <string_view>
#include <vector>

namespace aio {

// A call of a tool by the model.
struct ChatCall {
  std::string_view id;
  std::string_view name;
  std::string_view arguments;  // JSON, an object; what is none is taken for a text
};

struct ChatTurn {
  std::string_view role;  // "system", "user", "assistant"; "tool" where the template has tools
  std::string_view content;
  std::vector<ChatCall> calls = {};  // of an assistant's turn
  std::string_view call_id = {};     // of a tool's turn: which call it answers
};

struct ChatOptions {
  bool add_generation_prompt = false;  // end with the opening of an assistant turn
  std::string_view tools = {};         // a JSON array, as OpenAI's API has it; empty: none
};

// How a model writes that it calls a tool.
enum class ToolCallFormat {
  kUnknown,
  kTagged,  // <tool_call>{"name": ..., "arguments": {...}}</tool_call>, once a call
  kBare,    // the whole answer is such an object (or with "parameters"), or an array of them
};

}  // namespace aio

#endif  // AIO_TOKENIZER_CHAT_TURN_H_
