#include "app/remote_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file_descriptor.h"
#include "base/random_bits.h"
#include "remote/curl_http_transport.h"
#include "remote/replica.h"

namespace aio {

Result<ServedElsewhere> ConnectRemoteModel(const ModelSettings& settings, const Clock& clock,
                                           RemoteModelHooks hooks) {
  const RemoteModelSettings& remote = *settings.remote;
  ServedElsewhere model;
  for (const auto& [key, file] : {std::pair("ca_file", remote.ca_file),
                                  {"client_certificate", remote.client_certificate},
                                  {"client_key", remote.client_key}}) {
    if (file.empty() || access(file.c_str(), R_OK) == 0) continue;
    return SystemError(fmt::format("read '{}' (models.{}.{})", file, settings.role, key), errno);
  }
  AIO_ASSIGN_OR_RETURN(model.transport,
                       MakeCurlHttpTransport({.ca_file = remote.ca_file,
                                              .client_certificate = remote.client_certificate,
                                              .client_key = remote.client_key},
                                             clock, std::move(hooks.io)));
  RemoteOptions options = remote.options;
  options.replicas.seed = RandomBits();  // not as others choose who ask the same replicas
  model.backend = std::make_unique<RemoteBackend>(std::move(options), *model.transport,
                                                  std::move(hooks.on_replica));
  if (!hooks.on_fault) hooks.on_fault = [](const Status&) {};
  AIO_ASSIGN_OR_RETURN(model.discovery,
                       StartDiscovery(
                           remote.discovery, clock,
                           [backend = model.backend.get(), told = std::move(hooks.on_replicas)](
                               const std::vector<ReplicaSpec>& replicas) {
                             std::vector<std::string> names;
                             names.reserve(replicas.size());
                             for (const ReplicaSpec& replica : replicas)
                               names.push_back(KeyOf(replica));
                             if (told) told(names);
                             backend->SetReplicas(replicas);
                           },
                           std::move(hooks.on_fault)));
  return model;
}

}  // namespace aio
