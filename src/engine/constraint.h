// Keeps one answer to its format: which tokens may come after those that came.
#ifndef AIO_ENGINE_CONSTRAINT_H_
#define AIO_ENGINE_CONSTRAINT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "grammar/token_grammar.h"
#include "grammar/token_mask.h"
#include "grammar/token_matcher.h"
#include "tokenizer/tokenizer.h"

namespace aio {

// All tokens that end an answer.
std::vector<int32_t> EndTokens(const Tokenizer& tokenizer);

// One per answer. What is allowed depends on the answer's tokens alone, so speculation cannot
// change it. Not thread-safe; may move from thread to thread between calls.
class Constraint {
 public:
  // After some tokens; a value of a Constraint, from which guesses can be tried.
  struct State {
    MatchState match;
    bool is_at_start = true;  // nothing has come that has bytes
    bool has_ended = false;   // by a token that says so
  };

  // `ends`: tokens that may end the answer where its text may end; none: the text must end of
  // itself. `drops_space`: one space at the answer's beginning is not shown (StreamDecoder), and so
  // is no part of the text.
  Constraint(std::shared_ptr<const TokenGrammar> grammar, std::vector<int32_t> ends,
             bool drops_space);

  // Of the answer so far.
  const State& state() const { return state_; }
  const TokenMask& NextMask() { return Mask(state_); }
  // False: the token is not allowed, and there is no way on.
  bool Append(int32_t token) { return Advance(state_, token); }
  // Nothing can follow.
  bool is_over() const { return IsOver(state_); }

  // Of any state; valid until the next call.
  const TokenMask& Mask(const State& state);
  bool Advance(State& state, int32_t token);
  static bool IsOver(const State& state) { return state.has_ended || Matcher::IsOver(state.match); }

 private:
  const std::shared_ptr<const TokenGrammar> grammar_;
  const std::vector<int32_t> ends_;
  const bool drops_space_;
  TokenMatcher matcher_;
  TokenMask scratch_;
  State state_;
};

}  // namespace aio

#endif  // AIO_ENGINE_CONSTRAINT_H_
