#ifndef AIO_TOKENIZER_COMPARE_VOCABULARIES_H_
#define AIO_TOKENIZER_COMPARE_VOCABULARIES_H_

#include "base/status.h"
#include "tokenizer/tokenizer.h"

namespace aio {

// Ok if every token id stands for the same text in both, so that what one model guesses another
// can check. Unused tokens do not count: sizes of one family often differ in their padding. Nor
// does how text becomes tokens (merges, scores), or which of them a model's answer ends with.
//
// Otherwise kInvalidArgument with the first id that differs, both tokens, and the special tokens
// if those differ too: "token 7 is "a" (normal) in the first and "b" (control) in the second".
Status CompareVocabularies(const Tokenizer& first, const Tokenizer& second);

}  // namespace aio

#endif  // AIO_TOKENIZER_COMPARE_VOCABULARIES_H_
