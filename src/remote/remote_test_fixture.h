// A remote model over a scripted network. For tests of remote/.
#ifndef AIO_REMOTE_REMOTE_TEST_FIXTURE_H_
#define AIO_REMOTE_REMOTE_TEST_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "remote/remote_backend.h"
#include "remote/testing/event_record.h"
#include "remote/testing/fake_network.h"

namespace aio {

class RemoteTest : public testing::Test {
 protected:
  static constexpr Duration kMs = std::chrono::milliseconds(1);
  static constexpr Duration kSecond = std::chrono::seconds(1);

  static RemoteOptions Options() {
    RemoteOptions options;
    options.name = "large-model";
    options.role = "large";
    options.served_name = "served";
    options.profile = *FindEngineProfile("vllm");
    options.health_interval = Duration::zero();
    return options;
  }
  static std::string Url(int replica) { return "http://r" + std::to_string(replica); }

  // `replicas` servers that answer alike, and the backend over them.
  void Serve(int replicas, RemoteOptions options, int tokens = 5, Duration token_time = 10 * kMs) {
    std::vector<ReplicaSpec> specs;
    for (int i = 0; i < replicas; ++i) {
      network_.server(Url(i)).serve = ServeChats(network_, tokens, token_time);
      specs.push_back({.url = Url(i), .address = {}, .zone = {}, .strategy = {}});
    }
    backend_ = std::make_unique<RemoteBackend>(std::move(options), network_);
    backend_->SetReplicas(specs);
  }

  static Request Ask(std::string text) {
    Request request;
    request.model = "large-model";
    request.prompt = std::vector<ChatMessage>{{.role = "user", .content = std::move(text)}};
    return request;
  }

  std::shared_ptr<EventRecord> Generate(Request request) {
    auto record = std::make_shared<EventRecord>();
    auto ticket = backend_->Generate(std::move(request), record);
    EXPECT_TRUE(ticket.ok()) << ticket.status().ToString();
    if (ticket.ok()) ticket_ = *ticket;
    return record;
  }

  // The backend's destructor waits for the network's thread, which here is the test's.
  void TearDown() override { CloseBackend(); }
  void CloseBackend() {
    if (backend_ == nullptr) return;
    std::atomic<bool> closed{false};
    std::thread closing([this, &closed] {
      backend_.reset();
      closed = true;
    });
    while (!closed) {
      network_.RunFor(kMs);
      std::this_thread::yield();
    }
    closing.join();
  }

  FakeNetwork network_;
  std::unique_ptr<RemoteBackend> backend_;
  std::shared_ptr<Ticket> ticket_;  // of the last generation
};

}  // namespace aio

#endif  // AIO_REMOTE_REMOTE_TEST_FIXTURE_H_
