#include "traffic/chat_transfer.h"

#include <utility>

namespace aio {
namespace {

bool IsSuccess(long http_status) { return http_status >= 200 && http_status < 300; }

}  // namespace

bool ChatTransfer::OnBytes(long http_status, std::string_view bytes) {
  constexpr size_t kErrorBytesMax = 64 << 10;
  if (!IsSuccess(http_status)) {
    error_body_ += bytes.substr(0, kErrorBytesMax - error_body_.size());
    return true;
  }
  const bool reads = reader_.Feed(bytes, [this](std::string_view data) { OnEvent(data); });
  if (!reads) broken_ = Internal("the server sent an event without an end");
  return reads && broken_.ok();
}

void ChatTransfer::OnEvent(std::string_view data) {
  if (!broken_.ok()) return;
  if (data == "[DONE]") {
    is_done_ = true;
    return;
  }
  Result<ChatChunk> chunk = ParseChatChunk(data);
  if (!chunk.ok()) {
    broken_ = chunk.status();
  } else {
    OnChunk(*std::move(chunk));
  }
}

void ChatTransfer::OnChunk(ChatChunk chunk) {
  if (!chunk.error.ok()) {
    broken_ = chunk.error;
    return;
  }
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
  if (chunk.reason) {
    finish_.reason = *chunk.reason;
    is_done_ = true;
  }
  if (!std::exchange(has_started_, true)) sink_->OnStart(start_);
  if (chunk.text.empty()) return;
  ++text_events_;
  sink_->OnToken({.text = std::move(chunk.text), .tokens = {}, .logprobs = {}});
}

Status ChatTransfer::EndStatus(long http_status, const Status& fault) const {
  if (cancelled_) return Cancelled("was cancelled");
  if (!broken_.ok()) return broken_;
  if (http_status != 0 && !IsSuccess(http_status)) {
    return StatusOfResponse(http_status, error_body_);
  }
  if (!fault.ok()) return fault;
  if (!is_done_) return Unavailable("the server's answer broke off");
  return Status::Ok();
}

void ChatTransfer::OnEnd(long http_status, const Status& fault) {
  const Status status = EndStatus(http_status, fault);
  if (!status.ok()) return sink_->OnError(status);
  if (!has_started_) sink_->OnStart(start_);
  if (!has_usage_) finish_.usage.completion_tokens = text_events_;
  sink_->OnFinish(finish_);
}

}  // namespace aio
