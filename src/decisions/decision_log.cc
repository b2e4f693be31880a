#include "decisions/decision_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include "decisions/log_queue.h"
#include "decisions/log_store.h"
#include "decisions/postgres_log_store.h"
#include "decisions/redactor.h"
#include "decisions/sqlite_log_store.h"
#include "postgres/url.h"

namespace aio {
namespace {

constexpr Duration kRetentionInterval = std::chrono::minutes(10);
constexpr Duration kDeletionRetryInterval = std::chrono::minutes(1);
constexpr int64_t kDeletedAtOnceMax = 1000;  // so that decisions are written meanwhile
constexpr int64_t kSecondsADay = 24 * 60 * 60;

int64_t Seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

// What a mistake in the configuration would be, as against a fault that may pass.
Status CheckFolder(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::absolute(path, error).parent_path();
  if (!fs::is_directory(folder, error)) {
    return NotFound(fmt::format("{}: there is no folder '{}'; make it, or name another file", path,
                                folder.string()));
  }
  if (fs::exists(path, error) && !fs::is_regular_file(path, error)) {
    return InvalidArgument(fmt::format("{}: is not a file; name another", path));
  }
  const bool writable = access(folder.c_str(), W_OK) == 0 &&
                        (!fs::exists(path, error) || access(path.c_str(), R_OK | W_OK) == 0);
  if (!writable) {
    return Status(StatusCode::kPermissionDenied,
                  fmt::format("{}: may not be written, or its folder may not: change whose they "
                              "are, or name another file",
                              path));
  }
  return Status::Ok();
}

Status CheckOptions(const DecisionLogOptions& options) {
  if (options.queue_max < 1 || options.queue_max > kDecisionLogQueueMax) {
    return InvalidArgument(fmt::format("queue_max must be from 1 to {}, is {}",
                                       kDecisionLogQueueMax, options.queue_max));
  }
  if (options.retention_days < 0) {
    return InvalidArgument("retention_days must not be negative; 0 keeps everything");
  }
  if (options.path.empty() == options.url.empty()) {
    return InvalidArgument("a decision log is kept either in a file or in a database: name one");
  }
  if (!options.path.empty()) return CheckFolder(options.path);
  Status checked = CheckPostgresUrl(options.url);
  return checked.ok() ? checked : std::move(checked).WithContext("the decision log's URL");
}

std::unique_ptr<LogStore> MakeStore(const DecisionLogOptions& options, Redactor redactor) {
  if (options.path.empty()) {
    return std::make_unique<PostgresLogStore>(options.url, std::move(redactor));
  }
  return std::make_unique<SqliteLogStore>(options.path, std::move(redactor));
}

}  // namespace

class DecisionLog::Impl {
 public:
  Impl(DecisionLogOptions options, Redactor redactor, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        store_(MakeStore(options_, std::move(redactor))),
        queue_(static_cast<size_t>(options_.queue_max)) {}

  ~Impl() {
    if (!thread_.joinable()) return;
    store_->Stop();
    queue_.Stop();
    thread_.join();
  }

  Status Start() {
    Status opened = store_->Open();
    if (!opened.ok() && !MayPass(opened)) return opened;
    if (!opened.ok()) ReportFailure(opened);
    thread_ = std::thread([this] { Run(); });
    return Status::Ok();
  }

  void AddPolicy(const RoutingPolicy& policy) {
    std::lock_guard lock(policies_mutex_);
    policies_.push_back({policy.hash(), policy.text()});
  }

  bool wants_prompts() const { return options_.text; }

  uint64_t Decided(DecisionRecord record) {
    const uint64_t number = queue_.AddDecision(std::move(record));
    if (number == 0) ++dropped_;
    return number;
  }

  void Ended(uint64_t number, const RequestOutcome& outcome) {
    if (number != 0) queue_.AddEnd({.number = number, .outcome = outcome});
  }

  void AddFeedback(Feedback feedback, std::function<void(Status)> done) {
    LoggedFeedback logged;
    logged.feedback = std::move(feedback);
    logged.unix_seconds = clock_.UnixSeconds();
    logged.done = done;
    const bool taken = queue_.AddFeedback(std::move(logged));
    if (!taken) done(Unavailable("Too much feedback waits to be written; try again."));
  }

  Status Flush() {
    std::promise<Status> written;
    queue_.AddBarrier([&](const Status& status) { written.set_value(status); });
    return written.get_future().get();
  }

  DecisionLogCounts counts() const {
    return {.rows = rows_,
            .dropped = dropped_,
            .errors = errors_,
            .waiting = static_cast<int64_t>(queue_.waiting())};
  }

 private:
  void Run() {
    bool stopping = false;
    while (!stopping) {
      const bool again = !pending_.empty();
      LogQueue::Taken taken = queue_.Take(again ? Duration::zero() : options_.commit_interval,
                                          again ? Duration::zero() : kRetentionInterval);
      stopping = taken.stopping;
      std::move(taken.items.begin(), taken.items.end(), std::back_inserter(pending_));
      const Status written = WritePending();
      if (written.ok()) DeleteOld();
      for (const auto& barrier : taken.barriers) barrier(written);
      retry_after_ = written.ok() ? Duration::zero() : NextRetry();
      if (!written.ok() && !stopping) queue_.WaitToRetry(retry_after_);
    }
    Drop();
  }

  // A file costs nothing to try; a server may have a thousand of us.
  Duration NextRetry() const {
    if (options_.url.empty()) return options_.retry_interval;
    return std::clamp(2 * retry_after_, options_.retry_interval,
                      std::max(options_.retry_interval, options_.retry_interval_max));
  }

  Status WritePending() {
    PassPoliciesOn();
    if (pending_.empty()) return Status::Ok();
    const Result<LogBatchCounts> counts = store_->Write(pending_);
    if (!counts.ok()) {
      ReportFailure(counts.status());
      AnswerFeedback(counts.status());
      if (!MayPass(counts.status())) Drop();
      return counts.status();
    }
    ReportSuccess();
    rows_ += counts->rows;
    dropped_ += counts->refused;
    errors_ += counts->refused;
    queue_.Settle(pending_);
    AnswerFeedback(Status::Ok());
    pending_.clear();
    return Status::Ok();
  }

  // Feedback is not tried again: the client is told, and may send it anew.
  void AnswerFeedback(const Status& written) {
    std::vector<LogItem> rest;
    for (LogItem& item : pending_) {
      if (auto* feedback = std::get_if<LoggedFeedback>(&item)) {
        feedback->done(
            written.ok() ? feedback->result
                         : Unavailable("The decision log cannot be written just now; try again."));
      } else if (!written.ok()) {
        rest.push_back(std::move(item));
      }
    }
    pending_ = std::move(rest);
  }

  // What waits is given up.
  void Drop() {
    dropped_ += static_cast<int64_t>(queue_.Settle(pending_));
    AnswerFeedback(Unavailable("stopping"));
    pending_.clear();
  }

  void DeleteOld() {
    if (options_.retention_days == 0) return;
    const int64_t now = clock_.UnixSeconds();
    if (now < next_deletion_) return;
    const int64_t before = now - options_.retention_days * kSecondsADay;
    const Result<int64_t> deleted = store_->DeleteBefore(before, kDeletedAtOnceMax);
    ReportDeletion(deleted.status());
    if (!deleted.ok()) {
      next_deletion_ = now + Seconds(kDeletionRetryInterval);
      return;
    }
    if (*deleted == kDeletedAtOnceMax) {
      queue_.AddBarrier([](const Status&) {});  // there may be more: come again soon
      return;
    }
    next_deletion_ = now + Seconds(kRetentionInterval);
  }

  void PassPoliciesOn() {
    std::lock_guard lock(policies_mutex_);
    for (auto& [hash, text] : policies_) store_->AddPolicy(std::move(hash), std::move(text));
    policies_.clear();
  }

  void ReportFailure(const Status& status) {
    ++errors_;
    if (std::exchange(healthy_, false) && options_.on_health) options_.on_health(status);
  }

  void ReportSuccess() {
    if (!std::exchange(healthy_, true) && options_.on_health) options_.on_health(Status::Ok());
  }

  // Apart from the others: that old rows stay hinders no new one.
  void ReportDeletion(const Status& status) {
    if (!status.ok()) ++errors_;
    if (std::exchange(deletes_, status.ok()) == status.ok()) return;
    if (options_.on_deletion_health) options_.on_deletion_health(status);
  }

  const DecisionLogOptions options_;
  const Clock& clock_;
  std::mutex policies_mutex_;
  std::vector<std::pair<std::string, std::string>> policies_;  // not yet passed to the writer

  // The thread's own, once it runs:
  const std::unique_ptr<LogStore> store_;
  std::vector<LogItem> pending_;  // taken, not written
  bool healthy_ = true;
  bool deletes_ = true;        // what is too old, or has not tried
  int64_t next_deletion_ = 0;  // Unix seconds
  Duration retry_after_{};     // the last failure; zero: it did not fail

  LogQueue queue_;
  std::atomic<int64_t> rows_{0};
  std::atomic<int64_t> dropped_{0};
  std::atomic<int64_t> errors_{0};
  std::thread thread_;
};

Result<std::unique_ptr<DecisionLog>> DecisionLog::Create(DecisionLogOptions options,
                                                         const Clock& clock) {
  AIO_RETURN_IF_ERROR(CheckOptions(options));
  Result<Redactor> redactor = Redactor::Create(options.redact);
  if (!redactor.ok()) return redactor.status().WithContext("redact");
  auto impl = std::make_unique<Impl>(std::move(options), *std::move(redactor), clock);
  AIO_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<DecisionLog>(new DecisionLog(std::move(impl)));
}

DecisionLog::DecisionLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DecisionLog::~DecisionLog() = default;

void DecisionLog::AddPolicy(const RoutingPolicy& policy) { impl_->AddPolicy(policy); }
bool DecisionLog::wants_prompts() const { return impl_->wants_prompts(); }
uint64_t DecisionLog::Decided(DecisionRecord record) { return impl_->Decided(std::move(record)); }
void DecisionLog::Ended(uint64_t number, const RequestOutcome& outcome) {
  impl_->Ended(number, outcome);
}
void DecisionLog::AddFeedback(Feedback feedback, std::function<void(Status)> done) {
  impl_->AddFeedback(std::move(feedback), std::move(done));
}
Status DecisionLog::Flush() { return impl_->Flush(); }
DecisionLogCounts DecisionLog::counts() const { return impl_->counts(); }

}  // namespace aio
