// Routes that ask a model's vocabulary, its template or for one pass of it.
#include <memory>
#include <utility>

#include "api/embeddings_api.h"
#include "api/request_terms.h"
#include "api/tokens_api.h"
#include "server/authorize.h"
#include "server/handlers.h"
#include "server/headers.h"

namespace aio {

void HandleTokenize(const std::shared_ptr<Call>& call) {
  const Result<TokenizeRequest> decoded = DecodeTokenizeRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  if (const Status may = CheckModel(*call, decoded->query.model); !may.ok()) return call->Fail(may);
  const Result<Tokenized> tokenized = call->context().backend.Tokenize(decoded->query);
  if (!tokenized.ok()) return call->Fail(tokenized.status());
  call->RespondJson(200, EncodeTokenized(*decoded, *tokenized));
}

void HandleDetokenize(const std::shared_ptr<Call>& call) {
  const Result<DetokenizeRequest> decoded = DecodeDetokenizeRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  if (const Status may = CheckModel(*call, decoded->model); !may.ok()) return call->Fail(may);
  const Result<std::string> bytes =
      call->context().backend.Detokenize(decoded->model, decoded->tokens);
  if (!bytes.ok()) return call->Fail(bytes.status());
  call->RespondJson(200, EncodeDetokenized(*bytes));
}

void HandleApplyTemplate(const std::shared_ptr<Call>& call) {
  const Result<TokenizeQuery> decoded = DecodeApplyTemplateRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  if (const Status may = CheckModel(*call, decoded->model); !may.ok()) return call->Fail(may);
  const Result<std::string> text = call->context().backend.RenderChat(*decoded);
  if (!text.ok()) return call->Fail(text.status());
  call->RespondJson(200, EncodeAppliedTemplate(*text));
}

void HandleEmbeddings(const std::shared_ptr<Call>& call) {
  Result<EmbeddingsRequest> decoded = DecodeEmbeddingsRequest(call->request().body);
  if (!decoded.ok()) return call->Fail(decoded.status());
  const Duration timeout = call->context().request_timeout;
  if (timeout > Duration::zero()) decoded->query.deadline = call->arrival() + timeout;
  if (const Status may = AdmitEmbeddings(*call, decoded->query); !may.ok()) return call->Fail(may);
  call->DropBody();
  call->facts().question = {.operation = "embeddings",
                            .model = PrintableAscii(decoded->query.model, kLoggedNameBytesMax)};
  const auto fail = [call](const Status& status) {
    const bool was_cancelled = status.code() == StatusCode::kCancelled;
    call->Fail(was_cancelled ? Unavailable("The embedding was cancelled; try again.")
                             : InTermsOf(ApiKind::kResponse, status));
  };
  const Result<std::shared_ptr<Ticket>> embedding = call->context().backend.Embed(
      std::move(decoded->query),
      [call, fail, base64 = decoded->base64](const Result<Embeddings>& embeddings) {
        if (!embeddings.ok()) return fail(embeddings.status());
        call->facts().model = embeddings->model;
        call->facts().prompt_tokens = embeddings->prompt_tokens;
        call->RespondJson(200, EncodeEmbeddings(*embeddings, base64));
      });
  if (!embedding.ok()) return fail(embedding.status());
  call->OnClose([running = *embedding] { running->Cancel(); });
}

}  // namespace aio
