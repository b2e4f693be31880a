// A Backend whose probe costs what it costs and says what it is told: for models with random
// weights, whose own opinion of a prompt is worth nothing, and for measuring what a router would
// do that made no mistake.
#ifndef AIO_TRAFFIC_GIVEN_LABELS_H_
#define AIO_TRAFFIC_GIVEN_LABELS_H_

#include <memory>

#include "backend/forwarding_backend.h"

namespace aio {

// Passes everything on to `backend` (not owned, must outlive it and its last event), but scores of
// a request with an intent are such that its label is certain. As thread-safe as `backend`.
class GivenLabels final : public ForwardingBackend {
 public:
  explicit GivenLabels(Backend& backend) : ForwardingBackend(backend) {}

  Result<std::shared_ptr<Ticket>> ScoreLabels(const Request& request, const LabelQuery& labels,
                                              LabelScoresCallback done) override;
};

}  // namespace aio

#endif  // AIO_TRAFFIC_GIVEN_LABELS_H_
