// Whether models that are to work together can.
#ifndef AIO_APP_CHECK_MODELS_H_
#define AIO_APP_CHECK_MODELS_H_

#include "base/status.h"
#include "engine/embedded_model.h"
#include "formats/gguf.h"

namespace aio {

// That `variant` is the model of `own` with 8-bit matrices, as far as its shape and its final
// norm, which quantising leaves alone, tell. kInvalidArgument names both files and the difference.
Status CheckIsW8A16Of(const GgufFile& own, const GgufFile& variant);

// That both have one vocabulary and make the same tokens of every text. `variant_path`: of its
// file.
Status CheckSameTokenizer(const Tokenizer& own, const Tokenizer& variant,
                          const std::string& variant_path);

// That both have one vocabulary, as the engine asks of them; the error names the first token that
// differs.
Status CheckCanDraft(const EmbeddedModel& draft, const EmbeddedModel& target);

}  // namespace aio

#endif  // AIO_APP_CHECK_MODELS_H_
