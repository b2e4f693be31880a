// A model that other servers hold, from its settings.
#ifndef AIO_APP_REMOTE_MODEL_H_
#define AIO_APP_REMOTE_MODEL_H_

#include <memory>

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

// `on_fault` is told, from other threads, when looking for replicas fails, and with an ok Status
// when it works again; it may be empty. Its calls wait on `io`; null: on a thread of their own.
// `clock` outlives what is returned.
Result<ServedElsewhere> ConnectRemoteModel(const ModelSettings& settings, const Clock& clock,
                                           std::shared_ptr<IoThreads> io,
                                           DiscoveryFaultCallback on_fault);

}  // namespace aio

#endif  // AIO_APP_REMOTE_MODEL_H_
