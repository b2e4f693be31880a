// Random models small enough for tests, with a real tokenizer and chat template: real
// GGUF files in memory, deterministic in their seed.
#ifndef AIO_ENGINE_TESTING_TINY_MODEL_H_
#define AIO_ENGINE_TESTING_TINY_MODEL_H_

#include <string>

#include "engine/embedded_model.h"
#include "model/testing/test_model.h"

namespace aio {

// Byte-level BPE: ids 0 to 255 are the bytes, then a few merges, then the special tokens
// of ChatML. Any text can be encoded and any answer is text.
inline constexpr int kTinyVocabulary = 280;

// `spec.vocabulary_size` and `spec.add_metadata` are set here. `padding` tokens that stand for
// nothing follow the others.
EmbeddedModel MakeTinyModel(std::string name, std::string role, TestModelSpec spec = {},
                            int padding = 0);

}  // namespace aio

#endif  // AIO_ENGINE_TESTING_TINY_MODEL_H_
