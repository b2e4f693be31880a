// What the router hands on as it is, to the model that is named or the small one.
#include <utility>

#include "router/router.h"
#include "router/router_state.h"

namespace aio {

Result<Tokenized> Router::Tokenize(const TokenizeQuery& query) const {
  AIO_ASSIGN_OR_RETURN(const State::Named named, state_->FindNamed(query.model));
  TokenizeQuery there = query;
  there.model = named.model;
  return named.backend.Tokenize(there);
}

Result<std::string> Router::Detokenize(std::string_view model,
                                       std::span<const int32_t> tokens) const {
  AIO_ASSIGN_OR_RETURN(const State::Named named, state_->FindNamed(model));
  return named.backend.Detokenize(named.model, tokens);
}

Result<std::string> Router::RenderChat(const TokenizeQuery& query) const {
  AIO_ASSIGN_OR_RETURN(const State::Named named, state_->FindNamed(query.model));
  TokenizeQuery there = query;
  there.model = named.model;
  return named.backend.RenderChat(there);
}

Result<std::shared_ptr<Ticket>> Router::Embed(EmbeddingsQuery query, EmbeddingsCallback done) {
  AIO_ASSIGN_OR_RETURN(const State::Named named, state_->FindNamed(query.model));
  query.model = named.model;
  return named.backend.Embed(std::move(query), std::move(done));
}

}  // namespace aio
