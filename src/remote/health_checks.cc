#include "remote/health_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace aio {
namespace {

// Some engines answer it on a port of its own.
std::string HealthUrl(const std::string& url, const RemoteOptions& options) {
  const std::string path(options.profile.health_path);
  if (options.health_port == 0) return url + path;
  const size_t host = url.find("://") + 3;
  const size_t end = std::min(url.find('/', host), url.size());
  size_t colon = url.rfind(':', end);
  if (colon == std::string::npos || colon < host || url.find(']', colon) < end) colon = end;
  return url.substr(0, colon) + ":" + std::to_string(options.health_port) + path;
}

// One question to one replica. An answer that comes too late is none.
class HealthCheck final : public HttpReceiver, public std::enable_shared_from_this<HealthCheck> {
 public:
  HealthCheck(std::weak_ptr<RemoteModel> model, std::string key)
      : model_(std::move(model)), key_(std::move(key)) {}

  static void Start(const std::shared_ptr<RemoteModel>& model, const ReplicaSpec& spec) {
    HttpTransport& transport = model->transport;
    const auto check = std::make_shared<HealthCheck>(model, KeyOf(spec));
    const auto handle = transport.Start(
        {.url = HealthUrl(spec.url, model->options),
         .address = spec.address,
         .port = model->options.health_port > 0 ? model->options.health_port : spec.port,
         .headers = model->headers,
         .connect_timeout = model->options.health_timeout},
        check);
    transport.RunAt(transport.Now() + model->options.health_timeout, [check, handle] {
      if (check->is_over_) return;
      handle->Cancel();
      check->Tell(false, "its health check is not answered in time");
    });
  }

  void OnHead(const HttpHead& head) override { status_ = head.status; }
  bool OnBytes(std::string_view) override { return true; }
  void OnEnd(const Status& fault) override {
    if (!fault.ok()) return Tell(false, fault.message());
    Tell(status_ >= 200 && status_ < 300,
         fmt::format("its health check is answered with HTTP {}", status_));
  }

 private:
  void Tell(bool well, std::string_view why) {
    if (std::exchange(is_over_, true)) return;
    if (const auto model = model_.lock()) model->replicas.OnCheck(key_, well, why);
  }

  const std::weak_ptr<RemoteModel> model_;
  const std::string key_;
  int status_ = 0;
  bool is_over_ = false;
};

void CheckAll(const std::weak_ptr<RemoteModel>& weak) {
  const auto model = weak.lock();
  if (model == nullptr || model->closing) return;
  for (const ReplicaSpec& spec : model->replicas.specs()) HealthCheck::Start(model, spec);
  // Not in step with others who ask the same replicas.
  const double jitter = std::uniform_real_distribution<double>(0.9, 1.1)(model->random);
  const auto interval =
      std::chrono::duration_cast<Duration>(model->options.health_interval * jitter);
  model->transport.RunAt(model->transport.Now() + interval, [weak] { CheckAll(weak); });
}

}  // namespace

void StartHealthChecks(const std::shared_ptr<RemoteModel>& model) {
  const RemoteOptions& options = model->options;
  if (options.health_interval <= Duration::zero() || options.profile.health_path.empty()) return;
  model->transport.Post([weak = std::weak_ptr(model)] { CheckAll(weak); });
}

}  // namespace aio
