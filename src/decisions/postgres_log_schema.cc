#include "decisions/postgres_log_schema.h"

namespace aio {
namespace {

// As in SQLite, and which program's which request it is: whatever is tried twice, because nobody
// answered the first time, is there once.
//
// JSON is text here: jsonb would not keep numbers and their order byte for byte.
constexpr char kTables[] = R"sql(
CREATE TABLE aio_log.policies (
  hash text PRIMARY KEY,
  toml text NOT NULL
);
CREATE TABLE aio_log.requests (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  instance text NOT NULL,          -- a run of a program
  number bigint NOT NULL,          -- of its requests
  request_id text NOT NULL,
  unix_seconds bigint NOT NULL,
  prompt_hash text NOT NULL,
  prompt text,
  small_model text NOT NULL,
  large_model text NOT NULL,
  small_fingerprint text NOT NULL,
  large_fingerprint text NOT NULL,
  policy_hash text NOT NULL,
  signals text,
  intent text,
  probabilities text,
  entropy double precision,
  prompt_tokens bigint NOT NULL,
  model text NOT NULL,
  role text NOT NULL,
  weights text NOT NULL,
  strategy text NOT NULL,
  strategy_json text NOT NULL,
  rule text NOT NULL,
  reason text NOT NULL,
  finish text,
  error text,
  answered_by text,
  completion_tokens bigint,
  cached_prompt_tokens bigint,
  draft_tokens bigint,
  draft_accepted_tokens bigint,
  queue_ms double precision,
  probe_ms double precision,
  prompt_ms double precision,
  predicted_ms double precision,
  weight_bytes bigint,
  kv_bytes bigint,
  static_large_bytes bigint,
  score double precision,
  comment text,
  feedback_unix_seconds bigint,
  UNIQUE (instance, number)
);
CREATE INDEX requests_by_request_id ON aio_log.requests (request_id, id);
CREATE INDEX requests_by_time ON aio_log.requests (unix_seconds);
)sql";

}  // namespace

PostgresSchema PostgresLogSchema() { return {.name = "aio_log", .version = 1, .tables = kTables}; }

}  // namespace aio
