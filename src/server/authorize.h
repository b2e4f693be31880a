// Who asks, and whether they may. Internal to server/.
#ifndef AIO_SERVER_AUTHORIZE_H_
#define AIO_SERVER_AUTHORIZE_H_

#include <string_view>

#include "backend/request.h"
#include "backend/text_query.h"
#include "base/status.h"
#include "server/call.h"

namespace aio {

// Finds the account whose key the call shows, and leaves it with the call; where no key is asked
// for, refuses what pages of other sites send (foreign_pages.h). kUnauthenticated without a valid
// key where one is asked for; kPermissionDenied if `admin` and it is no administrator's.
Status Authenticate(Call& call, bool admin);

// Counts a request for work against the account's requests per minute; over it:
// kResourceExhausted, and the call knows when to try again.
Status CountAgainstLimit(Call& call);

// kPermissionDenied if the call's key may not use `model`: for handlers that ask a model for no
// work.
Status CheckModel(const Call& call, std::string_view model);

// For every handler that asks the backend for work, once the body is decoded: says in `request`
// who asks, what priority they have, and by when it must be done (x-request-timeout-ms, if that is
// earlier). kPermissionDenied if the key may not use the model; over a budget of tokens
// kResourceExhausted; else an estimate of the tokens, those of all `choices`, is set aside until
// the call ends.
Status AdmitRequest(Call& call, Request& request, int choices = 1);
Status AdmitEmbeddings(Call& call, EmbeddingsQuery& query);

}  // namespace aio

#endif  // AIO_SERVER_AUTHORIZE_H_
