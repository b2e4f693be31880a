#include "access/postgres_limit_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/random_bits.h"
#include "postgres/schema.h"

namespace aio {
namespace {

using std::chrono::steady_clock;

// No request waits for it; but what is not known in time is not worth waiting for.
PostgresTimes Times(const std::atomic<bool>& stopping) {
  return {.connect = std::chrono::seconds(3),
          .statement = std::chrono::milliseconds(2000),
          .grace = std::chrono::milliseconds(1000),
          .stopping = &stopping};
}

constexpr auto kTellInterval = std::chrono::seconds(1);

// Rows are written anew often; some room in each page keeps that cheap.
constexpr char kTables[] = R"sql(
CREATE TABLE aio_limits.buckets (
  bucket text PRIMARY KEY,            -- NAME:HASH:LIMIT; the hash begins as that of the key
  capacity double precision NOT NULL,
  period double precision NOT NULL,   -- seconds in which the capacity comes back
  level double precision NOT NULL,    -- at that time; negative: a debt
  used double precision NOT NULL,     -- since there is the row
  at timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE aio_limits.members (
  instance text PRIMARY KEY,
  seen timestamptz NOT NULL
) WITH (fillfactor = 50);
)sql";

// The row's level now, under the capacity that it has, then under the one that is given.
#define LEVEL_NOW                                        \
  "least(b.capacity, b.level + b.capacity / b.period * " \
  "extract(epoch FROM greatest(now() - b.at, interval '0'))::double precision)"

// Rows are locked in their order, so that two programs never wait for each other.
constexpr char kExchange[] =
    "WITH given AS (SELECT * FROM unnest($1::text[], $2::double precision[], "
    "$3::double precision[], $4::double precision[]) WITH ORDINALITY "
    "AS g (bucket, capacity, period, used, n)), "
    "spent AS (INSERT INTO aio_limits.buckets AS b (bucket, capacity, period, level, used, at) "
    "SELECT bucket, capacity, period, least(capacity, capacity - used), used, now() FROM given "
    "WHERE used <> 0 ORDER BY bucket "
    "ON CONFLICT (bucket) DO UPDATE SET level = least(excluded.capacity, " LEVEL_NOW
    " + excluded.capacity - b.capacity - excluded.used), used = b.used + excluded.used, "
    "capacity = excluded.capacity, period = excluded.period, at = greatest(b.at, excluded.at) "
    "RETURNING bucket, level) "
    "SELECT coalesce(s.level, least(g.capacity, " LEVEL_NOW
    " + g.capacity - b.capacity), g.capacity) "
    "FROM given g LEFT JOIN spent s USING (bucket) "
    "LEFT JOIN aio_limits.buckets b ON b.bucket = g.bucket ORDER BY g.n";
#undef LEVEL_NOW

constexpr char kTell[] =
    "INSERT INTO aio_limits.members VALUES ($1, now()) "
    "ON CONFLICT (instance) DO UPDATE SET seen = excluded.seen";

// A bucket that nobody took from for a week is full.
constexpr char kForget[] =
    "DELETE FROM aio_limits.members WHERE seen < now() - interval '1 minute'; "
    "DELETE FROM aio_limits.buckets WHERE at < now() - interval '7 days' AND level >= 0;";

constexpr char kCountMembers[] =
    "SELECT count(*) FROM aio_limits.members WHERE seen > now() - interval '10 seconds'";

}  // namespace

PostgresLimitStore::PostgresLimitStore(std::string url)
    : url_(std::move(url)), instance_(fmt::format("{:016x}", RandomBits())) {}

Status PostgresLimitStore::Open() {
  if (connection_ != nullptr && connection_->is_usable()) return Status::Ok();
  connection_.reset();
  told_.reset();
  AIO_ASSIGN_OR_RETURN(std::unique_ptr<PostgresConnection> connection,
                       PostgresConnection::Open(url_, Times(stopping_)));
  AIO_RETURN_IF_ERROR(
      MakeSchema(*connection, {.name = "aio_limits", .version = 1, .tables = kTables}));
  // What a crash of the database takes of the last moments is no loss.
  AIO_RETURN_IF_ERROR(connection->RunScript("SET synchronous_commit = off;"));
  AIO_RETURN_IF_ERROR(connection->RunScript(kForget));
  connection_ = std::move(connection);
  return Status::Ok();
}

Result<SharedLevels> PostgresLimitStore::Exchange(const std::vector<BucketUse>& uses) {
  AIO_RETURN_IF_ERROR(Open());
  Status told = TellThatWeAreHere();
  Result<SharedLevels> levels = told.ok() ? ExchangeBuckets(uses) : told;
  if (!levels.ok()) connection_.reset();
  return levels;
}

Status PostgresLimitStore::TellThatWeAreHere() {
  const auto now = steady_clock::now();
  if (told_ && now - *told_ < kTellInterval) return Status::Ok();
  AIO_RETURN_IF_ERROR(connection_->Run(kTell, {instance_}).status());
  AIO_ASSIGN_OR_RETURN(const PostgresRows count, connection_->Run(kCountMembers));
  members_ = static_cast<int>(std::max<int64_t>(1, count.Int(0, 0)));
  told_ = now;
  return Status::Ok();
}

Result<SharedLevels> PostgresLimitStore::ExchangeBuckets(const std::vector<BucketUse>& uses) {
  SharedLevels shared = {.levels = {}, .members = members_};
  if (uses.empty()) return shared;
  std::vector<PostgresValue> buckets, capacities, periods, used;
  for (const BucketUse& use : uses) {
    buckets.emplace_back(use.bucket);
    capacities.emplace_back(PostgresNumber(use.capacity));
    periods.emplace_back(PostgresNumber(std::chrono::duration<double>(use.period).count()));
    used.emplace_back(PostgresNumber(use.used));
  }
  AIO_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection_->Run(kExchange, {PostgresArray(buckets), PostgresArray(capacities),
                                   PostgresArray(periods), PostgresArray(used)}));
  if (rows.size() != static_cast<int>(uses.size())) {
    return Internal("aio_limits.buckets: not every bucket has a level");
  }
  for (int row = 0; row < rows.size(); ++row) shared.levels.push_back(rows.Real(row, 0));
  return shared;
}

void PostgresLimitStore::Leave() {
  if (connection_ == nullptr || !connection_->is_usable()) return;
  (void)connection_->Run("DELETE FROM aio_limits.members WHERE instance = $1", {instance_});
}

}  // namespace aio
