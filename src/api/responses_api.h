// OpenAI's /v1/responses: decodes what is asked, encodes the answer and its events. No sockets.
//
// Of the items of `input`, messages are taken (user, assistant, system, developer; text as a string
// or as input_text and output_text parts), calls of functions and what these gave; `instructions`
// go before them as a system message. Of `tools`, those of type function are taken. Responses are
// not kept: `store`: true, previous_response_id and conversation are refused, and so is what is
// neither text nor said here. Other fields are those of openai_request.h.
//
// An answer's output is messages and calls of functions, in their order; one without either is a
// message without text. Beside OpenAI's members a finished response carries
// `timings` and `aio`, as chat completions do; in a stream the decision stands in response.created
// too.
#ifndef AIO_API_RESPONSES_API_H_
#define AIO_API_RESPONSES_API_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/answer_encoder.h"
#include "api/openai_request.h"
#include "base/status.h"

namespace aio {

inline constexpr size_t kMetadataPairsMax = 16;  // OpenAI's, as the next, in characters
inline constexpr size_t kMetadataKeyMax = 64;
inline constexpr size_t kMetadataValueMax = 512;
// A larger `text.format` is not repeated.
inline constexpr size_t kEchoBytesMax = 256 << 10;

// What a response repeats of its request.
struct ResponsesEcho {
  std::optional<std::string> instructions;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::optional<int> max_output_tokens;
  float temperature = 1;
  float top_p = 1;
  int top_logprobs = -1;  // -1: no log-probabilities were asked for
  bool parallel_tool_calls = true;
  std::string text_format = R"({"type": "text"})";  // `text.format`, as JSON, as the next
  std::string tools = "[]";
  std::string tool_choice = "auto";
};

struct ResponsesRequest {
  ApiRequest api;
  ResponsesEcho echo;
};

Result<ResponsesRequest> DecodeResponsesRequest(std::string_view body);

// `hex_id` is what its ids end with: "resp_...", "msg_..."; `created` in Unix seconds.
std::unique_ptr<AnswerEncoder> MakeResponsesEncoder(ResponsesEcho echo, std::string hex_id,
                                                    int64_t created);

}  // namespace aio

#endif  // AIO_API_RESPONSES_API_H_
