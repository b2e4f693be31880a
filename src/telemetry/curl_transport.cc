#include "telemetry/curl_transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace aio {
namespace {

constexpr size_t kBodyBytesMax = 64 << 10;

size_t KeepBytes(char* bytes, size_t size, size_t count, void* body) {
  auto& kept = *static_cast<std::string*>(body);
  kept.append(bytes, std::min(size * count, kBodyBytesMax - kept.size()));
  return size * count;
}

int AskWhetherToGoOn(void* goes_on, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(goes_on))() ? 0 : 1;
}

class CurlTransport final : public OtlpTransport {
 public:
  CurlTransport(std::string url, const std::vector<std::pair<std::string, std::string>>& headers)
      : url_(std::move(url)) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    AIO_CHECK(initialised == CURLE_OK, "libcurl cannot be initialised");
    easy_ = curl_easy_init();
    AIO_CHECK(easy_ != nullptr, "libcurl gives no handle");
    AddHeader("content-type: application/json");
    AddHeader("expect:");  // no waiting for 100 Continue
    for (const auto& [name, value] : headers) AddHeader(fmt::format("{}: {}", name, value));
  }
  ~CurlTransport() override {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
  }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  OtlpReply Post(const std::string& body, Duration timeout,
                 const std::function<bool()>& goes_on) override {
    OtlpReply reply;
    SetOptions(body, timeout, goes_on, reply.body);
    const CURLcode code = curl_easy_perform(easy_);
    if (code != CURLE_OK) {
      reply.fault = Unavailable(curl_easy_strerror(code));
      return reply;
    }
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    reply.http_status = static_cast<int>(status);
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &seconds);
    constexpr curl_off_t kLongest = 3600;  // whatever a collector says
    if (seconds > 0) reply.retry_after = std::chrono::seconds(std::min(seconds, kLongest));
    return reply;
  }

 private:
  void AddHeader(const std::string& line) { headers_ = curl_slist_append(headers_, line.c_str()); }

  void SetOptions(const std::string& body, Duration timeout, const std::function<bool()>& goes_on,
                  std::string& kept) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_USERAGENT, "aio");
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(1, ms)));
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, KeepBytes);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &kept);
    curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, AskWhetherToGoOn);
    curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, &goes_on);
  }

  const std::string url_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
};

}  // namespace

std::unique_ptr<OtlpTransport> MakeCurlTransport(
    std::string url, std::vector<std::pair<std::string, std::string>> headers) {
  return std::make_unique<CurlTransport>(std::move(url), headers);
}

}  // namespace aio
