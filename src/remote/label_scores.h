// The scores of a probe's labels, from what an engine says of its most probable next tokens.
// Internal to remote/.
#ifndef AIO_REMOTE_LABEL_SCORES_H_
#define AIO_REMOTE_LABEL_SCORES_H_

#include <vector>

#include "backend/events.h"
#include "backend/request.h"
#include "base/status.h"

namespace aio {

// That no label's word begins another's: tokens are told by their text, and may be parts of words.
Status CheckLabelWords(const std::vector<LabelQuery::Label>& labels);

// [labels]: the natural logarithm of the probability of the tokens that begin the label's word and
// no other's, with or without a blank before.
//
// Of a label that is not among the tokens told, only a bound is known: it can be no more probable
// than the least of them, nor than what they leave of 1. It gets that bound, so that the entropy is
// the greatest that may be, and a doubtful prompt stays doubtful.
//
// kUnimplemented if the engine has told nothing.
Result<std::vector<float>> ScoresOf(const std::vector<TokenLogprob>& logprobs,
                                    const std::vector<LabelQuery::Label>& labels);

}  // namespace aio

#endif  // AIO_REMOTE_LABEL_SCORES_H_
