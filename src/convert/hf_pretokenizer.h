// How a tokenizer.json cuts text into words, as the name that GGUF files use for it.
#ifndef AIO_CONVERT_HF_PRETOKENIZER_H_
#define AIO_CONVERT_HF_PRETOKENIZER_H_

#include <string>

#include "base/status.h"
#include "convert/json_file.h"

namespace aio {

// The value for `tokenizer.ggml.pre`. `json` is the whole file, of byte-level BPE.
// kUnimplemented with what was found and what to do where no family of
// tokenizer/pretokenizer_families.h has those patterns.
Result<std::string> FindPretokenizerName(const JsonObject& json, bool ignore_merges);

}  // namespace aio

#endif  // AIO_CONVERT_HF_PRETOKENIZER_H_
