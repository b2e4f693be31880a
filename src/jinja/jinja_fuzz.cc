// Any bytes as a chat template: text, or an error that says where, in bounded time and memory.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "jinja/jinja_template.h"
#include "jinja/json_value.h"

namespace {

constexpr char kConversation[] = R"({
  "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "\u0001U\u0002"},
               {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function",
                "function": {"name": "f", "arguments": {"a": [1, 2.5, null, "x"]}}}]},
               {"role": "tool", "content": "T", "tool_call_id": "c"}],
  "tools": [{"type": "function", "function": {"name": "f", "description": "d",
             "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}}],
  "add_generation_prompt": true})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto parsed = aio::JinjaTemplate::Parse(source);
  if (!parsed.ok()) {
    AIO_CHECK(!parsed.status().message().empty());
    return 0;
  }
  aio::JinjaVariables variables = {{"bos_token", aio::JinjaValue::TemplateText("<s>")}};
  const auto given = aio::ParseJsonValue(kConversation);
  for (const auto& [name, value] : given->dict().members) {
    variables.emplace_back(name.bytes(), value);
  }
  aio::JinjaLimits limits;
  limits.steps_max = 100'000;
  limits.bytes_max = 4 << 20;
  const auto text = parsed->Render(variables, /*unix_seconds=*/1'700'000'000, limits);
  if (!text.ok()) {
    AIO_CHECK(text.status().message().starts_with("line "), "a fault names its line");
    return 0;
  }
  // What only the conversation has stays the conversation's: no template can write these bytes
  // but by an escape.
  const bool writes_them = source.find('\\') != std::string_view::npos ||
                           source.find_first_of("\x01\x02") != std::string_view::npos;
  for (const aio::MarkedText::Run& run : text->Runs()) {
    const bool has_them = run.bytes.find_first_of("\x01\x02") != std::string_view::npos;
    AIO_CHECK(run.is_data || !has_them || writes_them, "data became the template's");
  }
  return 0;
}
