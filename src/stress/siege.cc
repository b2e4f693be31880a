#include "stress/siege.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

#include "stress/client.h"
#include "stress/hostile_requests.h"
#include "stress/stream_load.h"

namespace aio {
namespace {

enum class Deed {
  kHonest,      // one answer, right to the letter
  kStream,      // likewise
  kBrokenOff,   // a stream that the client leaves after a few tokens, by an end or a reset
  kStalled,     // a client that leaves a backend which never answers
  kFailing,     // a backend that fails in the middle
  kSlowReader,  // asks for a flood and does not read
  kPipelined,   // several requests at once
  kLooksOn,     // metrics, models, health
  kHostile,
};
constexpr std::string_view kDeedNames[] = {"honest",    "stream",   "broken off",
                                           "stalled",   "failing",  "slow reader",
                                           "pipelined", "looks on", "hostile"};
// How often each, by 100.
constexpr int kShares[] = {28, 22, 20, 4, 3, 1, 4, 3, 15};

constexpr Duration kPatience = std::chrono::seconds(30);
constexpr size_t kWrongShown = 10;
constexpr int kPipelineDepth = 5;
constexpr int kTokens = 8;

struct Slot {
  std::unique_ptr<Client> client;
  Deed deed = Deed::kHonest;
  bool idle = true;
  bool kept = false;  // the connection was used before
  TimePoint until{};  // idle: when the next deed begins; else: when it has taken too long
  StreamCheck check;
  int leave_after = 0;  // tokens
  int to_come = 0;      // answers in the pipeline
  bool resets = false;
  std::string later;       // to be sent a moment from now
  size_t piece_bytes = 0;  // of that at a time; 0: all
  HostileEnd end = HostileEnd::kWaits;
  uint64_t number = 0;  // of the hostile request
};

class Siege {
 public:
  Siege(ServerProcess& server, const SiegeOptions& options)
      : server_(server), options_(options), random_(options.seed), slots_(options.connections) {}

  SiegeReport Run();

 private:
  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }
  Deed NextDeed();
  bool IsTimeUp() const;
  void Begin(size_t id);
  void BeginHostile(Slot& slot);
  void Ask(Slot& slot);
  void SendRest(Slot& slot);
  void Follow(Slot& slot);
  void FollowStream(Slot& slot, bool whole);
  void FollowHostile(Slot& slot, bool whole);
  bool IsRight(Slot& slot);
  void End(Slot& slot, bool keep);
  void Wrong(const Slot& slot, std::string_view why);
  void LookAtTime();

  const SystemClock clock_;
  ServerProcess& server_;
  const SiegeOptions& options_;
  std::mt19937_64 random_;
  Poller poller_;
  std::vector<Slot> slots_;
  std::string expected_;  // of a server that is none of ours: its first answer
  uint64_t hostile_ = 0;
  TimePoint start_{};
  TimePoint next_sample_{};
  SiegeReport report_;
};

Deed Siege::NextDeed() {
  if (options_.only_hostile) return Below(8) == 0 ? Deed::kHonest : Deed::kHostile;
  auto at = static_cast<int>(Below(100));
  for (int deed = 0;; ++deed) {
    at -= kShares[deed];
    if (at < 0) return static_cast<Deed>(deed);
  }
}

bool Siege::IsTimeUp() const {
  if (options_.hostile_max > 0 && hostile_ >= static_cast<uint64_t>(options_.hostile_max)) {
    return true;
  }
  return options_.time > Duration::zero() && clock_.Now() - start_ >= options_.time;
}

void Siege::Begin(size_t id) {
  Slot& slot = slots_[id];
  slot.deed = NextDeed();
  const bool needs_own = slot.deed == Deed::kSlowReader;
  slot.kept = slot.client != nullptr && !slot.client->ended() && !needs_own;
  if (!slot.kept) {
    slot.client = std::make_unique<Client>(server_.port(), needs_own ? 4096 : 0);
    poller_.Add(*slot.client, id);
  }
  slot.idle = false;
  slot.until = clock_.Now() + kPatience;
  slot.check = StreamCheck();
  slot.client->NextResponse();
  slot.resets = Below(2) == 0;
  if (slot.deed == Deed::kHostile) return BeginHostile(slot);
  Ask(slot);
}

void Siege::BeginHostile(Slot& slot) {
  slot.number = hostile_++;
  HostileRequest request = MakeHostileRequest(options_.seed, slot.number);
  slot.end = request.end;
  slot.piece_bytes = request.piece_bytes;
  slot.client->NextResponse(/*is_head=*/request.bytes.starts_with("HEAD "));
  if (request.first_bytes > 0) {
    slot.later = request.bytes.substr(request.first_bytes);
    request.bytes.resize(request.first_bytes);
  }
  slot.client->Send(request.bytes);
  if (slot.later.empty()) SendRest(slot);
}

void Siege::SendRest(Slot& slot) {
  if (!slot.later.empty()) {
    const size_t bytes = slot.piece_bytes > 0 ? slot.piece_bytes : slot.later.size();
    slot.client->Send(slot.later.substr(0, bytes));
    slot.later.erase(0, bytes);
    if (!slot.later.empty()) return;
  }
  if (slot.end == HostileEnd::kHalfCloses) slot.client->HalfClose();
  if (slot.end == HostileEnd::kCloses || slot.end == HostileEnd::kResets) {
    if (slot.end == HostileEnd::kResets) slot.client->Reset();
    ++report_.hostile_statuses[0];
    End(slot, /*keep=*/false);
  }
}

void Siege::Ask(Slot& slot) {
  const bool stream = slot.deed != Deed::kHonest && slot.deed != Deed::kPipelined;
  constexpr std::string_view kLooks[] = {"/metrics", "/v1/models", "/health", "/slots", "/props"};
  const auto tokens = static_cast<int>(Below(kTokens) + 2);
  switch (slot.deed) {
    case Deed::kLooksOn:
      return slot.client->Send(
          fmt::format("GET {} HTTP/1.1\r\nHost: t\r\n\r\n", kLooks[Below(std::size(kLooks))]));
    case Deed::kStalled:
      slot.until = clock_.Now() + std::chrono::milliseconds(Below(50));  // then it leaves
      return slot.client->Send(ChatRequest(tokens, Below(2) == 0, "stall"));
    case Deed::kFailing:
      return slot.client->Send(ChatRequest(tokens, stream, "fail"));
    case Deed::kSlowReader:
      slot.until = clock_.Now() + std::chrono::seconds(2);
      return slot.client->Send(ChatRequest(100'000, stream, "flood"));
    case Deed::kBrokenOff:
      slot.leave_after = static_cast<int>(Below(4));
      return slot.client->Send(ChatRequest(100, stream));
    case Deed::kPipelined:
      slot.to_come = kPipelineDepth;
      break;
    default:
      slot.to_come = 1;
  }
  for (int i = 0; i < slot.to_come; ++i) slot.client->Send(ChatRequest(kTokens, stream));
}

void Siege::Wrong(const Slot& slot, std::string_view why) {
  ++report_.wrong;
  if (report_.first_wrong.size() >= kWrongShown) return;
  const auto name = kDeedNames[static_cast<int>(slot.deed)];
  ResponseReader& response = slot.client->response();
  report_.first_wrong.push_back(
      fmt::format("{}{}: {}: status {}: {}", name,
                  slot.deed == Deed::kHostile ? fmt::format(" {}", slot.number) : "", why,
                  response.status(), response.body().substr(0, 300)));
}

void Siege::End(Slot& slot, bool keep) {
  ++report_.deeds[std::string(kDeedNames[static_cast<int>(slot.deed)])];
  if (!keep) slot.client.reset();
  slot.idle = true;
  slot.until = clock_.Now();
  if (options_.pause_max > Duration::zero()) {
    slot.until += Duration(static_cast<int64_t>(Below(options_.pause_max.count())));
  }
}

bool Siege::IsRight(Slot& slot) {
  ResponseReader& response = slot.client->response();
  if (response.status() != 200) return false;
  if (slot.deed == Deed::kLooksOn) return !response.body().empty();
  if (options_.is_stub) {
    return response.body().find(R"("content":"0 1 2 3 4 5 6 7 ")") != std::string::npos;
  }
  const size_t at = response.body().find("\"content\":");
  if (at == std::string::npos) return false;
  const std::string content = response.body().substr(at, response.body().find("},", at) - at);
  if (expected_.empty()) expected_ = content;
  return content == expected_;
}

void Siege::FollowStream(Slot& slot, bool whole) {
  ResponseReader& response = slot.client->response();
  slot.check.Take(response.body());
  const bool fails = slot.deed == Deed::kFailing;
  // Of another server any part of an answer will do.
  const bool has_enough =
      options_.is_stub ? slot.check.tokens() >= slot.leave_after : response.status() != 0;
  if (slot.deed == Deed::kBrokenOff && !whole && has_enough) {
    if (slot.resets) slot.client->Reset();
    return End(slot, /*keep=*/false);
  }
  if (!whole) return;
  const bool counts = !options_.is_stub || slot.check.wrong() == fails;
  const bool right = response.status() == 200 && counts && (fails || slot.check.done());
  if (!right) Wrong(slot, "a stream that is not as it should be");
  End(slot, right && !response.closes());
}

void Siege::FollowHostile(Slot& slot, bool whole) {
  ResponseReader& response = slot.client->response();
  if (whole) {
    const int status = response.status();
    ++report_.hostile_statuses[status];
    // What it asked for may have been served; a fault of the server's own it may not be.
    if (status == 500 || status >= 502) Wrong(slot, "the server failed");
  } else {
    ++report_.hostile_statuses[0];
    if (slot.end == HostileEnd::kWaits && !slot.kept) Wrong(slot, "closed without an answer");
  }
  // Of what it sent a part may still wait for its answer.
  const bool keep = whole && slot.end == HostileEnd::kWaits && !response.closes() &&
                    !slot.client->has_unread() && Below(2) == 0;
  End(slot, keep);
}

void Siege::Follow(Slot& slot) {
  if (slot.idle || slot.client == nullptr || slot.deed == Deed::kSlowReader) return;
  slot.client->Progress();
  while (!slot.idle) {
    const bool whole = slot.client->ReadResponse();
    const bool over = slot.client->ended() || slot.client->response().broken();
    if (slot.deed == Deed::kHostile) {
      if (slot.later.empty() && (whole || over)) FollowHostile(slot, whole);
      return;
    }
    const bool is_one =
        slot.deed == Deed::kHonest || slot.deed == Deed::kPipelined || slot.deed == Deed::kLooksOn;
    if (!is_one && slot.deed != Deed::kStalled) FollowStream(slot, whole);
    if (slot.idle) return;
    if (!whole) {
      if (!over) return;
      // A kept connection may end before the server sees the next request on it.
      if (!slot.kept || slot.client->response().begun()) Wrong(slot, "no answer");
      return End(slot, /*keep=*/false);
    }
    if (!is_one) return Wrong(slot, "an answer from a backend that has stalled");
    if (!IsRight(slot)) Wrong(slot, "another answer");
    if (--slot.to_come > 0 && slot.deed == Deed::kPipelined) {
      slot.client->NextResponse();
      slot.until = clock_.Now() + kPatience;  // each has its own
    } else {
      End(slot, !slot.client->response().closes());
    }
  }
}

void Siege::LookAtTime() {
  const TimePoint now = clock_.Now();
  for (size_t id = 0; id < slots_.size(); ++id) {
    Slot& slot = slots_[id];
    if (!slot.idle && slot.deed == Deed::kHostile && !slot.later.empty()) {
      SendRest(slot);
      Follow(slot);  // the answer may have been there before
    }
    if (now < slot.until) continue;
    if (slot.idle) {
      if (!IsTimeUp()) Begin(id);
      continue;
    }
    const bool leaves = slot.deed == Deed::kStalled || slot.deed == Deed::kSlowReader;
    if (!leaves) Wrong(slot, "no answer in time");
    if (slot.resets) slot.client->Reset();
    End(slot, /*keep=*/false);
  }
  if (now < next_sample_) return;
  next_sample_ = now + std::chrono::seconds(1);
  report_.resident_bytes.push_back(server_.ResidentBytes());
  if (!server_.IsRunning()) report_.server_ran = false;
}

SiegeReport Siege::Run() {
  start_ = next_sample_ = clock_.Now();
  while (report_.server_ran) {
    LookAtTime();
    const bool all_idle =
        std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.idle; });
    if (IsTimeUp() && all_idle) break;
    for (const uint64_t id : poller_.Wait(std::chrono::milliseconds(1))) {
      Follow(slots_[id]);
      if (slots_[id].idle && clock_.Now() >= slots_[id].until && !IsTimeUp()) Begin(id);
    }
  }
  return std::move(report_);
}

int64_t Median(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

double SiegeReport::growth() const {
  const auto count = static_cast<std::ptrdiff_t>(resident_bytes.size());
  const std::ptrdiff_t tenth = count / 10;
  if (tenth == 0) return 0;
  const auto begin = resident_bytes.begin();
  const int64_t warm = Median({begin + 2 * tenth, begin + 3 * tenth});
  const int64_t last = Median({resident_bytes.end() - tenth, resident_bytes.end()});
  return static_cast<double>(last) / static_cast<double>(warm) - 1;
}

SiegeReport LaySiege(ServerProcess& server, const SiegeOptions& options) {
  return Siege(server, options).Run();
}

}  // namespace aio
