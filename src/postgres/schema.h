// A schema of tables with a version, made once by whoever comes first.
#ifndef AIO_POSTGRES_SCHEMA_H_
#define AIO_POSTGRES_SCHEMA_H_

#include <string>

#include "base/status.h"
#include "postgres/connection.h"

namespace aio {

struct PostgresSchema {
  std::string name;  // "aio_log"
  int version = 1;
  std::string tables;  // the statements that make what is in it, with names in full
};

// Makes sure that it is there, in this version: makes it and its tables where they are not, once
// even if many ask at a time. The table NAME.version tells its version. kInvalidArgument if it is
// of another version, or something else of that name.
Status MakeSchema(PostgresConnection& connection, const PostgresSchema& schema);

// That it is there, in this version; for who only reads. kNotFound if it is not.
Status CheckSchema(PostgresConnection& connection, const PostgresSchema& schema);

}  // namespace aio

#endif  // AIO_POSTGRES_SCHEMA_H_
