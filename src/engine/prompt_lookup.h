// Prompt lookup decoding (Saxena 2023): what followed the last few tokens when they stood
// somewhere before is a good guess of what follows them now.
#ifndef AIO_ENGINE_PROMPT_LOOKUP_H_
#define AIO_ENGINE_PROMPT_LOOKUP_H_

#include <cstdint>
#include <span>
#include <vector>

#include "engine/drafter.h"

namespace aio {

// Looks for the longest n-gram (ngram_max down to ngram_min tokens) at the end of the
// tokens that also ends earlier, takes its latest earlier occurrence, and copies the
// `lookahead` tokens after it. Where those run into the end of the tokens, copying goes on
// from the draft itself, so a run or a loop drafts its own continuation.
class PromptLookupDrafter final : public Drafter {
 public:
  // 1 <= ngram_min <= ngram_max, lookahead >= 1.
  PromptLookupDrafter(int ngram_max, int ngram_min, int lookahead);

  void Draft(std::span<const int32_t> tokens, int count_max, std::vector<int32_t>& draft) override;

 private:
  int ngram_max_;
  int ngram_min_;
  int lookahead_;
};

}  // namespace aio

#endif  // AIO_ENGINE_PROMPT_LOOKUP_H_
