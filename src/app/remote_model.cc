#include "app/remote_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file_descriptor.h"
#include "base/random_bits.h"
#include "remote/curl_http_transport.h"

namespace aio {

Result<ServedElsewhere> ConnectRemoteModel(const ModelSettings& settings, const Clock& clock,
                                           std::shared_ptr<IoThreads> io,
                                           DiscoveryFaultCallback on_fault) {
  const RemoteModelSettings& remote = *settings.remote;
  ServedElsewhere model;
  if (!remote.ca_file.empty() && access(remote.ca_file.c_str(), R_OK) != 0) {
    return SystemError(
        fmt::format("models.{}.ca_file: '{}' cannot be read", settings.role, remote.ca_file),
        errno);
  }
  AIO_ASSIGN_OR_RETURN(model.transport,
                       MakeCurlHttpTransport({.ca_file = remote.ca_file}, clock, std::move(io)));
  RemoteOptions options = remote.options;
  options.replicas.seed = RandomBits();  // not as others choose who ask the same replicas
  model.backend = std::make_unique<RemoteBackend>(std::move(options), *model.transport);
  if (!on_fault) on_fault = [](const Status&) {};
  AIO_ASSIGN_OR_RETURN(
      model.discovery,
      StartDiscovery(
          remote.discovery, clock,
          [backend = model.backend.get()](const std::vector<ReplicaSpec>& replicas) {
            backend->SetReplicas(replicas);
          },
          std::move(on_fault)));
  return model;
}

}  // namespace aio
