// What all requests to one remote model share. Internal to remote/.
#ifndef AIO_REMOTE_REMOTE_MODEL_H_
#define AIO_REMOTE_REMOTE_MODEL_H_

#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "remote/http_transport.h"
#include "remote/remote_options.h"
#include "remote/replica_set.h"
#include "remote/retry_budget.h"
#include "remote/strategy_governor.h"
#include "remote/token_ratio.h"

namespace aio {

class RemoteGeneration;

struct RemoteModel {
  RemoteModel(RemoteOptions given, HttpTransport& http, ReplicaStateCallback on_state)
      : options(std::move(given)),
        transport(http),
        replicas(
            options.replicas, [&http] { return http.Now(); }, std::move(on_state)),
        random(options.replicas.seed + 1) {
    auto lines = std::make_shared<std::vector<std::string>>();
    lines->push_back("content-type: application/json");
    lines->push_back("accept: text/event-stream");
    if (!options.api_key.empty()) lines->push_back("authorization: Bearer " + options.api_key);
    headers = std::move(lines);
  }

  // For tickets, which may outlive the backend and what it asks.
  void PostIfOpen(std::function<void()> task) {
    const std::lock_guard lock(open_mutex);
    if (open) transport.Post(std::move(task));
  }
  void Close() {
    const std::lock_guard lock(open_mutex);
    open = false;
  }

  const RemoteOptions options;
  HttpTransport& transport;
  std::shared_ptr<const std::vector<std::string>> headers;
  ReplicaSet replicas;
  StrategyGovernor governor;
  TokenRatio ratio;

  std::mutex open_mutex;
  bool open = true;  // guarded by open_mutex

  // The transport's thread's own:
  RetryBudget retries;
  std::mt19937_64 random;
  std::set<std::shared_ptr<RemoteGeneration>> running;
  bool sweeps = false;   // a look at what runs is due
  bool closing = false;  // nothing more is begun
};

}  // namespace aio

#endif  // AIO_REMOTE_REMOTE_MODEL_H_
