#include "app/bench_pair.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "app/read_bandwidth.h"
#include "app/run_to_end.h"

namespace aio {

namespace {

EngineOptions Options(int threads) {
  EngineOptions options;
  options.num_threads = threads;
  options.max_running = 2;
  options.max_draft_tokens = 0;
  options.kv_cache_tokens = PairBenchmark::kKvCacheTokens;
  return options;
}

// Knows when each token came.
class TimingSink final : public EventSink {
 public:
  explicit TimingSink(const Clock& clock) : clock_(clock) {}

  void OnStart(const StartEvent&) override {}
  void OnToken(const TokenEvent& event) override {
    const std::lock_guard lock(mutex_);
    times_.insert(times_.end(), event.tokens.size(), clock_.Now());
    changed_.notify_all();
  }
  void OnFinish(const FinishEvent&) override { End(Status::Ok()); }
  void OnError(const Status& status) override { End(status); }

  bool has_ended() {
    const std::lock_guard lock(mutex_);
    return has_ended_;
  }
  void WaitForFirstToken() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !times_.empty() || has_ended_; });
  }
  Status WaitForEnd() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return has_ended_; });
    return status_;
  }
  // Tokens a second of those that came in [begin, end].
  double Rate(TimePoint begin, TimePoint end) {
    const std::lock_guard lock(mutex_);
    const auto first = std::lower_bound(times_.begin(), times_.end(), begin);
    const auto last = std::upper_bound(first, times_.end(), end);
    if (last - first < 2) return 0;
    return static_cast<double>(last - first - 1) * 1000 / ToMs(*(last - 1) - *first);
  }

 private:
  void End(const Status& status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    has_ended_ = true;
    changed_.notify_all();
  }

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TimePoint> times_;
  bool has_ended_ = false;
  Status status_ = Status::Ok();
};

}  // namespace

PairBenchmark::PairBenchmark(std::vector<EmbeddedModel> models, int threads, const Clock& clock)
    : models_(std::move(models)), clock_(clock), readers_(threads) {}

Result<std::unique_ptr<PairBenchmark>> PairBenchmark::Create(std::vector<EmbeddedModel> models,
                                                             int threads, const Clock& clock) {
  std::unique_ptr<PairBenchmark> benchmark(new PairBenchmark(std::move(models), threads, clock));
  AIO_ASSIGN_OR_RETURN(benchmark->engine_,
                       EmbeddedBackend::Create(benchmark->models_, Options(threads), clock));
  return benchmark;
}

Request PairBenchmark::MakeRequest(int model, int tokens) const {
  const int vocabulary = models_[model].tokenizer->vocabulary_size();
  std::vector<int32_t> prompt(kPromptTokens);
  for (int i = 0; i < kPromptTokens; ++i) {
    prompt[i] =
        static_cast<int32_t>((int64_t{requests_} * 104'729 + int64_t{i} * 7919 + 11) % vocabulary);
  }
  Request request;
  request.model = models_[model].name;
  request.prompt = std::move(prompt);
  request.sampling.temperature = 0;
  request.sampling.max_tokens = tokens;
  request.sampling.ignore_eos = true;
  return request;
}

double PairBenchmark::ReadBandwidth() {
  return aio::ReadBandwidth(models_.back().model->packed_weights(), readers_, clock_);
}

double PairBenchmark::BytesAToken(int model, double positions) const {
  const Model& m = *models_[model].model;
  const int64_t kv_bytes = KvCache::BlockBytes(m.config(), EngineOptions().kv_type);
  return static_cast<double>(m.summary().bytes_per_token) +
         positions * static_cast<double>(kv_bytes) / KvCache::kBlockTokens;
}

Result<PairFigure> PairBenchmark::RunAlone(int model, int repetitions) {
  constexpr int kTokens = 48;
  std::vector<double> first_token, rates, reads;
  reads.push_back(ReadBandwidth());
  for (int i = 0; i < repetitions; ++i) {
    ++requests_;
    AIO_ASSIGN_OR_RETURN(const CompletedAnswer answer,
                         RunToEnd(*engine_, MakeRequest(model, kTokens)));
    if (answer.finish.reason == FinishReason::kCancelled) return Cancelled("interrupted");
    const Timings& timings = answer.finish.timings;
    first_token.push_back(timings.queue_ms + timings.prompt_ms);
    rates.push_back((answer.finish.usage.completion_tokens - 1) * 1000 / timings.predicted_ms);
    reads.push_back(ReadBandwidth());
  }
  PairFigure figure;
  figure.model = models_[model].name;
  figure.first_token_ms = Median(first_token);
  figure.tokens_per_second = Median(rates);
  figure.read_gb_per_second = Median(reads);
  figure.gb_per_second =
      figure.tokens_per_second * BytesAToken(model, kPromptTokens + kTokens / 2.0) / 1e9;
  return figure;
}

Result<std::vector<PairFigure>> PairBenchmark::RunTogether() {
  constexpr auto kWindow = std::chrono::seconds(10);
  const int tokens_max = kKvCacheTokens - kPromptTokens;
  const double before = ReadBandwidth();
  std::array<std::shared_ptr<TimingSink>, 2> sinks;
  std::array<std::shared_ptr<Ticket>, 2> tickets;
  for (int model = 0; model < 2; ++model) {
    ++requests_;
    sinks[model] = std::make_shared<TimingSink>(clock_);
    AIO_ASSIGN_OR_RETURN(tickets[model],
                         engine_->Generate(MakeRequest(model, tokens_max), sinks[model]));
  }
  for (const auto& sink : sinks) sink->WaitForFirstToken();
  const TimePoint begin = clock_.Now();
  while (clock_.Now() < begin + kWindow && !sinks[0]->has_ended() && !sinks[1]->has_ended()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const TimePoint end = clock_.Now();
  for (const auto& ticket : tickets) ticket->Cancel();
  for (const auto& sink : sinks) AIO_RETURN_IF_ERROR(sink->WaitForEnd());
  const double read = (before + ReadBandwidth()) / 2;
  std::vector<PairFigure> figures(2);
  for (int model = 0; model < 2; ++model) {
    PairFigure& figure = figures[model];
    figure.model = models_[model].name;
    figure.is_alone = false;
    figure.tokens_per_second = sinks[model]->Rate(begin, end);
    const double answered = figure.tokens_per_second * ToMs(end - begin) / 2000;
    figure.gb_per_second =
        figure.tokens_per_second * BytesAToken(model, kPromptTokens + answered) / 1e9;
    figure.read_gb_per_second = read;
  }
  return figures;
}

double PairBenchmark::ByteRatio() const {
  return static_cast<double>(models_[1].model->summary().bytes_per_token) /
         static_cast<double>(models_[0].model->summary().bytes_per_token);
}

int64_t PairBenchmark::WeightAndKvBytes() const {
  int64_t bytes = 0;
  for (const EmbeddedModel& model : models_) {
    bytes += model.model->summary().weight_bytes;
    bytes += KvCache::BlockBytes(model.model->config(), EngineOptions().kv_type) *
             (kKvCacheTokens / KvCache::kBlockTokens);
  }
  return bytes;
}

}  // namespace aio
