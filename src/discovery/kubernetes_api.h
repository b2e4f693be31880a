// GET requests to Kubernetes' API by libcurl, which can be ended at any time.
#ifndef AIO_DISCOVERY_KUBERNETES_API_H_
#define AIO_DISCOVERY_KUBERNETES_API_H_

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace aio {

struct KubernetesApiOptions {
  std::string url;         // "https://10.0.0.1:443"
  std::string token_file;  // empty: requests have no token
  std::string ca_file;     // of https; empty: the system's authorities
};

// One thread uses it.
class KubernetesApi {
 public:
  // Gets an answer's bytes as they come; false ends the request, which then has gone well.
  using OnBytes = std::function<bool(std::string_view)>;

  explicit KubernetesApi(KubernetesApiOptions options);
  ~KubernetesApi();
  KubernetesApi(const KubernetesApi&) = delete;
  KubernetesApi& operator=(const KubernetesApi&) = delete;

  // Returns at the end of an answer of status 200. Faults: no such answer (kUnauthenticated: 401,
  // kPermissionDenied: 403, kNotFound: 404, IsGone(): 410), kDeadlineExceeded after
  // `timeout`, kCancelled when `stop` is requested. The token is read anew each time.
  Status Get(const std::string& path, Duration timeout, const OnBytes& on_bytes,
             const std::stop_token& stop);

 private:
  struct Transfer;
  Status Begin(Transfer& transfer, const std::string& path, Duration timeout);
  Status Perform(Transfer& transfer, const std::stop_token& stop);

  const KubernetesApiOptions options_;
  void* multi_;  // CURLM
};

// The fault of 410: what was watched from is forgotten, list again.
Status ApiGone();
bool IsGone(const Status& status);

}  // namespace aio

#endif  // AIO_DISCOVERY_KUBERNETES_API_H_
