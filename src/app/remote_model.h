// A model that other servers hold, from its settings.
#ifndef AIO_APP_REMOTE_MODEL_H_
#define AIO_APP_REMOTE_MODEL_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/io_threads.h"
#include "base/status.h"
#include "discovery/discovery.h"
#include "remote/http_transport.h"
#include "remote/remote_backend.h"

namespace aio {

// What finds its replicas and asks them: later members use earlier ones.
struct ServedElsewhere {
  std::unique_ptr<HttpTransport> transport;
  std::unique_ptr<RemoteBackend> backend;
  std::unique_ptr<Discovery> discovery;
};

struct RemoteModelHooks {
  std::shared_ptr<IoThreads> io = nullptr;  // that its calls wait on; null: a thread of their own
  // When looking for replicas fails, and with an ok Status when it works again; may be empty, as
  // the next. All from other threads.
  DiscoveryFaultCallback on_fault = {};
  // The names of all replicas: first, and when they have changed.
  std::function<void(const std::vector<std::string>&)> on_replicas = {};
  ReplicaStateCallback on_replica = {};
};

// `clock` outlives what is returned.
Result<ServedElsewhere> ConnectRemoteModel(const ModelSettings& settings, const Clock& clock,
                                           RemoteModelHooks hooks);

}  // namespace aio

#endif  // AIO_APP_REMOTE_MODEL_H_
