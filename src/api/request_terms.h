// A backend's faults in the terms of the API that was asked. Internal to api/ and server/.
#ifndef AIO_API_REQUEST_TERMS_H_
#define AIO_API_REQUEST_TERMS_H_

#include "api/openai_request.h"
#include "base/status.h"

namespace aio {

// Backends name the fields of chats and completions ("messages", "prompt", "max_tokens", "stop");
// this gives the param the name that it has in `kind`. Embeddings have their input, like responses.
Status InTermsOf(ApiKind kind, Status status);

}  // namespace aio

#endif  // AIO_API_REQUEST_TERMS_H_
