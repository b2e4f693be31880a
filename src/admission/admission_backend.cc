#include "admission/admission_backend.h"

#include <utility>

#include "admission/admission_state.h"

namespace aio {

AdmissionBackend::AdmissionBackend(Backend& backend, AdmissionLimits limits, const Clock& clock)
    : ForwardingBackend(backend),
      state_(std::make_shared<State>(backend, limits, clock)),
      thread_([state = state_] { state->Run(); }) {}

AdmissionBackend::~AdmissionBackend() {
  state_->Stop();
  thread_.join();
}

void AdmissionBackend::SetLimits(AdmissionLimits limits) { state_->SetLimits(limits); }
AdmissionCounts AdmissionBackend::counts() const { return state_->counts(); }

Result<std::shared_ptr<Ticket>> AdmissionBackend::Generate(Request request,
                                                           std::shared_ptr<EventSink> sink) {
  return state_->Generate(std::move(request), std::move(sink));
}

}  // namespace aio
