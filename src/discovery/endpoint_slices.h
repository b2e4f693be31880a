// Reads EndpointSlices (discovery.k8s.io/v1) as Kubernetes' API gives them, and says which replicas
// they are.
// https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
#ifndef AIO_DISCOVERY_ENDPOINT_SLICES_H_
#define AIO_DISCOVERY_ENDPOINT_SLICES_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "discovery/replica_spec.h"
#include "discovery/replica_url.h"

namespace aio {

struct SliceEndpoint {
  std::string address;  // its first: the others are the same endpoint's (as kube-proxy has it)
  std::string zone;     // or empty
  std::string pod_uid;  // or empty: a pod with two families is in a slice of each
  bool ready = true;
  bool terminating = false;
};

struct SlicePort {
  std::string name;  // of the Service's port; empty where it has only one
  int number = 0;    // that the pods listen on
};

// Some of a Service's endpoints, which have the ports in common.
struct EndpointSlice {
  std::string name;
  bool holds_names = false;  // addressType FQDN: addresses are names of hosts
  std::vector<SlicePort> ports;
  std::vector<SliceEndpoint> endpoints;
};

inline constexpr size_t kSlicesMax = 1024;  // of a Service

struct EndpointSliceList {
  std::string resource_version;  // from which to watch
  std::vector<EndpointSlice> slices;
};

// One line of a watch.
struct SliceEvent {
  enum class Kind { kPut, kDeleted, kBookmark, kError };
  Kind kind = Kind::kBookmark;
  std::string resource_version;  // from which to watch on; not with kError
  EndpointSlice slice;           // kPut; of kDeleted the name
  int error_code = 0;            // kError: as in HTTP; 410: list again
};

// Faults are what nothing can be made of: other JSON, addresses that are none, more slices,
// endpoints or ports than there can be. Unknown members are passed over.
Result<EndpointSliceList> ParseEndpointSliceList(std::string_view json);
Result<SliceEvent> ParseSliceEvent(std::string_view json);

// What was asked for, "http://SERVICE.NAMESPACE:PORT/prefix".
struct KubernetesService {
  std::string name;
  std::string name_space;
  ReplicaUrl url;  // its host is what replicas get to hear: "SERVICE.NAMESPACE.svc"
};

using EndpointSlices = std::map<std::string, EndpointSlice>;  // by name

struct SliceReplicas {
  std::vector<ReplicaSpec> replicas;
  Status fault;  // why some endpoints are none: no slices, no such port
};

// Ready endpoints are replicas, terminating ones draining replicas, others none. What stands in
// several slices is one replica. kResourceExhausted: there are more than kReplicasMax.
Result<SliceReplicas> ReplicasOf(const EndpointSlices& slices, const KubernetesService& service,
                                 const ReplicaSpec& defaults);

}  // namespace aio

#endif  // AIO_DISCOVERY_ENDPOINT_SLICES_H_
