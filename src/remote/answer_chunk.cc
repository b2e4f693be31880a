#include "remote/answer_chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/utf8.h"

namespace aio {
namespace {

using Json = nlohmann::json;

// An object's member, or null; of what is no object, null.
const Json& Member(const Json& object, const char* key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto it = object.find(key);
  return it == object.end() ? null : *it;
}

std::string Text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

double Number(const Json& value) { return value.is_number() ? value.get<double>() : 0; }

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
  return {.prompt_tokens = SmallCount(Member(usage, "prompt_tokens")),
          .cached_prompt_tokens =
              SmallCount(Member(Member(usage, "prompt_tokens_details"), "cached_tokens")),
          .completion_tokens = SmallCount(Member(usage, "completion_tokens"))};
}

Decision DecisionOf(const Json& aio) {
  Decision decision;
  decision.model = Text(Member(aio, "model"));
  decision.role = Text(Member(aio, "role"));
  decision.weights = Text(Member(aio, "weights"));
  decision.strategy = StrategyFromName(Text(Member(aio, "strategy"))).value_or(Strategy{});
  decision.reason = Text(Member(aio, "reason"));
  decision.rule = Text(Member(aio, "rule"));
  decision.intent = Text(Member(aio, "intent"));
  decision.probed = !decision.intent.empty();
  decision.entropy = Number(Member(aio, "entropy"));
  decision.prompt_tokens = SmallCount(Member(aio, "prompt_tokens"));
  decision.probe_ms = Number(Member(aio, "probe_ms"));
  return decision;
}

FinishEvent TotalsOf(const Json& accounting) {
  FinishEvent totals;
  const Json& ms = Member(accounting, "ms");
  totals.timings = {.queue_ms = Number(Member(ms, "queue")),
                    .probe_ms = Number(Member(ms, "probe")),
                    .prompt_ms = Number(Member(ms, "prefill")),
                    .predicted_ms = Number(Member(ms, "decode"))};
  const Json& bytes = Member(accounting, "bytes");
  totals.traffic = {.weight_bytes = Count(Member(bytes, "weights")),
                    .kv_bytes = Count(Member(bytes, "kv")),
                    .static_large_bytes = Count(Member(bytes, "static_large"))};
  const Json& tokens = Member(accounting, "tokens");
  totals.speculation.draft_tokens = SmallCount(Member(tokens, "drafted"));
  totals.speculation.draft_accepted_tokens = SmallCount(Member(tokens, "accepted"));
  return totals;
}

// At most so much is kept of anything that an engine lists.
constexpr int kListedMax = 128;

// "index" is left out by engines that send each call whole.
std::vector<ToolCallPiece> ToolCallsOf(const Json& calls) {
  std::vector<ToolCallPiece> pieces;
  if (!calls.is_array()) return pieces;
  for (const Json& call : calls) {
    const Json& function = Member(call, "function");
    const Json& index = Member(call, "index");
    pieces.push_back(
        {.index = index.is_number() ? SmallCount(index) : static_cast<int>(pieces.size()),
         .id = Text(Member(call, "id")),
         .name = Text(Member(function, "name")),
         .arguments = Text(Member(function, "arguments"))});
    if (pieces.back().index >= kListedMax) pieces.pop_back();
  }
  return pieces;
}

float LogOf(const Json& value) {
  constexpr double kLeast = -9999;  // as OpenAI's API writes "next to nothing"
  return value.is_number() ? static_cast<float>(std::clamp(value.get<double>(), kLeast, 0.0))
                           : static_cast<float>(kLeast);
}

// Its bytes where they are told: a token may be part of a character.
std::string TokenBytes(const Json& entry) {
  const Json& bytes = Member(entry, "bytes");
  if (!bytes.is_array()) return Text(Member(entry, "token"));
  std::string text;
  for (const Json& byte : bytes) text += static_cast<char>(SmallCount(byte) & 0xff);
  return text;
}

TokenLogprob ChatLogprob(const Json& entry) {
  return {.token = -1,
          .bytes = TokenBytes(entry),
          .logprob = LogOf(Member(entry, "logprob")),
          .top = {}};
}

// Of a chat: {"content": [{"token", "logprob", "bytes", "top_logprobs": [...]}]}.
std::vector<TokenLogprob> ChatLogprobs(const Json& content) {
  std::vector<TokenLogprob> logprobs;
  for (const Json& entry : content) {
    TokenLogprob& logprob = logprobs.emplace_back(ChatLogprob(entry));
    const Json& top = Member(entry, "top_logprobs");
    if (!top.is_array()) continue;
    for (const Json& other : top) {
      if (logprob.top.size() < kListedMax) logprob.top.push_back(ChatLogprob(other));
    }
  }
  return logprobs;
}

// Of a completion: {"tokens": [...], "token_logprobs": [...], "top_logprobs": [{token: logprob}]}.
std::vector<TokenLogprob> CompletionLogprobs(const Json& logprobs) {
  std::vector<TokenLogprob> all;
  const Json& tokens = Member(logprobs, "tokens");
  const Json& values = Member(logprobs, "token_logprobs");
  const Json& tops = Member(logprobs, "top_logprobs");
  if (!tokens.is_array() || !values.is_array()) return all;
  for (size_t i = 0; i < std::min(tokens.size(), values.size()); ++i) {
    TokenLogprob& logprob = all.emplace_back(TokenLogprob{
        .token = -1, .bytes = Text(tokens[i]), .logprob = LogOf(values[i]), .top = {}});
    if (!tops.is_array() || i >= tops.size() || !tops[i].is_object()) continue;
    for (const auto& [token, value] : tops[i].items()) {
      if (logprob.top.size() >= kListedMax) break;
      logprob.top.push_back({.token = -1, .bytes = token, .logprob = LogOf(value), .top = {}});
    }
    std::stable_sort(logprob.top.begin(), logprob.top.end(),
                     [](const auto& a, const auto& b) { return a.logprob > b.logprob; });
  }
  return all;
}

std::vector<TokenLogprob> LogprobsOf(const Json& choice) {
  const Json& logprobs = Member(choice, "logprobs");
  const Json& content = Member(logprobs, "content");
  return content.is_array() ? ChatLogprobs(content) : CompletionLogprobs(logprobs);
}

// vLLM and SGLang end what they give up themselves by a reason of its own, and no error
// (https://github.com/vllm-project/vllm/issues/57082).
bool IsGivenUp(const Json& reason) {
  const std::string name = Text(reason);
  return name == "abort" || name == "error";
}

void ReadChoice(const Json& choice, AnswerChunk& chunk) {
  chunk.has_choice = true;
  const Json& delta = Member(choice, "delta");
  chunk.text = delta.is_object() ? Text(Member(delta, "content")) : Text(Member(choice, "text"));
  // DeepSeek's name, which SGLang, llama-server and older vLLMs took over, and the one of newer
  // vLLMs and of Ollama.
  for (const char* name : {"reasoning_content", "reasoning"}) {
    if (chunk.reasoning.empty()) chunk.reasoning = Text(Member(delta, name));
  }
  chunk.tool_calls = ToolCallsOf(Member(delta, "tool_calls"));
  chunk.logprobs = LogprobsOf(choice);
  const Json& reason = Member(choice, "finish_reason");
  if (IsGivenUp(reason)) {
    chunk.error = Unavailable("the server gave the answer up before its end");
    return;
  }
  chunk.reason = ReasonOf(reason);
  // vLLM's name and SGLang's; a number is a token's.
  for (const char* name : {"stop_reason", "matched_stop"}) {
    if (chunk.stop_string.empty()) chunk.stop_string = Text(Member(choice, name));
  }
}

// {"error": {...}}, {"error": "..."}, and what older vLLMs send: {"object": "error", ...}.
const Json& ErrorOf(const Json& json) {
  const Json& error = Member(json, "error");
  return error.is_null() && Text(Member(json, "object")) == "error" ? json : error;
}

std::string_view ErrorText(const Json& error) {
  if (error.is_string()) return error.get_ref<const std::string&>();
  const Json& message = Member(error, "message");
  return message.is_string() ? std::string_view(message.get_ref<const std::string&>())
                             : std::string_view();
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
  const int status = code.is_number() ? SmallCount(code) : 0;
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
  const Json json = Json::parse(data, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Internal("the server sent an event that is no JSON object");
  AnswerChunk chunk;
  const Json& error = ErrorOf(json);
  if (!error.is_null()) {
    chunk.error = Status(CodeInStream(Member(error, "code")),
                         fmt::format("the server broke off: {}", Shown(ErrorText(error))));
    return chunk;
  }
  chunk.model = Text(Member(json, "model"));
  const Json& choices = Member(json, "choices");
  // Of further choices nobody has asked for any.
  if (choices.is_array() && !choices.empty() && SmallCount(Member(choices[0], "index")) == 0) {
    ReadChoice(choices[0], chunk);
  }
  const Json& usage = Member(json, "usage");
  if (usage.is_object()) chunk.usage = UsageOf(usage);
  const Json& aio = Member(json, "aio");
  if (!Text(Member(aio, "role")).empty()) chunk.decision = DecisionOf(aio);
  const Json& accounting = Member(aio, "accounting");
  if (accounting.is_object()) chunk.totals = TotalsOf(accounting);
  return chunk;
}

namespace {

// OpenAI's name for it, which not all engines give: vLLM, llama-server, SGLang and MindIE say it in
// words.
bool IsContextFull(const Json& error, std::string_view text) {
  if (Text(Member(error, "type")) == "exceed_context_size_error") return true;
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
  const Json json = Json::parse(body, /*callback=*/nullptr, /*allow_exceptions=*/false);
  return !ErrorText(ErrorOf(json)).empty();
}

Status StatusOfResponse(int http_status, std::string_view body) {
  constexpr size_t kShownBytesMax = 300;
  const Json json = Json::parse(body, /*callback=*/nullptr, /*allow_exceptions=*/false);
  const Json& error = ErrorOf(json);
  std::string_view text = ErrorText(error);
  if (text.empty()) text = body.substr(0, kShownBytesMax);
  const std::string_view refusal = http_status == 500 ? RefusalOfTemplate(text) : "";
  if (!refusal.empty()) {
    return InvalidArgument(fmt::format("the model's chat template does not take this conversation: "
                                       "{}",
                                       Shown(refusal)))
        .WithParam("messages");
  }
  std::string reason = Shown(Text(Member(error, "code")));
  if (reason.empty() && CodeOf(http_status) == StatusCode::kInvalidArgument &&
      IsContextFull(error, text)) {
    reason = "context_length_exceeded";
  }
  return Status(CodeOf(http_status), fmt::format("HTTP {}: {}", http_status, Shown(text)))
      .WithParam(Shown(Text(Member(error, "param"))))
      .WithReason(std::move(reason));
}

}  // namespace aio
