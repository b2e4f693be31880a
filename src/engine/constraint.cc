#include "engine/constraint.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace aio {

std::vector<int32_t> EndTokens(const Tokenizer& tokenizer) {
  std::vector<int32_t> ends;
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    if (tokenizer.IsEndOfGeneration(id)) ends.push_back(id);
  }
  return ends;
}

Constraint::Constraint(std::shared_ptr<const TokenGrammar> grammar, std::vector<int32_t> ends,
                       bool drops_space)
    : grammar_(std::move(grammar)),
      ends_(std::move(ends)),
      drops_space_(drops_space),
      matcher_(grammar_, ends_) {
  state_.match = matcher_.Start();
}

const TokenMask& Constraint::Mask(const State& state) {
  if (state.has_ended) return scratch_ = TokenMask(grammar_->trie().vocabulary_size());
  if (!drops_space_ || !state.is_at_start) return matcher_.Mask(state.match);
  scratch_ = matcher_.MaskWithoutFirstSpace(state.match);
  return scratch_;
}

bool Constraint::Advance(State& state, int32_t token) {
  if (state.has_ended) return false;
  if (std::find(ends_.begin(), ends_.end(), token) != ends_.end()) {
    state.has_ended = true;
    return Matcher::Accepts(state.match);
  }
  if (token < 0 || token >= grammar_->trie().vocabulary_size()) return false;
  std::string_view bytes = grammar_->trie().bytes(token);
  if (bytes.empty()) return false;
  if (drops_space_ && state.is_at_start && bytes.front() == ' ') bytes.remove_prefix(1);
  state.is_at_start = false;
  return matcher_.Advance(state.match, bytes);
}

}  // namespace aio
