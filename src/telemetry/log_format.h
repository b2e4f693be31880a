#ifndef AIO_TELEMETRY_LOG_FORMAT_H_
#define AIO_TELEMETRY_LOG_FORMAT_H_

namespace aio {

enum class LogFormat {
  kText,  // for people
  kJson,  // one object a line: telemetry/json_log.h
};

}  // namespace aio

#endif  // AIO_TELEMETRY_LOG_FORMAT_H_
