// A request as the engine of a profile takes it.
#ifndef AIO_REMOTE_ENCODE_REQUEST_H_
#define AIO_REMOTE_ENCODE_REQUEST_H_

#include <string>
#include <string_view>

#include "backend/request.h"
#include "base/status.h"
#include "remote/engine_profile.h"

namespace aio {

struct EncodedRequest {
  std::string_view path;  // "/v1/chat/completions" or "/v1/completions"
  std::string body;
};

// Streamed and with usage, whatever the client wants: so an answer can be given up, and counted.
// Besides temperature and top_p, which engines have their own defaults of, only what is not
// OpenAI's default is written, so that all engines take it; vendor fields as they came. `model` is
// what the engine calls it. kUnimplemented, with param, for what the engine has no field for and
// what would change the answer; kInvalidArgument for vendor fields that are no client's to choose.
Result<EncodedRequest> EncodeRequest(const Request& request, std::string_view model,
                                     const EngineProfile& profile);

// The bytes of text that the engine reads, tools included; of token ids, which are counted, none.
size_t PromptBytes(const Request& request);

}  // namespace aio

#endif  // AIO_REMOTE_ENCODE_REQUEST_H_
