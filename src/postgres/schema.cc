#include "postgres/schema.h"

#include <fmt/format.h>

namespace aio {
namespace {

// "aio": of all locks that programs agree on by a number, those of ours.
constexpr int kLockClass = 0x61696F;

// Without UTF-8 some texts could not be stored.
Status CheckEncoding(PostgresConnection& connection) {
  AIO_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Run("SHOW server_encoding"));
  const std::string encoding = rows.size() > 0 ? rows.Text(0, 0) : "";
  if (encoding == "UTF8") return Status::Ok();
  return InvalidArgument(
      fmt::format("{}: the database's encoding is {}; make one with ENCODING 'UTF8'",
                  connection.name(), encoding));
}

// 0: there is no such schema, or an empty one.
Result<int64_t> ReadVersion(PostgresConnection& connection, const PostgresSchema& schema) {
  AIO_ASSIGN_OR_RETURN(
      const PostgresRows tables,
      connection.Run("SELECT count(*), count(*) FILTER (WHERE c.relname = 'version') "
                     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                     "ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'",
                     {schema.name}));
  if (tables.Int(0, 0) == 0) return 0;
  if (tables.Int(0, 1) == 0) {
    return InvalidArgument(fmt::format(
        "{}: the schema '{}' has tables that are not this program's; name another database",
        connection.name(), schema.name));
  }
  AIO_ASSIGN_OR_RETURN(const PostgresRows version,
                       connection.Run(fmt::format("SELECT version FROM {}.version", schema.name)));
  return version.size() > 0 ? version.Int(0, 0) : 0;
}

Status CheckVersion(const PostgresConnection& connection, const PostgresSchema& schema,
                    int64_t version) {
  if (version == schema.version) return Status::Ok();
  return InvalidArgument(
      fmt::format("{}: the schema '{}' is of version {}, this program knows version {}; update it, "
                  "or name another database",
                  connection.name(), schema.name, version, schema.version));
}

// Within a transaction that has the lock.
Status MakeTables(PostgresConnection& connection, const PostgresSchema& schema) {
  AIO_ASSIGN_OR_RETURN(const int64_t version, ReadVersion(connection, schema));
  if (version != 0) return CheckVersion(connection, schema, version);
  // Who may not make schemas may have been given an empty one: then it is not made.
  AIO_ASSIGN_OR_RETURN(
      const PostgresRows there,
      connection.Run("SELECT pg_catalog.to_regnamespace($1) IS NULL", {schema.name}));
  if (there.Text(0, 0) == "t") {
    AIO_RETURN_IF_ERROR(connection.RunScript(fmt::format("CREATE SCHEMA {};", schema.name)));
  }
  AIO_RETURN_IF_ERROR(connection.RunScript(schema.tables));
  return connection.RunScript(
      fmt::format("CREATE TABLE {0}.version (version integer NOT NULL); "
                  "INSERT INTO {0}.version VALUES ({1});",
                  schema.name, schema.version));
}

}  // namespace

Status MakeSchema(PostgresConnection& connection, const PostgresSchema& schema) {
  AIO_RETURN_IF_ERROR(CheckEncoding(connection));
  AIO_ASSIGN_OR_RETURN(const int64_t version, ReadVersion(connection, schema));
  if (version != 0) return CheckVersion(connection, schema, version);
  AIO_RETURN_IF_ERROR(connection.RunScript("BEGIN;"));
  Status made = connection
                    .Run("SELECT pg_catalog.pg_advisory_xact_lock($1::int4, hashtext($2))",
                         {std::to_string(kLockClass), schema.name})
                    .status();
  if (made.ok()) made = MakeTables(connection, schema);
  if (made.ok()) return connection.RunScript("COMMIT;");
  if (connection.is_usable()) (void)connection.RunScript("ROLLBACK;");
  return made;
}

Status CheckSchema(PostgresConnection& connection, const PostgresSchema& schema) {
  AIO_ASSIGN_OR_RETURN(const int64_t version, ReadVersion(connection, schema));
  if (version != 0) return CheckVersion(connection, schema, version);
  return NotFound(fmt::format("{}: there is no schema '{}'; is it the database that was meant?",
                              connection.name(), schema.name));
}

}  // namespace aio
