// Encodes a backend's events as the OpenAI API's answers. No sockets.
//
// Beside OpenAI's own members an answer carries `timings`, as llama-server writes them, and `aio`:
// the routing decision (when a router took part) and, once it is finished,
//   "accounting": {
//     "tokens": {"prompt", "cached" (of the prompt: its KV was there), "generated",
//                "drafted" (guesses that were checked), "accepted" (of these, kept)},
//     "accepted_per_step": [steps that kept no guess, one, two, ...], of those that checked any,
//     "bytes": {"weights", "kv", "total" (both), "static_large" (what a static large model,
//               decoding plainly, would have read), "saved_fraction" (1 - total / static_large)},
//     "ms": {"queue", "probe", "prefill", "decode"}}
// Numbers only: `bytes` is left out where the backend counts none, its last two members where there
// is no large model to compare with. In a stream `timings` and `aio` stand in the last chunk that
// is not [DONE], and the decision in the first as well, since clients of streams often cannot read
// headers.
#ifndef AIO_API_OPENAI_RESPONSE_H_
#define AIO_API_OPENAI_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/answer_encoder.h"
#include "api/openai_request.h"
#include "backend/backend.h"
#include "backend/events.h"

namespace aio {

class JsonWriter;

// What all the pieces of one answer share.
struct AnswerInfo {
  ApiKind kind = ApiKind::kChat;
  std::string id;       // "chatcmpl-..." or "cmpl-..."
  int64_t created = 0;  // Unix seconds
  StartEvent start;
  bool include_usage = false;  // streams: the last chunk is one of usage alone
};

// The body of an answer that is not streamed. `with_logprobs`: they were asked for. `total` is of
// all choices together.
std::string EncodeAnswer(const AnswerInfo& info, const std::vector<WholeAnswer>& choices,
                         bool with_logprobs, const FinishEvent& total);

// The chunks of a streamed answer, in order: of each choice First(), Delta() for each event, End();
// Last() instead of the End() of the choice that ends last.
class StreamEncoder {
 public:
  explicit StreamEncoder(AnswerInfo info, int choices = 1);

  std::string First(int choice = 0) const;
  // Empty if the event has nothing to show.
  std::string Delta(const TokenEvent& event, int choice = 0);
  std::string End(FinishReason reason, int choice = 0) const;
  // The chunk with finish_reason and, if asked for, the one with the usage.
  std::vector<std::string> Last(const FinishEvent& total, int choice = 0) const;

 private:
  void WriteDelta(const TokenEvent& event, int choice, JsonWriter& json);

  AnswerInfo info_;
  // [choices]: characters so far, for the log-probabilities of completions
  std::vector<size_t> text_offsets_;
  std::vector<int> calls_;  // [choices]: of tools, so far
};

// The two as one; of `info`, `start` is what the encoder is given later.
std::unique_ptr<AnswerEncoder> MakeOpenaiEncoder(AnswerInfo info, bool with_logprobs, int choices);

// The members of `aio` beside "object": "decision": the answer of /v1/decision.
std::string EncodeDecision(const Decision& decision);

// /v1/models, and one element of it.
std::string EncodeModels(const std::vector<ModelInfo>& models, int64_t created);
std::string EncodeModel(const ModelInfo& model, int64_t created);

// "data: <json>\n\n"
std::string SseEvent(std::string_view json);
inline constexpr std::string_view kSseDone = "data: [DONE]\n\n";
inline constexpr std::string_view kSsePing = ": ping\n\n";  // a comment, which clients skip

}  // namespace aio

#endif  // AIO_API_OPENAI_RESPONSE_H_
