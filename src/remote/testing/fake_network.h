// A network of scripted servers under a clock that the test moves: the real replica code runs over
// it, on the test's own thread. Link aio_remote_testing.
#ifndef AIO_REMOTE_TESTING_FAKE_NETWORK_H_
#define AIO_REMOTE_TESTING_FAKE_NETWORK_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "remote/http_transport.h"
#include "remote/timer_queue.h"

namespace aio {

class FakeHttpCall;

// What one server does with calls. Members may be changed while calls run.
struct FakeServer {
  // Called when a call has arrived; answers it by FakeHttpCall's methods, now or later.
  std::function<void(const std::shared_ptr<FakeHttpCall>&)> serve;
  Duration latency = std::chrono::milliseconds(1);  // each way
  bool refuses = false;                             // connections: nobody listens
  bool partitioned = false;  // nothing arrives, in either direction, and nobody is told
};

// A call at its server.
class FakeHttpCall : public std::enable_shared_from_this<FakeHttpCall> {
 public:
  const HttpCall& call() const { return call_; }
  bool is_health_check() const { return call_.body == nullptr; }
  bool is_open() const { return receiver_ != nullptr; }

  // Each arrives after the server's latency, in order.
  void Head(int status, std::optional<Duration> retry_after = {});
  void Bytes(std::string bytes);
  void End();
  void Reset();  // the connection breaks

 private:
  friend class FakeNetwork;
  friend class FakeHttpHandle;
  struct Piece {
    TimePoint at;
    std::function<void(HttpReceiver&)> what;
    bool last;
  };
  void Deliver(std::function<void(HttpReceiver&)> what, bool last);
  void Arrive();
  // Whom to tell of the end: nothing reaches the caller afterwards.
  std::shared_ptr<HttpReceiver> TakeReceiver();

  class FakeNetwork* network_ = nullptr;
  FakeServer* server_ = nullptr;
  HttpCall call_;
  std::shared_ptr<HttpReceiver> receiver_;  // null: it is over for the caller
  bool served_ = false;
  std::deque<Piece> on_its_way_;
};

class FakeNetwork final : public HttpTransport {
 public:
  FakeServer& server(const std::string& url) { return servers_[url]; }

  // Runs all that is due until then, moving the clock from one time to the next.
  void RunFor(Duration duration);

  // From any thread; all else is the test's own.
  void RunAt(TimePoint at, std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    timers_.Add(std::max(at, clock_.Now()), std::move(task));
  }
  TimePoint Now() const override { return clock_.Now(); }
  std::shared_ptr<HttpCallHandle> Start(HttpCall call,
                                        std::shared_ptr<HttpReceiver> receiver) override;

  // Calls that have arrived, but for health checks.
  int calls_to(const std::string& url) const;
  int open_calls() const { return static_cast<int>(open_.size()); }
  ManualClock& clock() { return clock_; }

 private:
  friend class FakeHttpCall;
  friend class FakeHttpHandle;

  ManualClock clock_;
  // The next task that is due until then, with the clock moved to its time.
  std::optional<std::function<void()>> Take(TimePoint until);

  std::mutex mutex_;
  TimerQueue timers_;                          // guarded by mutex_
  std::map<std::string, FakeServer> servers_;  // by URL up to the path
  std::map<std::string, int> calls_;
  std::set<std::shared_ptr<FakeHttpCall>> open_;
};

// What a server of chats does: an answer of `tokens` pieces, "t0 t1 ...", one every `token_time`.
std::function<void(const std::shared_ptr<FakeHttpCall>&)> ServeChats(FakeNetwork& network,
                                                                     int tokens,
                                                                     Duration token_time);
// One event of a chat's stream.
std::string ChatEvent(const std::string& text);
std::string ChatEnd(int prompt_tokens, int completion_tokens);

}  // namespace aio

#endif  // AIO_REMOTE_TESTING_FAKE_NETWORK_H_
