// Finds in the text of an answer what calls a tool.
#ifndef AIO_ENGINE_TOOL_CALLS_H_
#define AIO_ENGINE_TOOL_CALLS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/request.h"
#include "engine/embedded_model.h"
#include "tokenizer/chat_turn.h"

namespace aio {

// One answer's text as it comes. What looks like a call but is none is text. Not thread-safe.
class ToolCallReader {
 public:
  struct Found {
    std::string text;  // that is no call's
    std::vector<ToolCall> calls;
  };

  // `names`: of the tools, for formats in which any JSON might be a call. The ids of calls are nine
  // letters and digits, as the strictest of chat templates wants them back, made from `id_seed`.
  ToolCallReader(ToolCallFormat format, std::vector<std::string> names, uint64_t id_seed)
      : format_(format), names_(std::move(names)), id_seed_(id_seed) {}

  // What is certain with `text` added.
  Found Add(std::string_view text);
  // The answer has ended.
  Found End();

 private:
  void ReadTagged(Found& found);
  bool AddCalls(std::string_view json, bool any_name, Found& found);
  std::string NextId();

  const ToolCallFormat format_;
  const std::vector<std::string> names_;
  uint64_t id_seed_;
  std::string held_;  // of which it is not certain what it is
  std::string gap_;   // whitespace before the last opening tag, shown if that was text after all
  bool in_call_ = false;  // held_ begins after an opening tag
  bool is_text_ = false;  // a whole answer in a bare format that does not begin like a call
};

// `sink`, with the calls in the answer's text as TokenEvent::tool_calls, if `request` has tools and
// the model's way to write calls is known.
std::shared_ptr<EventSink> ReadToolCalls(const EmbeddedModel& model, const Request& request,
                                         std::shared_ptr<EventSink> sink);

}  // namespace aio

#endif  // AIO_ENGINE_TOOL_CALLS_H_
