// Matches a text that grows token by token, and says which tokens may come next.
#ifndef AIO_GRAMMAR_TOKEN_MATCHER_H_
#define AIO_GRAMMAR_TOKEN_MATCHER_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "grammar/matcher.h"
#include "grammar/token_grammar.h"
#include "grammar/token_mask.h"
#include "grammar/trie_walk.h"

namespace aio {

// One per text; not thread-safe, but for the TokenGrammar, which many may share.
class TokenMatcher {
 public:
  // `ends`: tokens that say that a text has ended; allowed where it may end. They are none of the
  // trie's.
  TokenMatcher(std::shared_ptr<const TokenGrammar> grammar, std::vector<int32_t> ends);

  MatchState Start() { return matcher_.Start(); }
  // Tokens by which the text can go on and still become a whole one; Advance() takes each of them.
  // Tokens of several bytes may be missing where the grammar is very ambiguous (NodeTokens): then
  // those that are there depend on the state alone. Valid until the next call.
  const TokenMask& Mask(const MatchState& state);
  // The same, where one space that the text begins with is not shown and so is no part of it.
  TokenMask MaskWithoutFirstSpace(const MatchState& state);

  // `state` becomes what follows the bytes; false, and `state` is empty: they do not.
  bool Advance(MatchState& state, std::string_view bytes);
  bool Advance(MatchState& state, int32_t token) {
    return Advance(state, grammar_->trie().bytes(token));
  }

 private:
  // Masks of the last states: a text mostly goes round in a few.
  static constexpr size_t kMasksKept = 32;
  struct Known {
    MatchState state;
    TokenMask mask;
    uint64_t last_use = 0;
  };

  bool AdvanceTogether(MatchState& state, std::string_view bytes);
  void AdvanceApart(const MatchThread& thread, std::string_view bytes, int64_t effort_end,
                    MatchState& result);
  void Compute(const MatchState& state, TokenMask& mask);
  void AddThread(const MatchThread& thread, TokenMask& mask);
  void AddExits(const MatchThread& thread, const NodeTokens& tokens, TokenMask& mask);

  const std::shared_ptr<const TokenGrammar> grammar_;
  const std::vector<int32_t> ends_;
  Matcher matcher_;
  TrieWalk walk_;
  std::vector<Known> known_;
  uint64_t uses_ = 0;
  int64_t effort_end_ = 0;  // of the matcher, for the mask that is computed
  MatchState next_;         // kept for its memory, as the next
  MatchState after_;
};

}  // namespace aio

#endif  // AIO_GRAMMAR_TOKEN_MATCHER_H_
