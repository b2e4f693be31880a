// What the end-to-end test and the benchmark of tracing share: queue, router and server over
// scripted models, put together as `aio serve` does, and a collector that listens.
#ifndef AIO_APP_TRACING_TEST_SETUP_H_
#define AIO_APP_TRACING_TEST_SETUP_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "admission/admission_backend.h"
#include "app/serve_tracing.h"
#include "backend/testing/fake_backend.h"
#include "base/check.h"
#include "http/http_server.h"
#include "router/router.h"
#include "server/server.h"
#include "telemetry/curl_transport.h"

namespace aio {

// Keeps what it is sent, unless told not to; answers each with the next of `statuses`, or 200.
class TestCollector {
 public:
  explicit TestCollector(std::vector<int> statuses = {}, bool keeps = true)
      : statuses_(std::move(statuses)), keeps_(keeps) {
    const Status started = server_.Start(
        "127.0.0.1", 0, [this](HttpRequest request, std::shared_ptr<ResponseWriter> response) {
          response->Send({.status = Keep(std::move(request)),
                          .headers = {{"content-type", "application/json"}},
                          .body = "{}"});
        });
    AIO_CHECK(started.ok(), started.ToString().c_str());
  }
  ~TestCollector() { server_.Stop(); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  int Keep(HttpRequest request) {
    const std::lock_guard lock(mutex_);
    if (!keeps_) return 200;
    requests_.push_back(std::move(request));
    return requests_.size() <= statuses_.size() ? statuses_[requests_.size() - 1] : 200;
  }

  const std::vector<int> statuses_;
  const bool keeps_;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;  // guarded by mutex_
  HttpServer server_;
};

// "auto" takes every prompt for code, hence to "small".
struct TracedServing {
  // Without `tracing` nothing is traced. Ends in the order in which `aio serve` does.
  TracedServing(ServeTracing* tracing, ServerOptions options, FakeBackend::Delivery delivery)
      : models(Models(), delivery) {
    Backend* behind_router = &models;
    if (tracing != nullptr) {
      traced_models = tracing->InFront(models, TracedPlace::kModels);
      behind_router = traced_models.get();
    }
    RouterOptions routing;
    routing.small = {.backend = behind_router, .model = "small"};
    routing.large = {.backend = behind_router, .model = "large"};
    routing.labels = {
        .prefix = "", .suffix = "?", .labels = {{"code", "code"}, {"qa", "qa"}, {"math", "math"}}};
    routing.policy = RoutingPolicy::Paper();
    router = Router::Create(std::move(routing), clock).value();
    Backend* behind_queue = router.get();
    if (tracing != nullptr) {
      traced_router = tracing->InFront(*router, TracedPlace::kRouter);
      behind_queue = traced_router.get();
      tracing->Connect(options);
    }
    admission = std::make_unique<AdmissionBackend>(*behind_queue, AdmissionLimits{}, clock);
    options.port = 0;
    options.drain_notice = Duration::zero();
    server = Server::Create(*admission, std::move(options), clock).value();
    const Status started = server->Start();
    AIO_CHECK(started.ok(), started.ToString().c_str());
  }

  static std::vector<FakeModel> Models() {
    FakeModel small = FakeModel::Named("small", "small");
    small.logits = [](const Request&, const LabelQuery&) { return std::vector<float>{5, 0, 0}; };
    small.probe_traffic = {.weight_bytes = 1000, .kv_bytes = 10};
    return {small, FakeModel::Named("large", "large")};
  }

  SystemClock clock;
  FakeBackend models;
  std::unique_ptr<Backend> traced_models;
  std::unique_ptr<Router> router;
  std::unique_ptr<Backend> traced_router;
  std::unique_ptr<AdmissionBackend> admission;
  std::unique_ptr<Server> server;
};

}  // namespace aio

#endif  // AIO_APP_TRACING_TEST_SETUP_H_
