#include "admission/admission_backend.h"

#include <utility>

#include "admission/admission_state.h"

namespace aio {

AdmissionBackend::AdmissionBackend(Backend& backend, AdmissionLimits limits, const Clock& clock)
    : state_(std::make_shared<State>(backend, limits, clock)),
      thread_([state = state_] { state->Run(); }) {}

AdmissionBackend::~AdmissionBackend() {
  state_->Stop();
  thread_.join();
}

void AdmissionBackend::SetLimits(AdmissionLimits limits) { state_->SetLimits(limits); }
AdmissionCounts AdmissionBackend::counts() const { return state_->counts(); }

std::vector<ModelInfo> AdmissionBackend::Models() const { return state_->backend().Models(); }
std::vector<ModelLoad> AdmissionBackend::Load() const { return state_->backend().Load(); }

Result<int> AdmissionBackend::CountPromptTokens(const Request& request) const {
  return state_->backend().CountPromptTokens(request);
}

Status AdmissionBackend::ValidateLabels(std::string_view model, const LabelQuery& labels) const {
  return state_->backend().ValidateLabels(model, labels);
}

Result<std::shared_ptr<Ticket>> AdmissionBackend::ScoreLabels(const Request& request,
                                                              const LabelQuery& labels,
                                                              LabelScoresCallback done) {
  return state_->backend().ScoreLabels(request, labels, std::move(done));
}

Status AdmissionBackend::Decide(const Request& request, DecisionCallback done) {
  return state_->backend().Decide(request, std::move(done));
}

Result<std::shared_ptr<Ticket>> AdmissionBackend::Generate(Request request,
                                                           std::shared_ptr<EventSink> sink) {
  return state_->Generate(std::move(request), std::move(sink));
}

Result<Tokenized> AdmissionBackend::Tokenize(const TokenizeQuery& query) const {
  return state_->backend().Tokenize(query);
}

Result<std::string> AdmissionBackend::Detokenize(std::string_view model,
                                                 std::span<const int32_t> tokens) const {
  return state_->backend().Detokenize(model, tokens);
}

Result<std::string> AdmissionBackend::RenderChat(const TokenizeQuery& query) const {
  return state_->backend().RenderChat(query);
}

Result<std::shared_ptr<Ticket>> AdmissionBackend::Embed(EmbeddingsQuery query,
                                                        EmbeddingsCallback done) {
  return state_->backend().Embed(std::move(query), std::move(done));
}

}  // namespace aio
