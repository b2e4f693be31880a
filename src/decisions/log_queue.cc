#include "decisions/log_queue.h"

#include <utility>

namespace aio {
namespace {

// Prompts may be megabytes each.
constexpr size_t kPromptBytesMax = size_t{64} << 20;
constexpr size_t kFeedbacksMax = 1024;

size_t PromptBytes(const DecisionRecord& record) {
  if (!record.prompt) return 0;
  if (const auto* text = std::get_if<std::string>(&*record.prompt)) return text->size();
  if (const auto* tokens = std::get_if<std::vector<int32_t>>(&*record.prompt)) {
    return tokens->size() * sizeof(int32_t);
  }
  size_t bytes = 0;
  for (const auto& message : std::get<std::vector<ChatMessage>>(*record.prompt)) {
    bytes += message.role.size() + message.content.size();
  }
  return bytes;
}

}  // namespace

uint64_t LogQueue::AddDecision(DecisionRecord record) {
  const size_t bytes = PromptBytes(record);
  std::unique_lock lock(mutex_);
  if (stopping_ || decisions_ >= decisions_max_ || prompt_bytes_ + bytes > kPromptBytesMax) {
    return 0;
  }
  ++decisions_;
  prompt_bytes_ += bytes;
  const uint64_t number = ++last_number_;
  next_.items.emplace_back(LoggedDecision{.number = number, .record = std::move(record)});
  const bool half_full = decisions_ == (decisions_max_ + 1) / 2;
  if (half_full) hurry_ = true;  // once: it is passed again only after some were settled
  const bool wake = next_.items.size() == 1 || half_full;
  lock.unlock();
  if (wake) changed_.notify_one();
  return number;
}

void LogQueue::AddEnd(LoggedEnd end) {
  std::unique_lock lock(mutex_);
  next_.items.emplace_back(std::move(end));
  const bool wake = next_.items.size() == 1;
  lock.unlock();
  if (wake) changed_.notify_one();
}

bool LogQueue::AddFeedback(LoggedFeedback feedback) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || feedbacks_ >= kFeedbacksMax) return false;
    ++feedbacks_;
    next_.items.emplace_back(std::move(feedback));
    hurry_ = true;
  }
  changed_.notify_one();
  return true;
}

void LogQueue::AddBarrier(std::function<void(const Status&)> written) {
  {
    std::lock_guard lock(mutex_);
    next_.barriers.push_back(std::move(written));
    hurry_ = true;
  }
  changed_.notify_one();
}

void LogQueue::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
}

LogQueue::Taken LogQueue::Take(Duration gather, Duration idle) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, idle, [&] { return Urgent() || !next_.items.empty(); });
  if (!next_.items.empty()) {
    changed_.wait_for(lock, gather,
                      [&] { return Urgent() || decisions_ >= (decisions_max_ + 1) / 2; });
  }
  Taken taken = std::exchange(next_, {});
  taken.stopping = stopping_;
  hurry_ = false;
  feedbacks_ = 0;
  return taken;
}

bool LogQueue::WaitToRetry(Duration time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [&] { return Urgent(); });
}

size_t LogQueue::Settle(const std::vector<LogItem>& taken) {
  size_t decisions = 0;
  size_t bytes = 0;
  for (const LogItem& item : taken) {
    const auto* decision = std::get_if<LoggedDecision>(&item);
    if (decision == nullptr) continue;
    ++decisions;
    bytes += PromptBytes(decision->record);
  }
  std::lock_guard lock(mutex_);
  decisions_ -= decisions;
  prompt_bytes_ -= bytes;
  return decisions;
}

size_t LogQueue::waiting() const {
  std::lock_guard lock(mutex_);
  return decisions_;
}

}  // namespace aio
