// The queue that `aio serve` puts before the router, and what /metrics says of it.
#ifndef AIO_APP_SERVE_ADMISSION_H_
#define AIO_APP_SERVE_ADMISSION_H_

#include "admission/admission_backend.h"
#include "app/config.h"
#include "base/toml_table.h"
#include "server/server.h"

namespace aio {

// [admission]. Absent keys keep what `limits` has; running_max = 0: as many as the models run.
void ReadAdmission(TomlTable& root, AdmissionLimits& limits);

// With the number that stands for running_max = 0.
AdmissionLimits EffectiveLimits(const AppConfig& config);

// `admission` outlives the server.
void ConnectAdmission(const AdmissionBackend& admission, ServerOptions& options);

}  // namespace aio

#endif  // AIO_APP_SERVE_ADMISSION_H_
