#include "remote/answer_chunk.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace aio {
namespace {

// An element, or that it is not there. An object's member is there if that is an object and has it.
using Json = simdjson::simdjson_result<simdjson::dom::element>;

// What parses as no JSON is not there. It is valid until this thread's next call.
Json Parse(std::string_view text) {
  thread_local simdjson::dom::parser parser;  // whose buffers are used again for every token
  return parser.parse(text.data(), text.size());
}

std::string_view TextView(const Json& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::string Text(const Json& value) { return std::string(TextView(value)); }

bool IsNull(const Json& value) { return value.error() != simdjson::SUCCESS || value.is_null(); }

std::optional<double> MaybeNumber(const Json& value) {
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

double Number(const Json& value) { return MaybeNumber(value).value_or(0); }

// An array's; of what is no array, none.
std::vector<Json> Elements(const Json& array) {
  std::vector<Json> elements;
  simdjson::dom::array parsed;
  if (array.get(parsed) != simdjson::SUCCESS) return elements;
  for (const simdjson::dom::element element : parsed) {
    elements.emplace_back(simdjson::dom::element(element));
  }
  return elements;
}

// Clamped: the numbers of a server are anyone's.
int64_t Count(const Json& value) {
  return static_cast<int64_t>(std::clamp(Number(value), 0.0, 9e15));
}

int SmallCount(const Json& value) {
  return static_cast<int>(std::min<int64_t>(Count(value), std::numeric_limits<int>::max() / 4));
}

std::optional<FinishReason> ReasonOf(const Json& value) {
  const std::string name = Text(value);
  if (name.empty()) return std::nullopt;
  // Others ("tool_calls", "content_filter") end an answer too.
  return name == FinishReasonName(FinishReason::kLength) ? FinishReason::kLength
                                                         : FinishReason::kStop;
}

Usage UsageOf(const Json& usage) {
  return {.prompt_tokens = SmallCount(usage["prompt_tokens"]),
          .cached_prompt_tokens = SmallCount(usage["prompt_tokens_details"]["cached_tokens"]),
          .completion_tokens = SmallCount(usage["completion_tokens"])};
}

Decision DecisionOf(const Json& aio) {
  Decision decision;
  decision.model = Text(aio["model"]);
  decision.role = Text(aio["role"]);
  decision.weights = Text(aio["weights"]);
  decision.strategy = StrategyFromName(Text(aio["strategy"])).value_or(Strategy{});
  decision.reason = Text(aio["reason"]);
  decision.rule = Text(aio["rule"]);
  decision.intent = Text(aio["intent"]);
  decision.probed = !decision.intent.empty();
  decision.entropy = Number(aio["entropy"]);
  decision.prompt_tokens = SmallCount(aio["prompt_tokens"]);
  decision.probe_ms = Number(aio["probe_ms"]);
  return decision;
}

FinishEvent TotalsOf(const Json& accounting) {
  FinishEvent totals;
  const Json ms = accounting["ms"];
  totals.timings = {.queue_ms = Number(ms["queue"]),
                    .probe_ms = Number(ms["probe"]),
                    .prompt_ms = Number(ms["prefill"]),
                    .predicted_ms = Number(ms["decode"])};
  const Json bytes = accounting["bytes"];
  totals.traffic = {.weight_bytes = Count(bytes["weights"]),
                    .kv_bytes = Count(bytes["kv"]),
                    .static_large_bytes = Count(bytes["static_large"])};
  const Json tokens = accounting["tokens"];
  totals.speculation.draft_tokens = SmallCount(tokens["drafted"]);
  totals.speculation.draft_accepted_tokens = SmallCount(tokens["accepted"]);
  return totals;
}

// At most so much is kept of anything that an engine lists.
constexpr int kListedMax = 128;

// "index" is left out by engines that send each call whole.
std::vector<ToolCallPiece> ToolCallsOf(const Json& calls) {
  std::vector<ToolCallPiece> pieces;
  for (const Json& call : Elements(calls)) {
    const Json function = call["function"];
    const Json index = call["index"];
    pieces.push_back(
        {.index = MaybeNumber(index) ? SmallCount(index) : static_cast<int>(pieces.size()),
         .id = Text(call["id"]),
         .name = Text(function["name"]),
         .arguments = Text(function["arguments"])});
    if (pieces.back().index >= kListedMax) pieces.pop_back();
  }
  return pieces;
}

float LogOf(const Json& value) {
  constexpr double kLeast = -9999;  // as OpenAI's API writes "next to nothing"
  return static_cast<float>(std::clamp(MaybeNumber(value).value_or(kLeast), kLeast, 0.0));
}

// Its bytes where they are told: a token may be part of a character.
std::string TokenBytes(const Json& entry) {
  const Json bytes = entry["bytes"];
  if (!bytes.is_array()) return Text(entry["token"]);
  std::string text;
  for (const Json& byte : Elements(bytes)) text += static_cast<char>(SmallCount(byte) & 0xff);
  return text;
}

TokenLogprob ChatLogprob(const Json& entry) {
  return {.token = -1, .bytes = TokenBytes(entry), .logprob = LogOf(entry["logprob"]), .top = {}};
}

// Of a chat: {"content": [{"token", "logprob", "bytes", "top_logprobs": [...]}]}.
std::vector<TokenLogprob> ChatLogprobs(const Json& content) {
  std::vector<TokenLogprob> logprobs;
  for (const Json& entry : Elements(content)) {
    TokenLogprob& logprob = logprobs.emplace_back(ChatLogprob(entry));
    for (const Json& other : Elements(entry["top_logprobs"])) {
      if (logprob.top.size() < kListedMax) logprob.top.push_back(ChatLogprob(other));
    }
  }
  return logprobs;
}

// Of a completion: {"tokens": [...], "token_logprobs": [...], "top_logprobs": [{token: logprob}]}.
std::vector<TokenLogprob> CompletionLogprobs(const Json& logprobs) {
  std::vector<TokenLogprob> all;
  const std::vector<Json> tokens = Elements(logprobs["tokens"]);
  const std::vector<Json> values = Elements(logprobs["token_logprobs"]);
  const std::vector<Json> tops = Elements(logprobs["top_logprobs"]);
  for (size_t i = 0; i < std::min(tokens.size(), values.size()); ++i) {
    TokenLogprob& logprob = all.emplace_back(TokenLogprob{
        .token = -1, .bytes = Text(tokens[i]), .logprob = LogOf(values[i]), .top = {}});
    simdjson::dom::object top;
    if (i >= tops.size() || tops[i].get(top) != simdjson::SUCCESS) continue;
    for (const auto& [token, value] : top) {
      if (logprob.top.size() >= kListedMax) break;
      logprob.top.push_back({.token = -1,
                             .bytes = std::string(token),
                             .logprob = LogOf(simdjson::dom::element(value)),
                             .top = {}});
    }
    std::stable_sort(logprob.top.begin(), logprob.top.end(),
                     [](const auto& a, const auto& b) { return a.logprob > b.logprob; });
  }
  return all;
}

std::vector<TokenLogprob> LogprobsOf(const Json& choice) {
  const Json logprobs = choice["logprobs"];
  const Json content = logprobs["content"];
  return content.is_array() ? ChatLogprobs(content) : CompletionLogprobs(logprobs);
}

// vLLM and SGLang end what they give up themselves by a reason of its own, and no error
// (https://github.com/vllm-project/vllm/issues/57082).
bool IsGivenUp(const Json& reason) {
  const std::string_view name = TextView(reason);
  return name == "abort" || name == "error";
}

void ReadChoice(const Json& choice, AnswerChunk& chunk) {
  chunk.has_choice = true;
  const Json delta = choice["delta"];
  chunk.text = delta.is_object() ? Text(delta["content"]) : Text(choice["text"]);
  // OpenAI's models say there why they will not answer as the format asks.
  if (chunk.text.empty()) chunk.text = Text(delta["refusal"]);
  // DeepSeek's name, which SGLang, llama-server and older vLLMs took over, and the one of newer
  // vLLMs and of Ollama.
  for (const char* name : {"reasoning_content", "reasoning"}) {
    if (chunk.reasoning.empty()) chunk.reasoning = Text(delta[name]);
  }
  chunk.tool_calls = ToolCallsOf(delta["tool_calls"]);
  chunk.logprobs = LogprobsOf(choice);
  const Json reason = choice["finish_reason"];
  if (IsGivenUp(reason)) {
    chunk.error = Unavailable("the server gave the answer up before its end");
    return;
  }
  chunk.reason = ReasonOf(reason);
  // vLLM's name and SGLang's; a number is a token's.
  for (const char* name : {"stop_reason", "matched_stop"}) {
    if (chunk.stop_string.empty()) chunk.stop_string = Text(choice[name]);
  }
}

// {"error": {...}}, {"error": "..."}, and what older vLLMs send: {"object": "error", ...}.
Json ErrorOf(const Json& json) {
  const Json error = json["error"];
  return IsNull(error) && TextView(json["object"]) == "error" ? json : error;
}

std::string_view ErrorText(const Json& error) {
  return error.is_string() ? TextView(error) : TextView(error["message"]);
}

StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 429:
      return StatusCode::kResourceExhausted;
    case 501:
      return StatusCode::kUnimplemented;
    case 400:
    case 413:
    case 414:
    case 422:
    case 424:  // MindIE's, for what it cannot take
      return StatusCode::kInvalidArgument;
    case 502:
    case 503:
      return StatusCode::kUnavailable;
    case 504:
      return StatusCode::kDeadlineExceeded;
    default:
      // No client's fault: a wrong address, a proxy's wish, an account that is empty.
      return http_status >= 400 && http_status < 500 ? StatusCode::kUnavailable
                                                     : StatusCode::kInternal;
  }
}

// The HTTP status that an error in a stream would have had.
StatusCode CodeInStream(const Json& code) {
  const int status = SmallCount(code);
  if (status == 503) return StatusCode::kResourceExhausted;  // a queue is full, not a server gone
  return status >= 400 && status < 600 ? CodeOf(status) : StatusCode::kInternal;
}

// As much of an engine's text as a client or a log needs.
std::string Shown(std::string_view text) {
  constexpr size_t kBytesMax = 1000;
  return ReplaceInvalidUtf8(text.substr(0, kBytesMax));
}

}  // namespace

Result<AnswerChunk> ParseAnswerChunk(std::string_view data) {
  const Json json = Parse(data);
  if (!json.is_object()) return Internal("the server sent an event that is no JSON object");
  AnswerChunk chunk;
  const Json error = ErrorOf(json);
  if (!IsNull(error)) {
    chunk.error = Status(CodeInStream(error["code"]),
                         fmt::format("the server broke off: {}", Shown(ErrorText(error))));
    return chunk;
  }
  chunk.model = Text(json["model"]);
  // Of further choices nobody has asked for any.
  const Json choice = json["choices"].at(0);
  if (choice.error() == simdjson::SUCCESS && SmallCount(choice["index"]) == 0) {
    ReadChoice(choice, chunk);
  }
  const Json usage = json["usage"];
  if (usage.is_object()) chunk.usage = UsageOf(usage);
  const Json aio = json["aio"];
  if (!TextView(aio["role"]).empty()) chunk.decision = DecisionOf(aio);
  const Json accounting = aio["accounting"];
  if (accounting.is_object()) chunk.totals = TotalsOf(accounting);
  return chunk;
}

namespace {

// OpenAI's name for it, which not all engines give: vLLM, llama-server, SGLang and MindIE say it in
// words.
bool IsContextFull(const Json& error, std::string_view text) {
  if (Text(error["type"]) == "exceed_context_size_error") return true;
  for (const char* words : {"maximum context length", "available context size", "context length",
                            "maximum input ids length"}) {
    if (text.find(words) != std::string_view::npos) return true;
  }
  return false;
}

// What a chat template says of a conversation that it does not take, e.g. two turns of the user in
// a row; empty: it says nothing. llama-server, and what is built on it, answers that as a fault of
// its own (https://github.com/sipeed/picoclaw/issues/207, with the whole response).
std::string_view RefusalOfTemplate(std::string_view text) {
  constexpr std::string_view kBegin = "Jinja Exception: ";
  if (const size_t at = text.find(kBegin); at != std::string_view::npos) {
    return text.substr(at + kBegin.size());
  }
  for (const char* words : {"raise_exception", "roles must alternate"}) {
    if (text.find(words) != std::string_view::npos) return text;
  }
  return {};
}

}  // namespace

bool IsErrorObject(std::string_view body) {
  const Json json = Parse(body);
  return !ErrorText(ErrorOf(json)).empty();
}

Status StatusOfResponse(int http_status, std::string_view body) {
  constexpr size_t kShownBytesMax = 300;
  const Json json = Parse(body);
  const Json error = ErrorOf(json);
  std::string_view text = ErrorText(error);
  if (text.empty()) text = body.substr(0, kShownBytesMax);
  const std::string_view refusal = http_status == 500 ? RefusalOfTemplate(text) : "";
  if (!refusal.empty()) {
    return InvalidArgument(fmt::format("the model's chat template does not take this conversation: "
                                       "{}",
                                       Shown(refusal)))
        .WithParam("messages");
  }
  std::string reason = Shown(Text(error["code"]));
  if (reason.empty() && CodeOf(http_status) == StatusCode::kInvalidArgument &&
      IsContextFull(error, text)) {
    reason = "context_length_exceeded";
  }
  return Status(CodeOf(http_status), fmt::format("HTTP {}: {}", http_status, Shown(text)))
      .WithParam(Shown(Text(error["param"])))
      .WithReason(std::move(reason));
}

}  // namespace aio
