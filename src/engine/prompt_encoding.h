// From what a request holds to the token ids a model sees.
#ifndef AIO_ENGINE_PROMPT_ENCODING_H_
#define AIO_ENGINE_PROMPT_ENCODING_H_

#include <cstdint>
#include <mutex>
#include <vector>

#include "backend/request.h"
#include "base/status.h"
#include "engine/embedded_model.h"
#include "engine/hidden_pool.h"

namespace aio {

// Thread-safe, all of them: models are immutable.

// The prompt as Generate() computes it: a conversation ends with the generation prompt,
// text begins with the model's beginning of sequence, token ids are taken as they are.
// kInvalidArgument with param "messages" or "prompt" for an empty prompt, a token id out
// of range, a conversation the template cannot express or a model without template.
// `tools`, here and below: Request::tools.
Result<std::vector<int32_t>> EncodePrompt(const EmbeddedModel& model, const Prompt& prompt,
                                          std::string_view tools = {});

// A conversation as the model's template writes it. Errors of EncodePrompt().
Result<std::vector<TextPiece>> RenderChat(const EmbeddedModel& model,
                                          const std::vector<ChatMessage>& messages,
                                          const ChatOptions& options);

// A number of tokens that EncodePrompt() cannot stay below, found without encoding: 0 unless the
// prompt is very long. Fails as EncodePrompt() does.
Result<int> FewestPromptTokens(const EmbeddedModel& model, const Prompt& prompt,
                               std::string_view tools = {});

// The prompt between the query's prefix and suffix, without generation prompt. Same errors.
//
// Of a conversation or text of more than query.window_tokens tokens (0: of any number) only the
// first and the last half of so many are kept, whatever stands there: tokens are left out of its
// middle, never cut. Prefix and suffix are whole. What the prefix puts before it (a beginning of
// sequence) is not counted, and a token that holds the end of the text and the beginning of the
// suffix, or the like at the prefix, is the text's.
Result<std::vector<int32_t>> EncodeProbe(const EmbeddedModel& model, const Prompt& prompt,
                                         const LabelQuery& query, std::string_view tools = {});

// The beginning of a prompt up to the end of what a probe head reads, and where that is.
struct HeadPrompt {
  std::vector<int32_t> tokens;
  TokenRange text;  // to the end of `tokens`
};
// Of the prompt that EncodePrompt() made `tokens` of. What is read is the last message's text;
// all of a text but its beginning of sequence; all token ids. Of more than `window_tokens` (0: of
// any number) the middle is left out, as in EncodeProbe().
Result<HeadPrompt> EncodeForHead(const EmbeddedModel& model, const Prompt& prompt,
                                 std::vector<int32_t> tokens, int window_tokens,
                                 std::string_view tools = {});

// For each label, the first token of its word where it follows the suffix. kInvalidArgument
// with param "labels" when a word is empty or merges with the suffix, or two labels begin
// with the same token; the message names labels and token.
Result<std::vector<int32_t>> EncodeLabels(const EmbeddedModel& model, const LabelQuery& query);

// EncodeLabels() for one model, with its last answer remembered: a router asks with the same
// labels every time. Thread-safe.
class LabelEncoder {
 public:
  Result<std::vector<int32_t>> Encode(const EmbeddedModel& model, const LabelQuery& query);

 private:
  std::mutex mutex_;
  // Guarded by mutex_:
  LabelQuery query_;
  std::vector<int32_t> tokens_;  // empty: none yet
};

}  // namespace aio

#endif  // AIO_ENGINE_PROMPT_ENCODING_H_
