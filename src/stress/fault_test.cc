// Faults of the world, over real sockets: no memory, clocks that jump, a backend that stalls,
// clients that do not read.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "admission/admission_backend.h"
#include "backend/forwarding_backend.h"
#include "backend/testing/fake_backend.h"
#include "base/testing/allocation_counter.h"
#include "http/test_client.h"
#include "server/server.h"
#include "stress/stub_backend.h"

namespace aio {
namespace {

using Response = TestClient::Response;
using std::chrono::hours;
using std::chrono::seconds;

// Time that moves only when told to, the wall clock's by itself.
class JumpingClock final : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(Duration(now_)); }
  int64_t UnixSeconds() const override { return unix_seconds_; }
  void Jump(Duration by) { now_ += by.count(); }
  void JumpWall(int64_t by) { unix_seconds_ += by; }

 private:
  std::atomic<int64_t> now_{Duration(seconds(1'000'000)).count()};
  std::atomic<int64_t> unix_seconds_{1'800'000'000};
};

// Lets the `nth` allocation of a Generate() fail.
class Forgetful final : public ForwardingBackend {
 public:
  explicit Forgetful(Backend& backend) : ForwardingBackend(backend) {}
  std::atomic<int> nth{0};
  std::atomic<bool> has_failed{false};

  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override {
    const FailingAllocation allocation(nth);
    auto ticket = ForwardingBackend::Generate(std::move(request), std::move(sink));
    has_failed = nth > 0 && allocation.has_failed();
    return ticket;
  }
};

class FaultTest : public testing::Test {
 protected:
  void Start(AdmissionLimits limits = {}, ServerOptions options = {}) {
    admission_ = std::make_unique<AdmissionBackend>(backend_, limits, clock_);
    forgetful_ = std::make_unique<Forgetful>(*admission_);
    options.port = 0;
    options.drain_notice = Duration::zero();
    Result<std::unique_ptr<Server>> server = Server::Create(*forgetful_, options, clock_);
    ASSERT_TRUE(server.ok());
    server_ = *std::move(server);
    ASSERT_TRUE(server_->Start().ok());
  }
  void TearDown() override {
    ExpectServes();
    server_->Stop();
    EXPECT_TRUE(Eventually([&] { return backend_.counts().running == 0; }));
    EXPECT_EQ(backend_.counts().kv_blocks_used, 0);
  }

  static void Ask(TestClient& client, const std::string& prompt, const std::string& headers = "",
                  int tokens = 3) {
    client.Request("POST", "/v1/chat/completions",
                   R"({"messages":[{"role":"user","content":")" + prompt +
                       R"("}],"stream":true,"max_tokens":)" + std::to_string(tokens) + "}",
                   headers);
  }
  Response Post(const std::string& prompt, const std::string& headers = "") {
    TestClient client(server_->port());
    Ask(client, prompt, headers);
    return client.Read();
  }
  void ExpectServes() {
    const Response response = Post("Hi");
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_TRUE(response.body.ends_with("data: [DONE]\n\n")) << response.body;
  }
  template <typename Condition>
  static bool Eventually(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + TestClient::kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  const SystemClock machine_clock_;
  StubBackend backend_{{}, machine_clock_};
  JumpingClock clock_;
  std::unique_ptr<AdmissionBackend> admission_;
  std::unique_ptr<Forgetful> forgetful_;
  std::unique_ptr<Server> server_;
};

TEST_F(FaultTest, WantOfMemoryInAdmissionRefusesThatRequestOnly) {
  Start();
  int refused = 0;
  forgetful_->has_failed = true;
  while (forgetful_->has_failed) {
    ++forgetful_->nth;
    const Response response = Post("Hi");
    EXPECT_TRUE(response.status == 200 || response.status == 503) << response.status;
    EXPECT_TRUE(response.complete);
    if (response.status == 503) {
      EXPECT_EQ(response.headers.Get("retry-after"), "1");
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  forgetful_->nth = 0;
  EXPECT_TRUE(Eventually([&] { return admission_->counts().running == 0; }));
}

TEST_F(FaultTest, AClockThatJumpsAheadEndsOnlyThoseWithADeadline) {
  Start({.running_max = 1});
  TestClient running(server_->port());
  Ask(running, "stall");
  ASSERT_TRUE(Eventually([&] { return backend_.counts().running == 1; }));
  TestClient hurried(server_->port());
  TestClient patient(server_->port());
  Ask(hurried, "Hi", "x-request-timeout-ms: 60000\r\n");
  Ask(patient, "Hi");
  ASSERT_TRUE(Eventually([&] { return admission_->counts().waiting == 2; }));
  clock_.Jump(hours(24 * 365));
  EXPECT_EQ(hurried.Read().status, 504);
  EXPECT_EQ(admission_->counts().waiting, 1);
  running.Close();  // whose place the patient one gets
  EXPECT_EQ(patient.Read().status, 200);
}

TEST_F(FaultTest, ClocksThatJumpBackHarmNobody) {
  Start();
  ExpectServes();
  clock_.Jump(-hours(24));
  clock_.JumpWall(-1'000'000'000);
  ExpectServes();
  EXPECT_EQ(Post("Hi", "x-request-timeout-ms: 1000\r\n").status, 200);
  clock_.Jump(hours(48));
  clock_.JumpWall(2'000'000'000);
  EXPECT_EQ(Post("Hi", "x-request-timeout-ms: 1000\r\n").status, 200);
}

TEST_F(FaultTest, ABackendThatStallsHoldsUpNobodyElse) {
  Start();
  TestClient stalled(server_->port());
  Ask(stalled, "stall");
  stalled.ReadUntil("data: ");  // it has begun
  for (int i = 0; i < 20; ++i) ExpectServes();
  TestClient onlooker(server_->port());
  onlooker.Request("GET", "/metrics");
  EXPECT_NE(onlooker.Read().body.find("aio_num_requests_running{model=\"stub\"} 1"),
            std::string::npos);
  stalled.Reset();
  EXPECT_TRUE(Eventually([&] { return backend_.counts().cancelled == 1; }));
}

// So that no proxy takes a long prefill for a dead connection.
TEST_F(FaultTest, CommentsKeepAStalledStreamAlive) {
  ServerOptions options;
  options.http.ping_interval = std::chrono::milliseconds(20);
  Start({}, options);
  TestClient client(server_->port());
  Ask(client, "stall");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.ReadUntil("\n: ").ends_with("\n: ")) << "a comment is due";
  }
}

TEST_F(FaultTest, SlowReadersAreDroppedAndTheirMemoryIsBounded) {
  ServerOptions options;
  options.http.buffered_bytes_max = 64 << 10;
  Start({}, options);
  TestClient slow(server_->port(), /*receive_buffer_bytes=*/4096);
  Ask(slow, "flood", "", 1'000'000);
  EXPECT_TRUE(Eventually([&] { return backend_.counts().cancelled == 1; }));
}

TEST_F(FaultTest, DrainEndsAStalledStreamWithAWord) {
  Start();
  TestClient stalled(server_->port());
  Ask(stalled, "stall");
  stalled.ReadUntil("data: ");
  std::thread draining([&] { server_->Drain(std::chrono::milliseconds(20)); });
  EXPECT_NE(stalled.ReadToEnd().find("\"error\""), std::string::npos);
  draining.join();
  server_.reset();
  Start();  // for TearDown()
}

}  // namespace
}  // namespace aio
