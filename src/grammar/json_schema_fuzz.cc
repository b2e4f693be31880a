// Schemas come from clients: no text may crash or hang the compiler, and texts of an accepted
// schema can be followed.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "grammar/matcher.h"
#include "grammar/text_grammar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view schema(reinterpret_cast<const char*>(data), size);
  const auto grammar = aio::CompileText(aio::GrammarSource::kJsonSchema, schema);
  if (!grammar.ok()) return 0;
  aio::Matcher matcher(*grammar);
  aio::MatchState state = matcher.Start();
  aio::MatchState next;
  // The schema's own text often begins like one of its values.
  for (const char byte : schema) {
    matcher.Advance(state, static_cast<uint8_t>(byte), next);
    if (next.empty()) break;
    state = next;
  }
  return 0;
}
