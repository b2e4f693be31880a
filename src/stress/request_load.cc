#include "stress/request_load.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "stress/client.h"

namespace aio {
namespace {

// How long stragglers are waited for.
constexpr Duration kPatience = std::chrono::seconds(10);

class RequestLoad {
 public:
  RequestLoad(int port, const RequestLoadOptions& options)
      : port_(port),
        options_(options),
        begin_(clock_.Now() + options.warm_up),
        end_(begin_ + options.time) {
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // or the kernel waits 50 microseconds longer
  }

  RequestLoadReport AtRate(double rate);
  RequestLoadReport AsFastAsItGoes(int connections);

 private:
  struct Slot {
    explicit Slot(int port) : client(port) {}
    Client client;
    TimePoint due{};
    bool busy = false;
  };

  // On slot `id`, or a new one if that is none.
  void Ask(size_t id, TimePoint due);
  size_t AddSlot();
  // True if the slot has got its answer.
  bool TakeAnswer(Slot& slot);
  void Collect(Duration timeout, bool ask_again);
  RequestLoadReport Report();

  const SystemClock clock_;
  const int port_;
  const RequestLoadOptions& options_;
  const TimePoint begin_;
  const TimePoint end_;
  Poller poller_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<size_t> idle_;
  int busy_ = 0;
  RequestLoadReport report_;
};

size_t RequestLoad::AddSlot() {
  slots_.push_back(std::make_unique<Slot>(port_));
  poller_.Add(slots_.back()->client, slots_.size() - 1);
  return slots_.size() - 1;
}

void RequestLoad::Ask(size_t id, TimePoint due) {
  Slot& slot = *slots_[id];
  slot.due = due;
  slot.busy = true;
  ++report_.asked;
  ++busy_;
  slot.client.NextResponse();
  slot.client.Send(options_.request);
}

bool RequestLoad::TakeAnswer(Slot& slot) {
  slot.client.Progress();
  if (!slot.busy) return false;
  const bool answered = slot.client.ReadResponse();
  ResponseReader& response = slot.client.response();
  if (!answered && !slot.client.ended() && !response.broken()) return false;
  slot.busy = false;
  --busy_;
  const TimePoint now = clock_.Now();
  const bool right = answered && response.status() == 200 && !response.closes() &&
                     response.body().find(options_.expected) != std::string::npos;
  if (!right) ++report_.wrong;
  if (right && slot.due >= begin_ && slot.due < end_) {
    ++report_.answers;
    report_.latencies.push_back(now - slot.due);
  }
  return right;
}

void RequestLoad::Collect(Duration timeout, bool ask_again) {
  for (const uint64_t id : poller_.Wait(timeout)) {
    if (!TakeAnswer(*slots_[id])) continue;
    if (!ask_again) {
      idle_.push_back(id);
    } else if (const TimePoint now = clock_.Now(); now < end_) {
      Ask(id, now);
    }
  }
}

RequestLoadReport RequestLoad::Report() {
  for (const TimePoint late = clock_.Now() + kPatience; busy_ > 0 && clock_.Now() < late;) {
    Collect(late - clock_.Now(), /*ask_again=*/false);
  }
  report_.wrong += busy_;
  report_.time = options_.time;
  std::sort(report_.latencies.begin(), report_.latencies.end());
  return std::move(report_);
}

RequestLoadReport RequestLoad::AtRate(double rate) {
  const Duration interval(static_cast<int64_t>(1e9 / rate));
  for (TimePoint due = clock_.Now(); due < end_; due += interval) {
    do {
      Collect(due - clock_.Now(), /*ask_again=*/false);
    } while (clock_.Now() < due);
    if (idle_.empty()) idle_.push_back(AddSlot());
    const size_t id = idle_.back();
    idle_.pop_back();
    Ask(id, due);
  }
  return Report();
}

RequestLoadReport RequestLoad::AsFastAsItGoes(int connections) {
  for (int i = 0; i < connections; ++i) Ask(AddSlot(), clock_.Now());
  while (clock_.Now() < end_) Collect(end_ - clock_.Now(), /*ask_again=*/true);
  return Report();
}

}  // namespace

double RequestLoadReport::per_second() const {
  return static_cast<double>(answers) / std::chrono::duration<double>(time).count();
}

Duration RequestLoadReport::Percentile(double share) const {
  if (latencies.empty()) return Duration::zero();
  const double rank = std::ceil(share * static_cast<double>(latencies.size()));
  return latencies[std::max<size_t>(static_cast<size_t>(rank), 1) - 1];
}

RequestLoadReport LoadAtRate(int port, double rate, const RequestLoadOptions& options) {
  return RequestLoad(port, options).AtRate(rate);
}

RequestLoadReport LoadAsFastAsItGoes(int port, int connections, const RequestLoadOptions& options) {
  return RequestLoad(port, options).AsFastAsItGoes(connections);
}

}  // namespace aio
