// Models as Hugging Face publishes them: a folder with config.json, safetensors files and a
// tokenizer.
#ifndef AIO_CONVERT_HUGGING_FACE_H_
#define AIO_CONVERT_HUGGING_FACE_H_

#include <string>
#include <string_view>

#include "base/status.h"
#include "convert/model_source.h"

namespace aio {

// Everything is checked before any weight is read. `pre` names the pre-tokenizer ("": as the
// tokenizer's files say). Errors name the file and the key or tensor.
Result<ModelSource> OpenHuggingFaceSource(const std::string& folder, std::string_view pre);

}  // namespace aio

#endif  // AIO_CONVERT_HUGGING_FACE_H_
