// Regular expressions come from clients: no text may crash or hang the compiler, and what it
// accepts can be followed, by any bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "grammar/matcher.h"
#include "grammar/text_grammar.h"

// The text, a zero byte, and what is matched.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const auto grammar = aio::CompileText(aio::GrammarSource::kRegex, input.substr(0, end));
  if (!grammar.ok() || end == std::string_view::npos) return 0;
  aio::Matcher matcher(*grammar);
  aio::MatchState state = matcher.Start();
  aio::MatchState next;
  for (const char byte : input.substr(end + 1)) {
    matcher.Advance(state, static_cast<uint8_t>(byte), next);
    if (next.empty()) break;
    if (next.size() > aio::Matcher::kThreadsMax + 1) std::abort();
    state = next;
  }
  return 0;
}
