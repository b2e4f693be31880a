#include "backend/tool_call_json.h"

namespace aio {

void WriteToolCall(const ToolCall& call, std::optional<int> index, JsonWriter& json) {
  json.BeginObject();
  if (index) json.Member("index", *index);
  json.Member("id", call.id);
  json.Member("type", "function");
  json.Key("function");
  json.BeginObject();
  json.Member("name", call.name);
  json.Member("arguments", call.arguments);
  json.EndObject();
  json.EndObject();
}

}  // namespace aio
