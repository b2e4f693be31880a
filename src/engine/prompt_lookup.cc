#include "engine/prompt_lookup.h"

#include <algorithm>

#include "base/check.h"

namespace aio {

namespace {

// Length, at most `length_max`, of the common suffix of tokens[0..end) and all of tokens.
int CommonSuffix(std::span<const int32_t> tokens, size_t end, int length_max) {
  int length = 0;
  while (length < length_max && static_cast<size_t>(length) < end &&
         tokens[end - 1 - length] == tokens[tokens.size() - 1 - length]) {
    ++length;
  }
  return length;
}

}  // namespace

PromptLookupDrafter::PromptLookupDrafter(int ngram_max, int ngram_min, int lookahead)
    : ngram_max_(ngram_max), ngram_min_(ngram_min), lookahead_(lookahead) {
  AIO_CHECK(1 <= ngram_min && ngram_min <= ngram_max && lookahead >= 1);
}

void PromptLookupDrafter::Draft(std::span<const int32_t> tokens, int count_max,
                                std::vector<int32_t>& draft) {
  // One backward scan: most positions fail on their first comparison.
  size_t best_end = 0;
  int best_length = ngram_min_ - 1;
  for (size_t end = tokens.size() - 1; end > 0 && best_length < ngram_max_; --end) {
    const int length = CommonSuffix(tokens, end, ngram_max_);
    if (length <= best_length) continue;
    best_length = length;
    best_end = end;
  }
  if (best_end == 0) return;
  const int count = std::min(count_max, lookahead_);
  const size_t draft_begin = draft.size();
  for (int i = 0; i < count; ++i) {
    const size_t source = best_end + i;
    draft.push_back(source < tokens.size() ? tokens[source]
                                           : draft[draft_begin + source - tokens.size()]);
  }
}

}  // namespace aio
