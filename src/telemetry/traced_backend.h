// Tells the traces of running requests what a backend does for them, from outside: itself a Backend
// in front of it, so that neither the router nor a model knows of tracing.
#ifndef AIO_TELEMETRY_TRACED_BACKEND_H_
#define AIO_TELEMETRY_TRACED_BACKEND_H_

#include <memory>

#include "backend/forwarding_backend.h"
#include "base/status.h"
#include "telemetry/tracer.h"

namespace aio {

// Which backend stands behind: what asking it means.
enum class TracedPlace {
  kRouter,  // the request has left the queue
  kModels,  // it was decided which of them is asked
};

// Changes nothing of what is asked and answered. Costs a request that is not traced a comparison,
// and a traced one nothing per token but a virtual call. Thread-safe.
class TracedBackend final : public ForwardingBackend {
 public:
  // Both outlive this and the last event of what was started; `tracer` too.
  TracedBackend(Backend& backend, Tracer& tracer, TracedPlace place)
      : ForwardingBackend(backend), tracer_(tracer), place_(place) {}

  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
  Status Decide(const Request& request, DecisionCallback done) override;
  Result<std::shared_ptr<Ticket>> Generate(Request request,
                                           std::shared_ptr<EventSink> sink) override;

 private:
  Tracer& tracer_;
  const TracedPlace place_;
};

}  // namespace aio

#endif  // AIO_TELEMETRY_TRACED_BACKEND_H_
