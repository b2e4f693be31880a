#include "backend/backend.h"

#include <fmt/format.h>

namespace aio {
namespace {

Status CannotDo(std::string_view what, std::string_view model) {
  return Unimplemented(fmt::format("the backend of the model '{}' cannot {}; name a model of the "
                                   "embedded engine (GET /v1/models)",
                                   model.substr(0, 128), what))
      .WithParam("model");
}

}  // namespace

Result<Tokenized> Backend::Tokenize(const TokenizeQuery& query) const {
  return CannotDo("tokenize", query.model);
}

Result<std::string> Backend::Detokenize(std::string_view model,
                                        std::span<const int32_t> /*tokens*/) const {
  return CannotDo("detokenize", model);
}

Result<std::string> Backend::RenderChat(const TokenizeQuery& query) const {
  return CannotDo("show how its chat template renders", query.model);
}

Result<std::shared_ptr<Ticket>> Backend::Embed(EmbeddingsQuery query, EmbeddingsCallback /*done*/) {
  return CannotDo("embed", query.model);
}

}  // namespace aio
