// Shared limits in a PostgreSQL database.
#ifndef AIO_ACCESS_POSTGRES_LIMIT_STORE_H_
#define AIO_ACCESS_POSTGRES_LIMIT_STORE_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/limit_store.h"
#include "postgres/connection.h"

namespace aio {

// The schema "aio_limits": a row for each bucket, and one for each program that is there. Time is
// the server's. A program that has not been heard of for ten seconds is none any more.
class PostgresLimitStore final : public LimitStore {
 public:
  explicit PostgresLimitStore(std::string url);

  Status Open() override;
  Result<SharedLevels> Exchange(const std::vector<BucketUse>& uses) override;
  void Leave() override;
  void Stop() override { stopping_ = true; }

 private:
  Status TellThatWeAreHere();
  Result<SharedLevels> ExchangeBuckets(const std::vector<BucketUse>& uses);

  const std::string url_;
  const std::string instance_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<PostgresConnection> connection_;  // null: not open
  int members_ = 1;
  std::optional<std::chrono::steady_clock::time_point> told_;  // when members_ was read
};

}  // namespace aio

#endif  // AIO_ACCESS_POSTGRES_LIMIT_STORE_H_
