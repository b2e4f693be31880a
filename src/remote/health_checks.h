// Asks replicas whether they are well. Internal to remote/.
#ifndef AIO_REMOTE_HEALTH_CHECKS_H_
#define AIO_REMOTE_HEALTH_CHECKS_H_

#include <memory>

#include "remote/remote_model.h"

namespace aio {

// From now on each replica of `model` is asked every RemoteOptions::health_interval, until the
// model is gone. Those of 0 are never asked. From any thread.
void StartHealthChecks(const std::shared_ptr<RemoteModel>& model);

}  // namespace aio

#endif  // AIO_REMOTE_HEALTH_CHECKS_H_
