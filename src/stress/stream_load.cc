#include "stress/stream_load.h"

#include <charconv>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "stress/client.h"

namespace aio {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);
constexpr int kWarmUpStreams = 50;
constexpr int kConnectingMax = 200;  // at a time; the listen queue is longer

struct Stream {
  explicit Stream(int port) : client(port) {}
  Client client;
  StreamCheck check;
  bool over = false;
};

class StreamLoad {
 public:
  StreamLoad(ServerProcess& server, const StreamOptions& options)
      : server_(server), options_(options) {}

  StreamReport Run();

 private:
  void Begin(int count, int tokens);
  void Collect(Duration timeout);
  void Follow(Stream& stream);
  // Until `condition`; false if it takes too long.
  template <typename Condition>
  bool Until(const Condition& condition);
  void BreakOff();
  int64_t Count(std::string_view name) const {
    return NumberIn(FetchPath(server_.port(), "/stub"), name);
  }

  const SystemClock clock_;
  ServerProcess& server_;
  const StreamOptions& options_;
  std::unique_ptr<Poller> poller_ = std::make_unique<Poller>();
  std::vector<std::unique_ptr<Stream>> streams_;
  int begun_ = 0;  // have a token
  int over_ = 0;
  StreamReport report_;
};

void StreamLoad::Follow(Stream& stream) {
  if (stream.over) return;
  stream.client.Progress();
  const bool had_none = stream.check.tokens() == 0;
  const bool whole = stream.client.ReadResponse();
  ResponseReader& response = stream.client.response();
  stream.check.Take(response.body());
  if (had_none && stream.check.tokens() > 0) ++begun_;
  if (!whole && !stream.client.ended() && !response.broken()) return;
  stream.over = true;
  ++over_;
  const bool right = whole && response.status() == 200 && stream.check.done() &&
                     !stream.check.wrong() && stream.check.tokens() == options_.tokens;
  ++(right ? report_.whole : report_.wrong);
}

void StreamLoad::Collect(Duration timeout) {
  for (const uint64_t id : poller_->Wait(timeout)) Follow(*streams_[id]);
}

template <typename Condition>
bool StreamLoad::Until(const Condition& condition) {
  const TimePoint end = clock_.Now() + kPatience;
  while (!condition()) {
    if (clock_.Now() > end || !server_.IsRunning()) return false;
    Collect(std::chrono::milliseconds(10));
  }
  return true;
}

void StreamLoad::Begin(int count, int tokens) {
  for (int i = 0; i < count; ++i) {
    streams_.push_back(std::make_unique<Stream>(server_.port()));
    poller_->Add(streams_.back()->client, streams_.size() - 1);
    streams_.back()->client.Send(
        ChatRequest(tokens, /*stream=*/true, "Count, please.", options_.model));
    if (i % kConnectingMax == kConnectingMax - 1) Collect(std::chrono::milliseconds(1));
  }
}

void StreamLoad::BreakOff() {
  const TimePoint start = clock_.Now();
  for (int i = 0; i < options_.broken_off; ++i) {
    Stream& stream = *streams_[2 * i % streams_.size()];
    stream.over = true;
    ++over_;
    if (i % 2 == 0) {
      stream.client.Reset();
    } else {
      stream.client.Close();
    }
  }
  const auto all_told = [&] { return Count("cancelled") >= options_.broken_off; };
  if (!Until(all_told)) report_.status = Internal("not every stream that broke off was cancelled");
  const TimePoint last{Duration(Count("last_cancelled_ns"))};
  report_.freed_after = last - start;
}

StreamReport StreamLoad::Run() {
  Begin(kWarmUpStreams, options_.tokens);
  Until([&] { return over_ == kWarmUpStreams; });
  streams_.clear();
  poller_ = std::make_unique<Poller>();
  begun_ = over_ = report_.whole = report_.wrong = 0;

  report_.bytes_before = server_.ResidentBytes();
  Begin(options_.streams, options_.tokens);
  Until([&] { return begun_ == options_.streams || over_ > 0; });
  report_.held = begun_ - over_;
  report_.bytes_held = server_.ResidentBytes();
  if (options_.broken_off > 0) BreakOff();
  if (!Until([&] { return over_ == options_.streams; })) {
    report_.status = Internal("the streams did not end");
  }
  report_.bytes_after = server_.ResidentBytes();
  if (Count("kv_blocks_used") != 0) report_.status = Internal("KV blocks are still in use");
  return report_;
}

}  // namespace

void StreamCheck::Take(std::string& body) {
  size_t at = 0;
  for (size_t end = 0; (end = body.find("\n\n", at)) != body.npos; at = end + 2) {
    TakeEvent(std::string_view(body).substr(at, end - at));
  }
  body.erase(0, at);
}

void StreamCheck::TakeEvent(std::string_view event) {
  if (event.starts_with(':')) return;  // a comment
  if (event == "data: [DONE]") {
    done_ = true;
    return;
  }
  constexpr std::string_view kContent = R"("content":")";
  const size_t at = event.find(kContent);
  if (event.find("\"error\":") != event.npos || done_) wrong_ = true;
  if (at == event.npos) return;
  const std::string_view text = event.substr(at + kContent.size());
  if (text.starts_with('"')) return;  // no token
  int token = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), token);
  if (error != std::errc() || token != next_++) wrong_ = true;
}

StreamReport LoadStreams(ServerProcess& server, const StreamOptions& options) {
  return StreamLoad(server, options).Run();
}

}  // namespace aio
