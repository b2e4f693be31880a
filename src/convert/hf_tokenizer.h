// The tokenizer and chat template of a Hugging Face model, as GGUF keys.
#ifndef AIO_CONVERT_HF_TOKENIZER_H_
#define AIO_CONVERT_HF_TOKENIZER_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "convert/hf_config.h"
#include "formats/gguf_writer.h"

namespace aio {

// Sets `tokenizer.*` from the files in `folder`: tokenizer.json, tokenizer.model, or vocab.json
// with merges.txt, and what tokenizer_config.json and its kin say of special tokens and the
// template. `pre` overrules how text is cut into words ("": as the files say). What the
// keys then say is loaded once, so that a conversion ends with a tokenizer that works, or at
// once. Errors name the file and the key. `notes` takes what was left out.
Status AddHfTokenizer(const std::string& folder, const HfConfig& config, std::string_view pre,
                      GgufWriter& header, std::vector<std::string>& notes);

}  // namespace aio

#endif  // AIO_CONVERT_HF_TOKENIZER_H_
