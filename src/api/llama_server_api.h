// GET /props and GET /slots, in llama-server's shapes. No sockets.
//
// No path on disk and no text of a client is told: `model_path` is the model's name, and a slot
// says whether it is in use, not for what. A slot is a place in a model's step.
#ifndef AIO_API_LLAMA_SERVER_API_H_
#define AIO_API_LLAMA_SERVER_API_H_

#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"

namespace aio {

std::string EncodeProps(const ModelInfo& model, std::string_view build_info);

struct Slots {
  std::string json;
  int idle = 0;
};
// Of those of `models` that have places, with what `loads` says of them by name; numbered from 0.
Slots EncodeSlots(const std::vector<ModelInfo>& models, const std::vector<ModelLoad>& loads);

}  // namespace aio

#endif  // AIO_API_LLAMA_SERVER_API_H_
