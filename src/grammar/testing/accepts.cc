#include "grammar/testing/accepts.h"

#include <utility>

#include "base/check.h"
#include "grammar/matcher.h"

namespace aio {

bool Accepts(const std::shared_ptr<const Grammar>& grammar, std::string_view text) {
  Matcher matcher(grammar);
  MatchState state = matcher.Start();
  MatchState next;
  for (const char byte : text) {
    matcher.Advance(state, static_cast<uint8_t>(byte), next);
    if (next.empty()) return false;
    std::swap(state, next);
  }
  return Matcher::Accepts(state);
}

std::shared_ptr<const Grammar> MustCompile(GrammarSource source, std::string_view text) {
  Result<std::shared_ptr<const Grammar>> grammar = CompileText(source, text);
  AIO_CHECK(grammar.ok(), grammar.status().ToString().c_str());
  return *std::move(grammar);
}

}  // namespace aio
