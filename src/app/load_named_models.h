#ifndef AIO_APP_LOAD_NAMED_MODELS_H_
#define AIO_APP_LOAD_NAMED_MODELS_H_

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/embedded_model.h"

namespace aio {

// GGUF files as models with their files' names; of equal names the later ones are "NAME (2)", ...
Result<std::vector<EmbeddedModel>> LoadNamedModels(const std::vector<std::string>& paths,
                                                   int threads, const Clock& clock);

}  // namespace aio

#endif  // AIO_APP_LOAD_NAMED_MODELS_H_
