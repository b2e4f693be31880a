// Replicas from the EndpointSlices of a Service: listed once, then watched.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/toml_table.h"
#include "discovery/endpoint_slices.h"
#include "discovery/kubernetes_api.h"
#include "discovery/replica_source.h"
#include "discovery/replica_url.h"

namespace aio {
namespace {

constexpr size_t kListBytesMax = 8 << 20;
constexpr size_t kLineBytesMax = 2 << 20;
constexpr auto kListTimeout = std::chrono::seconds(30);
// A watch ends after so long by the API's doing, give or take a fifth, and is begun anew; a
// connection that has died without a word is noticed a while after.
constexpr auto kWatchTime = std::chrono::seconds(120);
constexpr auto kWatchGrace = std::chrono::seconds(15);
constexpr auto kBackoffFirst = std::chrono::milliseconds(500);
constexpr auto kBackoffMax = std::chrono::seconds(30);
// A watch that lasted so long, or told something but a fault, counts as good.
constexpr auto kGoodWatch = std::chrono::seconds(10);

constexpr std::string_view kAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount/";

// Doubles from `first` on.
class Backoff {
 public:
  explicit Backoff(Duration first) : first_(first), next_(first) {}
  void Reset() { next_ = first_; }
  Duration Next() {
    return Jittered(std::exchange(next_, std::min<Duration>(2 * next_, kBackoffMax)));
  }

 private:
  const Duration first_;
  Duration next_;
};

// Cuts a stream into lines.
class LineCutter {
 public:
  // Calls `take` with each complete line; its fault, or that a line is too long, ends it.
  Status Add(std::string_view bytes, const std::function<Status(std::string_view)>& take) {
    for (size_t end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
      AIO_RETURN_IF_ERROR(Keep(bytes.substr(0, end)));
      const std::string line = std::exchange(line_, {});
      if (!line.empty()) AIO_RETURN_IF_ERROR(take(line));
      bytes.remove_prefix(end + 1);
    }
    return Keep(bytes);
  }

 private:
  Status Keep(std::string_view bytes) {
    if (line_.size() + bytes.size() > kLineBytesMax) {
      return ResourceExhausted(
          fmt::format("Kubernetes' API sends a line of more than {} bytes", kLineBytesMax));
    }
    line_ += bytes;
    return Status::Ok();
  }

  std::string line_;
};

class KubernetesSource final : public ReplicaSource {
 public:
  KubernetesSource(const DiscoverySettings& settings, KubernetesService service,
                   KubernetesApiOptions api, const Clock& clock)
      : clock_(clock),
        service_(std::move(service)),
        api_(std::move(api)),
        backoff_(std::min<Duration>(kBackoffFirst, settings.interval)) {
    defaults_.weight = settings.weight;
    defaults_.zone = settings.zone;
    defaults_.strategy = settings.strategy;
  }

  void Run(ReplicaFeed& feed, std::stop_token stop) override {
    while (true) {
      const Status status = version_.empty() ? List(feed, stop) : Watch(feed, stop);
      if (stop.stop_requested()) return;
      if (!status.ok()) {
        // Whatever went wrong: a new list is the truth.
        version_.clear();
        if (!IsGone(status)) feed.Report(status);
      }
      feed.EndFirstLook();
      if (!status.ok()) WaitUnlessStopped(backoff_.Next(), stop);
    }
  }

 private:
  Status List(ReplicaFeed& feed, const std::stop_token& stop) {
    std::string body;
    bool too_long = false;
    const auto keep = [&](std::string_view bytes) {
      too_long = body.size() + bytes.size() > kListBytesMax;
      if (!too_long) body += bytes;
      return !too_long;
    };
    AIO_RETURN_IF_ERROR(api_.Get(Path(""), kListTimeout, keep, stop));
    if (too_long) {
      return ResourceExhausted(
          fmt::format("Kubernetes' API lists more than {} bytes", kListBytesMax));
    }
    AIO_ASSIGN_OR_RETURN(EndpointSliceList list, ParseEndpointSliceList(body));
    slices_.clear();
    for (EndpointSlice& slice : list.slices) slices_[slice.name] = std::move(slice);
    AIO_RETURN_IF_ERROR(Tell(feed));
    version_ = list.resource_version;
    return Status::Ok();
  }

  Status Watch(ReplicaFeed& feed, const std::stop_token& stop) {
    const Duration lasts = Jittered(kWatchTime);
    const std::string path = Path(
        fmt::format("&watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
                    std::chrono::ceil<std::chrono::seconds>(lasts).count(), Escaped(version_)));
    const TimePoint began = clock_.Now();
    LineCutter lines;
    Status taken;
    bool some = false;
    const auto take_bytes = [&](std::string_view bytes) {
      bool changed = false;
      taken = lines.Add(bytes, [&](std::string_view line) {
        Status event = TakeEvent(line, changed);
        some |= event.ok();  // an API that answers with errors alone is left in peace ever longer
        return event;
      });
      if (changed && taken.ok()) taken = Tell(feed);
      return taken.ok();
    };
    const Status got = api_.Get(path, lasts + kWatchGrace, take_bytes, stop);
    if (some || clock_.Now() - began >= kGoodWatch) backoff_.Reset();
    AIO_RETURN_IF_ERROR(taken);
    AIO_RETURN_IF_ERROR(got);
    // It has ended as it may, and goes on from where it was; not in haste.
    WaitUnlessStopped(backoff_.Next(), stop);
    return Status::Ok();
  }

  Status TakeEvent(std::string_view line, bool& changed) {
    AIO_ASSIGN_OR_RETURN(SliceEvent event, ParseSliceEvent(line));
    switch (event.kind) {
      case SliceEvent::Kind::kPut:
        if (slices_.size() >= kSlicesMax && !slices_.contains(event.slice.name)) {
          return ResourceExhausted(
              fmt::format("Kubernetes' API tells of more than {} EndpointSlices", kSlicesMax));
        }
        slices_[event.slice.name] = std::move(event.slice);
        changed = true;
        break;
      case SliceEvent::Kind::kDeleted:
        slices_.erase(event.slice.name);
        changed = true;
        break;
      case SliceEvent::Kind::kBookmark:
        break;
      case SliceEvent::Kind::kError:
        constexpr int kGoneCode = 410;
        if (event.error_code == kGoneCode) return ApiGone();
        return Unavailable(fmt::format("Kubernetes' API ends the watch with {}", event.error_code));
    }
    version_ = event.resource_version;
    return Status::Ok();
  }

  // Of what the slices say. A Service that is not as asked for is told, and is no fault of a look.
  Status Tell(ReplicaFeed& feed) {
    AIO_ASSIGN_OR_RETURN(SliceReplicas found, ReplicasOf(slices_, service_, defaults_));
    feed.Publish(std::move(found.replicas));
    feed.Report(found.fault.ok() ? Status::Ok()
                                 : std::move(found.fault).WithContext(service_.name));
    return Status::Ok();
  }

  std::string Path(const std::string& query) const {
    return fmt::format(
        "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices?labelSelector="
        "kubernetes.io%2Fservice-name%3D{}{}",
        service_.name_space, service_.name, query);
  }

  // Versions are opaque: what is no letter or digit is percent-encoded.
  static std::string Escaped(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return escaped;
  }

  const Clock& clock_;
  const KubernetesService service_;
  ReplicaSpec defaults_;
  KubernetesApi api_;
  Backoff backoff_;
  EndpointSlices slices_;
  std::string version_;  // of slices_, to watch from; empty: list first
};

Result<std::string> ReadVariable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets any
  if (value != nullptr && *value != '\0') return std::string(value);
  return NotFound(fmt::format(
      "{} is not set: this is no pod of a cluster; find replicas by another kind of discovery",
      name));
}

std::string OrAccountFile(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(kAccountFolder) + std::string(name) : path;
}

Result<KubernetesApiOptions> ApiOptions(const DiscoverySettings::Kubernetes& settings) {
  if (!settings.api_url.empty()) {
    AIO_RETURN_IF_ERROR(CheckReplicaUrl(settings.api_url));
    return KubernetesApiOptions{settings.api_url, settings.token_file, settings.ca_file};
  }
  AIO_ASSIGN_OR_RETURN(const std::string host, ReadVariable("KUBERNETES_SERVICE_HOST"));
  AIO_ASSIGN_OR_RETURN(const std::string port, ReadVariable("KUBERNETES_SERVICE_PORT"));
  const std::string url =
      JoinReplicaUrl({.scheme = "https", .host = host, .port = port, .path = ""});
  AIO_RETURN_IF_ERROR(CheckReplicaUrl(url));
  return KubernetesApiOptions{url, OrAccountFile(settings.token_file, "token"),
                              OrAccountFile(settings.ca_file, "ca.crt")};
}

// A name as Kubernetes has them, which can stand in a URL's path.
bool IsKubernetesName(std::string_view name) {
  return IsHostName(name) && name.find_first_of("._") == name.npos;
}

Result<std::string> OwnNamespace(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(std::string name, ReadSmallFile(path));
  while (!name.empty() && name.back() == '\n') name.pop_back();
  if (!IsKubernetesName(name)) return InvalidArgument(fmt::format("{}: holds no namespace", path));
  return name;
}

Result<KubernetesService> ReadService(const DiscoverySettings& settings) {
  KubernetesService service;
  AIO_ASSIGN_OR_RETURN(service.url, SplitReplicaUrl(settings.name));
  const std::string& host = service.url.host;
  const size_t dot = std::min(host.find('.'), host.size());
  const size_t second = std::min(host.find('.', std::min(dot + 1, host.size())), host.size());
  service.name = host.substr(0, dot);
  service.name_space = dot == host.size() ? "" : host.substr(dot + 1, second - dot - 1);
  const std::string rest = host.substr(second);  // ".svc.cluster.local" may be written too
  const bool numeric = !service.url.port.empty() &&
                       service.url.port.find_first_not_of("0123456789") == std::string::npos;
  if (numeric && !ReadPort(service.url.port)) {
    return InvalidArgument(
        fmt::format("'{}': '{}' is no port; write a name, or a number from 1 to "
                    "65535",
                    settings.name, service.url.port));
  }
  if (service.name_space.empty() && dot == host.size()) {
    AIO_ASSIGN_OR_RETURN(service.name_space, OwnNamespace(OrAccountFile(
                                                 settings.kubernetes.namespace_file, "namespace")));
  }
  if (!IsKubernetesName(service.name) || !IsKubernetesName(service.name_space) ||
      !(rest.empty() || rest == ".svc" || rest.starts_with(".svc."))) {
    return InvalidArgument(
        fmt::format("'{}' is no Service; write http://SERVICE.NAMESPACE:PORT", settings.name));
  }
  service.url.host = service.name + "." + service.name_space + ".svc";
  return service;
}

}  // namespace

Result<std::unique_ptr<ReplicaSource>> MakeKubernetesSource(const DiscoverySettings& settings,
                                                            const Clock& clock) {
  AIO_ASSIGN_OR_RETURN(KubernetesService service, ReadService(settings));
  AIO_ASSIGN_OR_RETURN(KubernetesApiOptions api, ApiOptions(settings.kubernetes));
  return std::unique_ptr<ReplicaSource>(
      std::make_unique<KubernetesSource>(settings, std::move(service), std::move(api), clock));
}

}  // namespace aio
