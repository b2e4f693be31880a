// The tables of a decision log in PostgreSQL. Internal to decisions/; docs/decision-log.md
// describes them.
#ifndef AIO_DECISIONS_POSTGRES_LOG_SCHEMA_H_
#define AIO_DECISIONS_POSTGRES_LOG_SCHEMA_H_

#include "postgres/schema.h"

namespace aio {

PostgresSchema PostgresLogSchema();

}  // namespace aio

#endif  // AIO_DECISIONS_POSTGRES_LOG_SCHEMA_H_
