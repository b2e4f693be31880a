// Finds the replicas of a model, and goes on looking: docs/discovery.md.
//
// What was once known stays when a look-up fails: a set never becomes empty because a name server
// or Kubernetes' API is away.
#ifndef AIO_DISCOVERY_DISCOVERY_H_
#define AIO_DISCOVERY_DISCOVERY_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "discovery/replica_spec.h"

namespace aio {

enum class DiscoveryKind { kStatic, kDns, kSrv, kFile, kKubernetes };

// "static", "dns", "srv", "file", "kubernetes", as in the key `kind`. Absent: none of these.
std::optional<DiscoveryKind> ReadDiscoveryKind(std::string_view name);
std::string_view DiscoveryKindName(DiscoveryKind kind);

struct DiscoverySettings {
  DiscoveryKind kind = DiscoveryKind::kStatic;
  // kDns: URL whose host has the replicas' addresses, "http://vllm.ns.svc:8000".
  // kSrv: URL whose host has SRV records, "http://_http._tcp.vllm.ns.svc"; without a port.
  // kFile: path of a TOML file with [[replicas]].
  // kKubernetes: "http://SERVICE.NAMESPACE:PORT"; without a namespace the pod's own; PORT is the
  // number that the pods listen on, or the name of the Service's port, and may be left out where
  // there is only one.
  std::string name;
  std::vector<ReplicaSpec> replicas;  // kStatic: all there are
  // Between looks, give or take a fifth; > 0. Kubernetes' API tells changes by itself; there, the
  // first wait after a fault is not longer.
  Duration interval = std::chrono::seconds(5);

  // Of replicas of which the source says nothing else; with SRV weights are multiplied.
  double weight = 1;
  std::string zone;
  std::string strategy;

  // How long a set is kept, counted from the first answer, while name servers answer that there is
  // no such name, or none of its records.
  Duration absence_max = std::chrono::seconds(60);

  // Where Kubernetes' API is; what is empty is as in a pod: KUBERNETES_SERVICE_HOST and _PORT, and
  // files of /var/run/secrets/kubernetes.io/serviceaccount. With `api_url` and without
  // `token_file`, requests have no token (`kubectl proxy`).
  struct Kubernetes {
    std::string api_url;     // "https://10.0.0.1:443"
    std::string token_file;  // read anew for each request: tokens rotate
    std::string ca_file;
    std::string namespace_file;

    friend bool operator==(const Kubernetes&, const Kubernetes&) = default;
  } kubernetes;

  // "127.0.0.1:5353", IPv4, in place of the name servers and search list of /etc/resolv.conf.
  std::string dns_server;
  // That search list, with `dns_server`; names of fewer than five dots are short, as in a pod.
  std::vector<std::string> dns_search;

  friend bool operator==(const DiscoverySettings&, const DiscoverySettings&) = default;
};

// The whole set, sorted: first whatever is found, then only when it has changed. Called from the
// discovery's own thread, which it must not end.
using ReplicasCallback = std::function<void(std::vector<ReplicaSpec>)>;
// A fault, when it is new; an ok Status when what was told is over. From the same thread.
using DiscoveryFaultCallback = std::function<void(const Status&)>;

class Discovery {
 public:
  // Stops its thread; no callback comes any more. May wait for a question that a name server has
  // yet to answer: some seconds at most.
  virtual ~Discovery() = default;
};

// Returns when the first look is over, well or not, or after 5 s; it goes on looking in both
// cases. Settings that will not do, and a file that cannot be used at the start, are errors.
// `clock` outlives what is returned.
Result<std::unique_ptr<Discovery>> StartDiscovery(const DiscoverySettings& settings,
                                                  const Clock& clock, ReplicasCallback on_replicas,
                                                  DiscoveryFaultCallback on_fault);

}  // namespace aio

#endif  // AIO_DISCOVERY_DISCOVERY_H_
