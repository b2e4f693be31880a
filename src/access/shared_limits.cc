#include "access/shared_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace aio {
namespace {

// A key in use is asked about at every exchange, one that is not only so often: what others take
// of it is known before it is used here.
constexpr Duration kInUse = std::chrono::seconds(2);
constexpr Duration kRound = std::chrono::seconds(5);

// A new key of an old name has a bucket of its own. The whole hash need not be in a database.
std::string BucketName(const ApiKey& key, std::string_view limit) {
  std::string hash;
  for (size_t i = 0; i < 8; ++i) hash += fmt::format("{:02x}", key.hash[i]);
  return fmt::format("{}:{}:{}", key.name, hash, limit);
}

bool IsConfigurations(const Status& status) {
  return status.code() == StatusCode::kPermissionDenied || status.code() == StatusCode::kNotFound ||
         status.code() == StatusCode::kInvalidArgument;
}

}  // namespace

struct SharedLimits::Reported {
  std::shared_ptr<KeyBudgets> budgets;
  std::string_view limit;
  BucketUse use;
};

SharedLimits::SharedLimits(std::unique_ptr<LimitStore> store, std::shared_ptr<AccessControl> access,
                           SharedLimitsOptions options, const Clock& clock)
    : access_(std::move(access)),
      options_(std::move(options)),
      clock_(clock),
      store_(std::move(store)) {}

SharedLimits::~SharedLimits() {
  {
    std::lock_guard lock(stop_mutex_);
    stopping_ = true;
  }
  store_->Stop();
  stop_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (up_) (void)Exchange();
  store_->Leave();
}

Status SharedLimits::Start() {
  {
    std::lock_guard lock(exchange_mutex_);
    Status opened = store_->Open();
    if (!opened.ok() && IsConfigurations(opened)) return opened;
  }
  (void)Exchange();  // if it is away, that was told
  thread_ = std::thread([this] { Run(); });
  return Status::Ok();
}

void SharedLimits::Run() {
  Duration wait = up_ ? options_.interval : options_.retry_interval;
  while (true) {
    {
      std::unique_lock lock(stop_mutex_);
      if (stop_.wait_for(lock, wait, [this] { return stopping_; })) return;
    }
    if (Exchange().ok()) {
      wait = options_.interval;
    } else {
      wait = std::clamp(2 * wait, options_.retry_interval, options_.retry_interval_max);
    }
  }
}

Status SharedLimits::Exchange() {
  std::lock_guard lock(exchange_mutex_);
  Status exchanged = ExchangeUses();
  ++(exchanged.ok() ? exchanges_ : errors_);
  up_ = exchanged.ok();
  if (!exchanged.ok()) next_round_ = TimePoint::min();  // when it is back, all is told
  ReportHealth(exchanged);
  return exchanged;
}

Status SharedLimits::ExchangeUses() {
  const std::vector<Reported> reported = GatherUses(clock_.Now());
  std::vector<BucketUse> uses;
  uses.reserve(reported.size());
  for (const Reported& one : reported) uses.push_back(one.use);
  // If the answer is lost after the store has committed, the same is told again and charged twice:
  // of one exchange, and to the client's disadvantage, which time repays.
  AIO_ASSIGN_OR_RETURN(const SharedLevels shared, store_->Exchange(uses));
  const TimePoint now = clock_.Now();
  for (size_t i = 0; i < reported.size(); ++i) {
    reported[i].budgets->Learn(reported[i].limit, shared.levels[i], shared.members, now);
  }
  // All shares are others now.
  if (members_.exchange(shared.members) != shared.members) next_round_ = TimePoint::min();
  return Status::Ok();
}

std::vector<SharedLimits::Reported> SharedLimits::GatherUses(TimePoint now) {
  const bool all = now >= next_round_;
  if (all) next_round_ = now + kRound;
  std::vector<Reported> gathered;
  for (const std::shared_ptr<const Account>& account : access_->All()) {
    if (!all && now - account->budgets->last_use() >= kInUse) continue;
    for (const LimitUse& use : account->budgets->BeginReport(now)) {
      gathered.push_back({.budgets = account->budgets,
                          .limit = use.limit,
                          .use = {.bucket = BucketName(account->key, use.limit),
                                  .capacity = use.capacity,
                                  .period = use.period,
                                  .used = use.used}});
    }
  }
  return gathered;
}

void SharedLimits::ReportHealth(const Status& status) {
  if (status.ok() == healthy_) return;
  healthy_ = status.ok();
  if (options_.on_health) options_.on_health(status);
}

SharedLimitsCounts SharedLimits::counts() const {
  return {.exchanges = exchanges_, .errors = errors_, .members = members_, .up = up_};
}

}  // namespace aio
