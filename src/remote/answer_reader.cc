#include "remote/answer_reader.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace aio {
namespace {

constexpr size_t kCallsMax = 128;

}  // namespace

bool AnswerReader::OnBytes(std::string_view bytes) {
  constexpr size_t kErrorBytesMax = 64 << 10;
  if (!IsSuccess()) {
    error_body_ += bytes.substr(0, kErrorBytesMax - error_body_.size());
    return true;
  }
  const bool reads = reader_.Feed(bytes, [this](std::string_view data) { OnEvent(data); });
  if (!reads) broken_ = Internal("the engine sent an event without an end");
  return reads && broken_.ok();
}

void AnswerReader::OnEvent(std::string_view data) {
  if (!broken_.ok()) return;
  if (data == "[DONE]") {  // it comes after what has failed, too
    is_whole_ = is_done_;
    return;
  }
  Result<AnswerChunk> chunk = ParseAnswerChunk(data);
  if (!chunk.ok()) {
    broken_ = chunk.status();
  } else {
    OnChunk(*std::move(chunk));
  }
}

void AnswerReader::OnChunk(AnswerChunk chunk) {
  if (!chunk.error.ok()) {
    broken_ = chunk.error;
    has_error_object_ = true;
    return;
  }
  has_begun_ = has_begun_ || chunk.has_choice;
  has_calls_ = has_calls_ || !chunk.tool_calls.empty();
  if (!chunk.model.empty()) start_.model = chunk.model;
  if (chunk.decision) start_.decision = std::move(chunk.decision);
  if (chunk.usage) {
    finish_.usage = *chunk.usage;
    has_usage_ = true;
  }
  if (chunk.totals) {
    finish_.timings = chunk.totals->timings;
    finish_.traffic = chunk.totals->traffic;
    finish_.speculation = chunk.totals->speculation;
  }
  AddToCalls(std::move(chunk.tool_calls));
  constexpr size_t kAnswerBytesMax = 32 << 20;
  answer_bytes_ += chunk.text.size() + chunk.reasoning.size();
  for (const TokenLogprob& logprob : chunk.logprobs) {
    answer_bytes_ += (1 + logprob.top.size()) * sizeof(TokenLogprob);
  }
  if (answer_bytes_ > kAnswerBytesMax) {
    broken_ = Internal("the engine sent an answer without an end");
    return;
  }
  if (!chunk.text.empty() || !chunk.reasoning.empty() || !chunk.logprobs.empty()) {
    TellStart();
    ++text_events_;
    sink_.OnToken({.text = std::move(chunk.text),
                   .tokens = {-1},
                   .logprobs = std::move(chunk.logprobs),
                   .reasoning = std::move(chunk.reasoning)});
  }
  if (chunk.reason) {
    finish_.reason = *chunk.reason;
    finish_.stop_string = std::move(chunk.stop_string);
    is_done_ = true;
    TellCalls();
  }
}

// By its index; another id is another call, for some engines say 0 of all
// (https://github.com/ollama/ollama/issues/15457).
ToolCall& AnswerReader::CallOf(const ToolCallPiece& piece) {
  const auto index = static_cast<size_t>(piece.index);
  constexpr size_t kNone = SIZE_MAX;
  if (index >= call_slots_.size()) call_slots_.resize(index + 1, kNone);
  size_t& slot = call_slots_[index];
  const bool is_other =
      slot != kNone && !piece.id.empty() && !calls_[slot].id.empty() && piece.id != calls_[slot].id;
  if (slot == kNone || (is_other && calls_.size() < kCallsMax)) {
    slot = calls_.size();
    calls_.emplace_back();
  }
  return calls_[slot];
}

void AnswerReader::AddToCalls(std::vector<ToolCallPiece> pieces) {
  constexpr size_t kCallBytesMax = 4 << 20;
  for (ToolCallPiece& piece : pieces) {
    ToolCall& call = CallOf(piece);
    if (!piece.id.empty()) call.id = std::move(piece.id);
    if (!piece.name.empty()) call.name = std::move(piece.name);
    call_bytes_ += piece.arguments.size();
    call.arguments += piece.arguments;
    if (call_bytes_ > kCallBytesMax) broken_ = Internal("the engine sent a call without an end");
  }
}

void AnswerReader::TellStart() {
  if (!std::exchange(has_started_, true)) sink_.OnStart(start_);
}

void AnswerReader::TellCalls() {
  call_slots_.clear();
  std::erase_if(calls_, [](const ToolCall& call) { return call.name.empty(); });
  if (calls_.empty()) return;
  TellStart();
  sink_.OnToken(
      {.text = {}, .tokens = {}, .logprobs = {}, .tool_calls = std::exchange(calls_, {})});
}

Status AnswerReader::EndStatus(const Status& fault) {
  if (!broken_.ok()) return broken_;
  if (http_status_ != 0 && !IsSuccess()) {
    has_error_object_ = IsErrorObject(error_body_);
    return StatusOfResponse(http_status_, error_body_);
  }
  if (is_done_) return Status::Ok();  // whatever became of the connection afterwards
  if (!fault.ok()) return fault;
  return Unavailable("the engine's answer broke off");
}

void AnswerReader::OnEnd(const Status& fault) {
  const Status status = EndStatus(fault);
  if (!status.ok()) return sink_.OnError(status);
  TellStart();
  TellCalls();
  if (!has_usage_) finish_.usage.completion_tokens = text_events_;
  sink_.OnFinish(finish_);
}

}  // namespace aio
