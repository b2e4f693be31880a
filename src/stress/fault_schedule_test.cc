// The real Router over the real replica code, in a network of scripted servers under a clock of its
// own: thousands of schedules of faults, each by its seed. Whatever happens, every request ends
// once, no token comes twice, and nothing is left behind.
//
//   AIO_FAULT_SEED=n    only that schedule, to look into it
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "remote/remote_backend.h"
#include "remote/testing/event_record.h"
#include "remote/testing/fake_network.h"
#include "router/router.h"

namespace aio {
namespace {

constexpr Duration kMs = std::chrono::milliseconds(1);
constexpr Duration kSecond = std::chrono::seconds(1);
constexpr Duration kFaultsEnd = 30 * kSecond;  // what is broken is mended then

class FaultSchedule {
 public:
  explicit FaultSchedule(uint64_t seed) : random_(seed) {}

  void Run() {
    MakeModels();
    for (int i = Random(5, 30); i > 0; --i) At(Random(0, 25'000) * kMs, [this] { Ask(); });
    for (int i = Random(0, 25); i > 0; --i) At(Random(0, 28'000) * kMs, [this] { Fault(); });
    At(kFaultsEnd, [this] { MendAll(); });
    network_.RunFor(kFaultsEnd + 120 * kSecond);
    Check();
    Close();
  }

 private:
  struct Asked {
    std::shared_ptr<EventRecord> record;
    std::shared_ptr<Ticket> ticket;
    bool cancelled = false;
    bool has_deadline = false;
  };

  // Of both ends.
  int Random(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  bool Chance(int percent) { return Random(1, 100) <= percent; }
  void At(Duration after_begin, std::function<void()> what) {
    network_.RunAt(begin_ + after_begin, std::move(what));
  }

  void MakeModels() {
    small_ = MakeModel("small");
    large_ = MakeModel("large");
    RouterOptions options;
    options.small = {.backend = small_.get(), .model = "small-model"};
    options.large = {.backend = large_.get(), .model = "large-model"};
    options.labels.suffix = "\nWhat is it?";
    options.labels.labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}};
    options.policy = RoutingPolicy::Paper();
    options.small_stands_in = Chance(50);
    auto router = Router::Create(std::move(options), network_.clock());
    ASSERT_TRUE(router.ok()) << router.status().ToString();
    router_ = *std::move(router);
  }

  std::unique_ptr<RemoteBackend> MakeModel(const std::string& role) {
    RemoteOptions options;
    options.name = role + "-model";
    options.role = role;
    options.served_name = role;
    options.profile = *FindEngineProfile(Chance(50) ? "vllm" : "llama-server");
    options.affinity = static_cast<Affinity>(Random(0, 2));
    options.replicas.seed = random_();
    options.first_token_timeout = 5 * kSecond;
    options.silence_timeout = 4 * kSecond;
    options.retries_max = Random(2, 4);
    if (Chance(30)) options.hedge_after = Random(50, 500) * kMs;
    if (Chance(30)) options.health_interval = Duration::zero();
    auto backend = std::make_unique<RemoteBackend>(std::move(options), network_);
    std::vector<ReplicaSpec>& specs = role == "small" ? small_specs_ : large_specs_;
    for (int i = Random(1, 4); i > 0; --i) {
      ReplicaSpec spec;
      spec.url = fmt::format("http://{}{}", role, i);
      specs.push_back(spec);
      network_.server(spec.url).serve = Serving(Random(2, 60) * kMs);
      network_.server(spec.url).latency = Random(1, 20) * kMs;
    }
    backend->SetReplicas(specs);
    return backend;
  }

  // Answers of as many tokens as the prompt says, and of one token with log-probabilities.
  std::function<void(const std::shared_ptr<FakeHttpCall>&)> Serving(Duration token_time) {
    return [this, token_time](const std::shared_ptr<FakeHttpCall>& call) {
      const std::string& body = *call->call().body;
      if (body.find("\"logprobs\"") != std::string::npos) {
        call->Head(200);
        call->Bytes(fmt::format(
            "data: {{\"choices\": [{{\"delta\": {{\"content\": \"{0}\"}}, \"logprobs\": "
            "{{\"content\": [{{\"token\": \"{0}\", \"logprob\": -0.01}}]}}, \"finish_reason\": "
            "\"length\"}}]}}\n\ndata: [DONE]\n\n",
            Chance(50) ? "code" : "qa"));
        return call->End();
      }
      const size_t at = body.find("tokens=");
      const int tokens = at == std::string::npos ? 1 : std::atoi(body.c_str() + at + 7);
      ServeChats(network_, tokens, token_time)(call);
    };
  }

  void Ask() {
    Request request;
    request.id = fmt::format("r{}", asked_.size());
    const int tokens = Random(1, 40);
    constexpr const char* kModels[] = {"auto", "auto", "small", "large"};
    request.model = kModels[Random(0, 3)];
    request.prompt = std::vector<ChatMessage>{
        {.role = "user", .content = fmt::format("write code, tokens={} please", tokens)}};
    request.whole = Chance(40);
    if (Chance(30)) request.session = fmt::format("s{}", Random(1, 5));
    Asked asked{.record = std::make_shared<EventRecord>(), .ticket = nullptr};
    if (Chance(15)) {
      request.deadline = network_.Now() + Random(1, 3000) * kMs;
      asked.has_deadline = true;
    }
    expected_.push_back(ExpectedText(tokens));
    auto ticket = router_->Generate(std::move(request), asked.record);
    if (!ticket.ok()) {
      EXPECT_EQ(asked.record->starts + asked.record->ends(), 0);
      asked.record->OnError(ticket.status());
    } else {
      asked.ticket = *ticket;
    }
    const size_t number = asked_.size();
    if (Chance(15)) {
      asked.cancelled = true;
      network_.RunAt(network_.Now() + Random(0, 2000) * kMs, [this, number] {
        if (asked_[number].ticket != nullptr) asked_[number].ticket->Cancel();
      });
    }
    asked_.push_back(std::move(asked));
  }

  static std::string ExpectedText(int tokens) {
    std::string text;
    for (int i = 0; i < tokens; ++i) text += fmt::format("t{} ", i);
    return text;
  }

  std::vector<ReplicaSpec>& AnySpecs() { return Chance(50) ? small_specs_ : large_specs_; }

  void Fault() {
    std::vector<ReplicaSpec>& specs = AnySpecs();
    const std::string url = specs[Random(0, static_cast<int>(specs.size()) - 1)].url;
    FakeServer& server = network_.server(url);
    const Duration for_time = Random(10, 6000) * kMs;
    switch (Random(0, 9)) {
      case 0:
        server.refuses = true;
        break;
      case 1:
        server.partitioned = true;
        break;
      case 2:
        server.serve = [](const std::shared_ptr<FakeHttpCall>& call) {
          call->Head(503);
          call->Bytes(R"({"error": {"message": "overloaded"}})");
          call->End();
        };
        break;
      case 3:
        server.serve = [](const std::shared_ptr<FakeHttpCall>& call) {
          call->Head(429, std::chrono::seconds(1));
          call->End();
        };
        break;
      case 4:
        server.serve = [](const std::shared_ptr<FakeHttpCall>& call) { call->Reset(); };
        break;
      case 5:
        server.serve = [](const std::shared_ptr<FakeHttpCall>& call) { call->Head(200); };
        break;
      case 6:  // in the midst
        server.serve = [](const std::shared_ptr<FakeHttpCall>& call) {
          call->Head(200);
          call->Bytes(ChatEvent("t0 "));
          call->Reset();
        };
        break;
      case 7:
        server.serve = [](const std::shared_ptr<FakeHttpCall>& call) {
          call->Head(200);
          call->Bytes("data: {\"choices\": nonsense\n\n");
          call->End();
        };
        break;
      case 8:
        server.serve = Serving(Random(300, 900) * kMs);  // slow
        break;
      default:
        return Relist(specs);
    }
    network_.RunAt(network_.Now() + for_time, [this, url] { Mend(url); });
  }

  // Some of the replicas go, or drain; later all are there again.
  void Relist(const std::vector<ReplicaSpec>& specs) {
    RemoteBackend& backend = &specs == &small_specs_ ? *small_ : *large_;
    std::vector<ReplicaSpec> left;
    for (const ReplicaSpec& spec : specs) {
      if (Chance(40)) continue;
      left.push_back(spec);
      left.back().draining = Chance(20);
    }
    backend.SetReplicas(left);
    network_.RunAt(network_.Now() + Random(10, 6000) * kMs,
                   [&backend, specs] { backend.SetReplicas(specs); });
  }

  void Mend(const std::string& url) {
    FakeServer& server = network_.server(url);
    server.refuses = false;
    server.partitioned = false;
    server.serve = Serving(Random(2, 60) * kMs);
  }

  void MendAll() {
    for (const auto* specs : {&small_specs_, &large_specs_}) {
      for (const ReplicaSpec& spec : *specs) Mend(spec.url);
    }
  }

  void Check() {
    for (size_t i = 0; i < asked_.size(); ++i) {
      SCOPED_TRACE(fmt::format("request {}", i));
      const EventRecord& record = *asked_[i].record;
      EXPECT_EQ(record.ends(), 1) << "lost, or ended twice";
      EXPECT_LE(record.starts, 1);
      EXPECT_FALSE(record.after_end);
      // A part of the answer, from its beginning; the whole, where it says so.
      EXPECT_EQ(expected_[i].substr(0, record.text.size()), record.text);
      if (record.finishes == 1 && record.finish.reason == FinishReason::kStop) {
        EXPECT_EQ(record.text, expected_[i]);
      }
      if (record.error.code() == StatusCode::kCancelled) {
        EXPECT_TRUE(asked_[i].cancelled);
      }
      EXPECT_NE(record.error.code(), StatusCode::kInternal) << record.error.ToString();
    }
    for (const RemoteBackend* backend : {small_.get(), large_.get()}) {
      for (const ReplicaReading& replica : backend->Replicas()) {
        EXPECT_EQ(replica.running, 0) << replica.key;
        EXPECT_EQ(replica.outstanding_tokens, 0) << replica.key;
      }
    }
    // Health checks that run just now hold nothing of a request.
    EXPECT_LE(network_.open_calls(), static_cast<int>(small_specs_.size() + large_specs_.size()));
    for (Asked& asked : asked_) {
      asked.ticket = nullptr;
      EXPECT_EQ(asked.record.use_count(), 1) << "something still holds the sink";
    }
  }

  // The backends wait for the network's thread, which is this one.
  void Close() {
    std::atomic<bool> closed{false};
    std::thread closing([this, &closed] {
      router_.reset();
      small_.reset();
      large_.reset();
      closed = true;
    });
    while (!closed) {
      network_.RunFor(kMs);
      std::this_thread::yield();
    }
    closing.join();
  }

  std::mt19937_64 random_;
  FakeNetwork network_;
  const TimePoint begin_ = network_.Now();
  std::vector<ReplicaSpec> small_specs_;
  std::vector<ReplicaSpec> large_specs_;
  std::unique_ptr<RemoteBackend> small_;
  std::unique_ptr<RemoteBackend> large_;
  std::unique_ptr<Router> router_;
  std::vector<Asked> asked_;
  std::vector<std::string> expected_;
};

TEST(FaultSchedule, NoRequestIsLostAndNothingIsLeftBehind) {
  uint64_t first = 0;
#ifdef AIO_SANITIZED
  uint64_t last = 300;
#else
  uint64_t last = 10'000;
#endif
  if (const char* only = std::getenv("AIO_FAULT_SEED")) {  // NOLINT(concurrency-mt-unsafe)
    first = std::strtoull(only, nullptr, 10);
    last = first + 1;
  }
  for (uint64_t seed = first; seed < last; ++seed) {
    SCOPED_TRACE(fmt::format("AIO_FAULT_SEED={}", seed));
    FaultSchedule(seed).Run();
    if (testing::Test::HasFailure()) return;  // the first says enough
  }
}

}  // namespace
}  // namespace aio
