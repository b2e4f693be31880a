// A call of a tool as OpenAI's API writes it.
#ifndef AIO_BACKEND_TOOL_CALL_JSON_H_
#define AIO_BACKEND_TOOL_CALL_JSON_H_

#include <optional>

#include "backend/request.h"
#include "base/json_writer.h"

namespace aio {

// `index` counts the calls of an answer; a stream's clients tell them apart by it.
void WriteToolCall(const ToolCall& call, std::optional<int> index, JsonWriter& json);

}  // namespace aio

#endif  // AIO_BACKEND_TOOL_CALL_JSON_H_
