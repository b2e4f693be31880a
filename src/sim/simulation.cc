#include "sim/simulation.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "router/router.h"
#include "sim/event_queue.h"
#include "sim/simulated_device.h"

namespace aio {
namespace {

enum : int { kSmallModel = 0, kLargeModel = 1 };

// Writes down what becomes of one request.
class AnswerSink final : public EventSink {
 public:
  AnswerSink(SimulatedAnswer& answer, const EventQueue& events)
      : answer_(answer), events_(events) {}

  void OnStart(const StartEvent& event) override {
    answer_.first_token = events_.Now().time_since_epoch();
    if (!event.decision) return;
    answer_.large = event.decision->role == "large";
    answer_.strategy = event.decision->strategy.kind;
  }
  void OnToken(const TokenEvent& /*event*/) override {}
  void OnFinish(const FinishEvent& event) override {
    answer_.answered = true;
    answer_.end = events_.Now().time_since_epoch();
    answer_.answer_tokens = event.usage.completion_tokens;
  }
  void OnError(const Status& status) override { answer_.fault = status.message(); }

 private:
  SimulatedAnswer& answer_;
  const EventQueue& events_;
};

// Sends each request when it is due, and so plans the next.
class Arrivals final : public Actor {
 public:
  Arrivals(const Workload& workload, EventQueue& events, Backend& router,
           std::vector<SimulatedAnswer>& answers)
      : workload_(workload), events_(events), router_(router), answers_(answers) {}

  void Begin() { PlanNext(0); }
  void OnEvent(int64_t what) override {
    const auto index = static_cast<size_t>(what);
    PlanNext(index + 1);
    SimulatedAnswer& answer = answers_[index];
    answer.arrival = workload_.requests[index].arrival;
    const auto started = router_.Generate(RequestOf(workload_, index),
                                          std::make_shared<AnswerSink>(answer, events_));
    if (!started.ok()) answer.fault = started.status().message();
  }

 private:
  void PlanNext(size_t index) {
    if (index >= workload_.requests.size()) return;
    events_.Plan(TimePoint(workload_.requests[index].arrival), *this, static_cast<int64_t>(index));
  }

  const Workload& workload_;
  EventQueue& events_;
  Backend& router_;
  std::vector<SimulatedAnswer>& answers_;
};

void Add(const ModelCounts& more, ModelCounts& sum) {
  sum.steps += more.steps;
  sum.rows += more.rows;
  sum.answer_tokens += more.answer_tokens;
  sum.weight_bytes += more.weight_bytes;
  sum.kv_bytes += more.kv_bytes;
  sum.step_ms += more.step_ms;
  sum.memory_ms += more.memory_ms;
}

LabelQuery LabelsOf(const Workload& workload) {
  LabelQuery query;
  query.suffix = "?";
  for (const std::string& label : workload.labels) query.labels.push_back({label, label});
  return query;
}

SimulatedModelTarget TargetOf(const SimulatedRole& role, const char* name, int model,
                              std::vector<SimulatedDevice*> devices) {
  return {.name = name,
          .role = name,
          .shape = role.shape,
          .model = model,
          .devices = std::move(devices),
          .acceptance = role.acceptance};
}

}  // namespace

Result<SimulationResult> Simulate(const SimulationSetup& setup, const Workload& workload) {
  EventQueue events;
  std::vector<std::unique_ptr<SimulatedDevice>> devices;
  std::vector<SimulatedDevice*> all;
  for (int i = 0; i < setup.devices; ++i) {
    AIO_ASSIGN_OR_RETURN(
        devices.emplace_back(),
        SimulatedDevice::Create(setup.device, {setup.small.options, setup.large.options}, events));
    all.push_back(devices.back().get());
  }
  SimulatedBackend backend({TargetOf(setup.small, "small", kSmallModel, all),
                            TargetOf(setup.large, "large", kLargeModel, all)},
                           workload, events, setup.seed);
  RouterOptions options;
  options.small = {.backend = &backend, .model = "small"};
  options.large = {.backend = &backend, .model = "large"};
  options.large.draft_model = "small";
  options.labels = LabelsOf(workload);
  options.policy = setup.policy;
  options.force_policy = true;
  options.sessions_max = 0;
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Router> router, Router::Create(options, events));

  SimulationResult result;
  result.answers.resize(workload.requests.size());
  Arrivals arrivals(workload, events, *router, result.answers);
  arrivals.Begin();
  while (events.RunNext()) {
  }

  result.length = events.Now().time_since_epoch();
  result.events = events.num_run();
  const double device_ms = std::max(ToMs(result.length), 1e-9) * setup.devices;
  for (const auto& device : devices) {
    result.busy_share += device->busy_ms() / device_ms;
    result.switching_share += device->switching_ms() / device_ms;
    Add(device->model(kSmallModel).counts(), result.small);
    Add(device->model(kLargeModel).counts(), result.large);
    for (const int model : {kSmallModel, kLargeModel}) {
      result.preemptions += device->model(model).scheduler_counts().preemptions;
    }
  }
  return result;
}

}  // namespace aio
