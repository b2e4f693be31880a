#include "app/connect_dashboard.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/error_object.h"
#include "app/read_bandwidth.h"
#include "base/page_memory.h"
#include "base/thread_pool.h"
#include "dashboard/dashboard_json.h"
#include "pages/fill_page.h"
#include "pages/page_templates.h"

namespace aio {

namespace {

// Its scripts are its own and it talks to nobody else; nobody may frame it.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

HttpResponse Page() {
  return {.status = 200,
          .headers = {{"content-type", "text/html; charset=utf-8"},
                      {"content-security-policy", std::string(kContentSecurityPolicy)},
                      {"x-content-type-options", "nosniff"},
                      {"referrer-policy", "no-referrer"},
                      {"cache-control", "no-cache"}},
          .body = FillPage(DashboardPageTemplate(), "{}")};
}

HttpResponse Json(int status, std::string body) {
  return {.status = status,
          .headers = {{"content-type", "application/json"}, {"cache-control", "no-store"}},
          .body = std::move(body)};
}

template <typename T>
std::optional<T> ReadNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

HttpResponse Live(const LiveView& view, std::string_view query) {
  const std::string_view since = QueryValue(query, "since");
  const auto version = since.empty() ? std::optional<uint64_t>(0) : ReadNumber<uint64_t>(since);
  if (!version) return Json(400, EncodeError(400, "'since' must be a version, a whole number"));
  return Json(200, LiveJson(view, *version));
}

HttpResponse WhatIf(const LiveView& view, std::string_view query) {
  const auto entropy = ReadNumber<double>(QueryValue(query, "entropy_max"));
  if (!entropy || !std::isfinite(*entropy) || *entropy < 0 || *entropy > kEntropyMax) {
    return Json(400, EncodeError(400, "'entropy_max' must be nats, from 0 to 100"));
  }
  return Json(200, WhatIfJson(view, *entropy));
}

}  // namespace

QuickReadBandwidth::QuickReadBandwidth(int threads, const Clock& clock)
    : thread_([this, threads, &clock] {
        constexpr int64_t kBytes = int64_t{192} << 20;
        const Result<PageMemory> memory = PageMemory::Reserve(kBytes);
        if (!memory.ok()) return;
        // Written, or the system would lend one page of zeros for all of it.
        std::memset(memory->data(), 1, memory->bytes());
        ThreadPool pool(threads);
        gb_per_s_ =
            ReadBandwidth({memory->data(), memory->bytes()}, pool, clock, /*bytes_min=*/2 * kBytes);
      }) {}

void ConnectDashboard(RouterNow router, const RecentDecisions& decisions,
                      const QuickReadBandwidth& bandwidth, const Clock& clock,
                      ServerOptions& options) {
  // Of the router that serves at this moment.
  const auto answer = [router = std::move(router), &decisions, &clock, &bandwidth](auto make) {
    return [=, &decisions, &clock, &bandwidth](const HttpRequest& request) {
      const std::shared_ptr<const Router> now = router();
      const LiveView view{.backend = *now,
                          .policy = now->policy(),
                          .decisions = decisions,
                          .read_bytes_per_second = bandwidth.gb_per_s() * 1e9,
                          .now = clock.Now()};
      return make(view, request.query);
    };
  };
  options.pages.push_back({"/", true, [page = Page()](const HttpRequest&) { return page; }});
  options.pages.push_back({"/v1/aio/live", false, answer(Live)});
  options.pages.push_back({"/v1/aio/what-if", false, answer(WhatIf)});
}

}  // namespace aio
