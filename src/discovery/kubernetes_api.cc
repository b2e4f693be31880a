#include "discovery/kubernetes_api.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/toml_table.h"

namespace aio {
namespace {

constexpr std::string_view kGone = "gone";
constexpr auto kConnectTimeout = std::chrono::seconds(5);
// A watch may be silent for minutes. A connection whose other end is gone is noticed after 30 s:
// three questions without an answer, 5 s apart, after 15 s of silence.
constexpr long kKeepaliveIdleSeconds = 15;
constexpr long kKeepaliveIntervalSeconds = 5;
constexpr int kKeepaliveCount = 3;

// libcurl sets the rest; this option it has only since 8.9.
int SetKeepaliveCount(void*, curl_socket_t socket, curlsocktype) {
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &kKeepaliveCount, sizeof kKeepaliveCount);
  return CURL_SOCKOPT_OK;
}

Status FaultOf(CURLcode code, const std::string& ca_file) {
  if (code == CURLE_OK) return Status::Ok();
  if (code == CURLE_SSL_CACERT_BADFILE) {
    return InvalidArgument(fmt::format("{}: cannot be read as certificates", ca_file));
  }
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    return Unavailable(fmt::format("Kubernetes' API has a certificate of no authority in {}",
                                   ca_file.empty() ? "the system's list" : ca_file));
  }
  const std::string what = fmt::format("Kubernetes' API: {}", curl_easy_strerror(code));
  return code == CURLE_OPERATION_TIMEDOUT ? DeadlineExceeded(what) : Unavailable(what);
}

Status FaultOf(long http_status) {
  switch (http_status) {
    case 200:
      return Status::Ok();
    case 401:
      return Status(StatusCode::kUnauthenticated,
                    "Kubernetes' API takes the token for nobody's (401); is it this cluster's?");
    case 403:
      return Status(StatusCode::kPermissionDenied,
                    "Kubernetes' API does not let us (403); the service account needs a Role with "
                    "the verbs list and watch on endpointslices of discovery.k8s.io");
    case 404:
      return NotFound("Kubernetes' API has no EndpointSlices (404); is it 1.21 or later?");
    case 410:
      return ApiGone();
    default:
      return Unavailable(fmt::format("Kubernetes' API answers {}", http_status));
  }
}

// "Bearer ..." for the header. What a file holds goes into a header only if it can be a token.
Result<std::string> ReadToken(const std::string& path) {
  AIO_ASSIGN_OR_RETURN(std::string token, ReadSmallFile(path));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (token.empty() || !std::all_of(token.begin(), token.end(), is_plain)) {
    return InvalidArgument(fmt::format("{}: holds no token", path));
  }
  return token;
}

}  // namespace

struct KubernetesApi::Transfer {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  const OnBytes& on_bytes;
  bool ended = false;  // by on_bytes

  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }

  long HttpStatus() const {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  static size_t OnData(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const size_t length = size * count;
    if (transfer.HttpStatus() != 200) return CURL_WRITEFUNC_ERROR;  // its text is not needed
    if (transfer.on_bytes({bytes, length})) return length;
    transfer.ended = true;
    return CURL_WRITEFUNC_ERROR;
  }
};

KubernetesApi::KubernetesApi(KubernetesApiOptions options) : options_(std::move(options)) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  AIO_CHECK(initialised == CURLE_OK, "libcurl cannot be initialised");
  multi_ = curl_multi_init();
  AIO_CHECK(multi_ != nullptr, "libcurl gives no handle");
}

KubernetesApi::~KubernetesApi() { curl_multi_cleanup(static_cast<CURLM*>(multi_)); }

Status KubernetesApi::Get(const std::string& path, Duration timeout, const OnBytes& on_bytes,
                          const std::stop_token& stop) {
  Transfer transfer{.easy = curl_easy_init(), .headers = nullptr, .on_bytes = on_bytes};
  if (transfer.easy == nullptr) return ResourceExhausted("no memory for a request");
  AIO_RETURN_IF_ERROR(Begin(transfer, path, timeout));
  auto* multi = static_cast<CURLM*>(multi_);
  curl_multi_add_handle(multi, transfer.easy);
  Status performed = Perform(transfer, stop);
  curl_multi_remove_handle(multi, transfer.easy);
  return performed;
}

Status KubernetesApi::Begin(Transfer& transfer, const std::string& path, Duration timeout) {
  CURL* easy = transfer.easy;
  const auto add = [&](const std::string& line) {
    transfer.headers = curl_slist_append(transfer.headers, line.c_str());
  };
  add("accept: application/json");
  if (!options_.token_file.empty()) {
    AIO_ASSIGN_OR_RETURN(const std::string token, ReadToken(options_.token_file));
    add("authorization: Bearer " + token);
  }
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  const long connect_ms = std::chrono::milliseconds(kConnectTimeout).count();
  curl_easy_setopt(easy, CURLOPT_URL, (options_.url + path).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // the API is inside the cluster
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "aio");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &SetKeepaliveCount);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(1, ms)));
  if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnData);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  return Status::Ok();
}

Status KubernetesApi::Perform(Transfer& transfer, const std::stop_token& stop) {
  constexpr int kPollMs = 1000;
  auto* multi = static_cast<CURLM*>(multi_);
  const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  while (!stop.stop_requested()) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      if (transfer.ended) return Status::Ok();
      Status answered = FaultOf(transfer.HttpStatus());
      // No status at all is the connection's fault; another than 200 says more than that.
      if (transfer.HttpStatus() != 0 && !answered.ok()) return answered;
      return FaultOf(message->data.result, options_.ca_file);
    }
    curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
  }
  return Cancelled("the discovery ends");
}

Status ApiGone() {
  return Unavailable("Kubernetes' API has forgotten what was watched from (410)")
      .WithReason(std::string(kGone));
}

bool IsGone(const Status& status) { return status.reason() == kGone; }

}  // namespace aio
