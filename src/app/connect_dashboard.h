// `aio serve` and its dashboard: the page at / and what it asks for.
#ifndef AIO_APP_CONNECT_DASHBOARD_H_
#define AIO_APP_CONNECT_DASHBOARD_H_

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "dashboard/recent_decisions.h"
#include "router/router.h"
#include "server/server.h"

namespace aio {

// GB/s of a plain read by `threads` threads of memory beyond the caches. Measured once, from its
// construction on, which takes some tenths of a second: a server need not wait for it.
class QuickReadBandwidth {
 public:
  QuickReadBandwidth(int threads, const Clock& clock);  // `clock` outlives it

  double gb_per_s() const { return gb_per_s_; }  // 0 until it is known

 private:
  std::atomic<double> gb_per_s_{0};
  std::jthread thread_;
};

using RouterNow = std::function<std::shared_ptr<const Router>()>;

// Adds GET / (open: it holds nothing of the server's), and for administrators, since decisions are
// those of all clients, GET /v1/aio/live?since=VERSION and GET /v1/aio/what-if?entropy_max=NATS.
// All arguments outlive the server.
void ConnectDashboard(RouterNow router, const RecentDecisions& decisions,
                      const QuickReadBandwidth& bandwidth, const Clock& clock,
                      ServerOptions& options);

}  // namespace aio

#endif  // AIO_APP_CONNECT_DASHBOARD_H_
