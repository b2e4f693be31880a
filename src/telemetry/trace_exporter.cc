#include "telemetry/trace_exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "telemetry/otlp_json.h"
#include "telemetry/request_spans.h"

namespace aio {
namespace {

using Batch = std::vector<std::unique_ptr<const RequestRecord>>;

bool IsTaken(const OtlpReply& reply) {
  return reply.fault.ok() && reply.http_status >= 200 && reply.http_status < 300;
}

Status FaultOf(const OtlpReply& reply) {
  if (!reply.fault.ok()) return reply.fault;
  return Unavailable(fmt::format("the collector answered {}", reply.http_status));
}

}  // namespace

bool IsRetryable(const OtlpReply& reply) {
  if (!reply.fault.ok()) return true;
  constexpr int kLater[] = {429, 502, 503, 504};
  return std::find(std::begin(kLater), std::end(kLater), reply.http_status) != std::end(kLater);
}

Duration RetryDelay(const TraceExporterOptions& options, int attempt, double jitter,
                    const std::optional<Duration>& retry_after) {
  Duration delay = options.retry_initial;
  for (int i = 0; i < attempt && delay < options.retry_interval_max; ++i) delay *= 2;
  delay = std::min(delay, options.retry_interval_max);
  const auto random = std::chrono::duration_cast<Duration>(delay * (0.5 + jitter / 2));
  return std::max(random, retry_after.value_or(Duration::zero()));
}

class TraceExporter::Impl {
 public:
  Impl(std::unique_ptr<OtlpTransport> transport, TraceExporterOptions options, const Clock& clock)
      : transport_(std::move(transport)), options_(std::move(options)), clock_(clock) {
    thread_ = std::thread([this] { Run(); });
  }

  void Add(std::unique_ptr<const RequestRecord> record) {
    size_t waiting = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stop_ || static_cast<int>(queue_.size()) >= options_.queue_max) {
        ++counts_.dropped;
        return;
      }
      queue_.push_back(std::move(record));
      waiting = queue_.size();
    }
    // Its thread sleeps while nothing is there, and until a batch is full.
    if (waiting == 1 || waiting == BatchMax()) wake_.notify_one();
  }

  void Shutdown(Duration timeout) {
    {
      const std::lock_guard lock(mutex_);
      if (!stop_) deadline_ = clock_.Now() + timeout;
      stop_ = true;
    }
    wake_.notify_one();
    const std::lock_guard lock(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }

  TraceExporterCounts counts() const {
    const std::lock_guard lock(mutex_);
    TraceExporterCounts counts = counts_;
    counts.waiting = static_cast<int64_t>(queue_.size() + sending_);
    return counts;
  }

 private:
  size_t BatchMax() const { return static_cast<size_t>(options_.batch_max); }

  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      wake_.wait_for(lock, options_.batch_interval,
                     [this] { return stop_ || queue_.size() >= BatchMax(); });
      if (queue_.empty()) return;  // it was to stop
      Batch batch = TakeBatch();
      lock.unlock();
      const Status sent = Send(batch);
      batch.clear();
      lock.lock();
      (sent.ok() ? counts_.exported : counts_.dropped) += static_cast<int64_t>(sending_);
      sending_ = 0;
    }
  }

  // mutex_ is held.
  Batch TakeBatch() {
    Batch batch;
    batch.reserve(std::min(queue_.size(), BatchMax()));
    while (!queue_.empty() && batch.size() < BatchMax()) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    sending_ = batch.size();
    return batch;
  }

  // As long as it takes; without success once the collector refuses it or time is up.
  Status Send(const Batch& batch) {
    std::vector<Span> spans;
    for (const auto& record : batch) {
      for (Span& span : SpansOf(*record)) spans.push_back(std::move(span));
    }
    const std::string body = EncodeTraces(options_.resource, spans);
    const TimePoint give_up = clock_.Now() + options_.retry_for;
    for (int attempt = 0;; ++attempt) {
      if (!GoesOn()) return Unavailable("time is up");
      const OtlpReply reply = transport_->Post(body, TimeToSend(), [this] { return GoesOn(); });
      if (IsTaken(reply)) {
        Taken(reply);
        return Status::Ok();
      }
      Status fault = FaultOf(reply);
      Failed(fault);
      if (!IsRetryable(reply)) return fault;
      const Duration delay = RetryDelay(options_, attempt, jitter_(random_), reply.retry_after);
      if (delay > give_up - clock_.Now() || !Sleep(delay)) return fault;
    }
  }

  void Taken(const OtlpReply& reply) {
    const PartialSuccess partial = ParseTracesResponse(reply.body);
    {
      const std::lock_guard lock(mutex_);
      counts_.rejected_spans += partial.rejected_spans;
    }
    if (!std::exchange(is_healthy_, true)) Tell(Status::Ok());
  }

  void Failed(const Status& fault) {
    {
      const std::lock_guard lock(mutex_);
      ++counts_.errors;
    }
    if (std::exchange(is_healthy_, false)) Tell(fault);
  }

  void Tell(const Status& status) const {
    if (options_.on_health) options_.on_health(status);
  }

  bool GoesOn() const {
    const std::lock_guard lock(mutex_);
    return !stop_ || clock_.Now() < deadline_;
  }

  Duration TimeToSend() const {
    const std::lock_guard lock(mutex_);
    if (!stop_) return options_.send_timeout;
    return std::clamp(deadline_ - clock_.Now(), Duration::zero(), options_.send_timeout);
  }

  // False if there is no time for it. That everything is to end cuts a wait short, and once leaves
  // one out for which there is no time: perhaps the collector is back.
  bool Sleep(Duration delay) {
    std::unique_lock lock(mutex_);
    if (!stop_) {
      wake_.wait_for(lock, delay, [this] { return stop_; });
      return true;
    }
    if (clock_.Now() + delay >= deadline_) return !std::exchange(has_tried_last_, true);
    lock.unlock();
    std::this_thread::sleep_for(delay);
    return true;
  }

  const std::unique_ptr<OtlpTransport> transport_;
  const TraceExporterOptions options_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_:
  std::deque<std::unique_ptr<const RequestRecord>> queue_;
  size_t sending_ = 0;
  TraceExporterCounts counts_;
  bool stop_ = false;
  TimePoint deadline_{};  // once stop_

  // The thread's own:
  bool is_healthy_ = true;
  bool has_tried_last_ = false;
  std::minstd_rand random_{std::random_device()()};
  std::uniform_real_distribution<double> jitter_{0, 1};

  std::mutex join_mutex_;
  std::thread thread_;  // guarded by join_mutex_
};

TraceExporter::TraceExporter(std::unique_ptr<OtlpTransport> transport, TraceExporterOptions options,
                             const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(transport), std::move(options), clock)) {}

TraceExporter::~TraceExporter() { Shutdown(Duration::zero()); }

void TraceExporter::Add(std::unique_ptr<const RequestRecord> record) {
  impl_->Add(std::move(record));
}
void TraceExporter::Shutdown(Duration timeout) { impl_->Shutdown(timeout); }
TraceExporterCounts TraceExporter::counts() const { return impl_->counts(); }

}  // namespace aio
