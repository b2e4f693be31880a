#include "sim/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "router/router.h"
#include "sim/device_failures.h"
#include "sim/event_queue.h"
#include "sim/sim_time.h"
#include "sim/simulated_device.h"

namespace aio {
namespace {

// Writes down what becomes of one request.
class AnswerSink final : public EventSink {
 public:
  AnswerSink(SimulatedAnswer& answer, const EventQueue& events, size_t& ended)
      : answer_(answer), events_(events), ended_(ended) {}

  void OnStart(const StartEvent& event) override {
    answer_.first_token = events_.Now().time_since_epoch();
    if (!event.decision) return;
    answer_.large = event.decision->role == kSimRoleNames[kSimLarge];
    answer_.probed = event.decision->probed;
    answer_.strategy = event.decision->strategy.kind;
  }
  void OnToken(const TokenEvent& /*event*/) override {}
  void OnFinish(const FinishEvent& event) override {
    ++ended_;
    answer_.answered = true;
    answer_.end = events_.Now().time_since_epoch();
    answer_.answer_tokens = event.usage.completion_tokens;
    answer_.queue_ms = event.timings.queue_ms;
    answer_.probe_ms = event.timings.probe_ms;
  }
  void OnError(const Status& status) override {
    ++ended_;
    answer_.end = events_.Now().time_since_epoch();
    answer_.fault = status.message();
  }

 private:
  SimulatedAnswer& answer_;
  const EventQueue& events_;
  size_t& ended_;  // requests
};

// Sends each request when it is due, and so plans the next.
class Arrivals final : public Actor {
 public:
  Arrivals(const SimulationSetup& setup, const SimWorkload& workload, EventQueue& events,
           Backend& router, std::vector<SimulatedAnswer>& answers)
      : setup_(setup), workload_(workload), events_(events), router_(router), answers_(answers) {}

  void Begin() { PlanNext(0); }
  bool all_ended() const { return ended_ == answers_.size(); }
  void OnEvent(int64_t what) override {
    const auto index = static_cast<size_t>(what);
    PlanNext(index + 1);
    SimulatedAnswer& answer = answers_[index];
    answer.arrival = workload_.requests[index].arrival;
    const auto started = router_.Generate(RequestOf(workload_, index),
                                          std::make_shared<AnswerSink>(answer, events_, ended_));
    if (!started.ok()) {
      ++ended_;
      answer.fault = started.status().message();
      answer.end = answer.arrival;
    }
    constexpr size_t kProgressEvery = 256;
    if (setup_.progress && index % kProgressEvery == 0) setup_.progress(index, answers_.size());
  }

 private:
  void PlanNext(size_t index) {
    if (index >= workload_.requests.size()) return;
    events_.Plan(TimePoint(workload_.requests[index].arrival), *this, static_cast<int64_t>(index));
  }

  const SimulationSetup& setup_;
  const SimWorkload& workload_;
  EventQueue& events_;
  Backend& router_;
  std::vector<SimulatedAnswer>& answers_;
  size_t ended_ = 0;
};

void Add(const ModelCounts& more, ModelCounts& sum) {
  sum.steps += more.steps;
  sum.rows += more.rows;
  sum.answer_tokens += more.answer_tokens;
  sum.prefill_tokens += more.prefill_tokens;
  sum.weight_bytes += more.weight_bytes;
  sum.kv_bytes += more.kv_bytes;
  sum.step_ms += more.step_ms;
  sum.record_ms += more.record_ms;
  sum.draft_ms += more.draft_ms;
}

// The suffix has a token a character.
LabelQuery LabelsOf(const SimWorkload& workload, int suffix_tokens) {
  LabelQuery query;
  query.suffix = std::string(static_cast<size_t>(suffix_tokens), '?');
  for (const std::string& label : workload.labels) query.labels.push_back({label, label});
  return query;
}

ModelOnDevice OnDevice(const SimulatedRole& role, int number) {
  return {.number = number, .costs = CostsOf(role.shape), .weights = role.weights};
}

// A device with what its pool says that it holds.
struct HeldDevice {
  std::unique_ptr<SimulatedDevice> device;
  int pool = 0;
  std::array<int, kSimRoles> models = {-1, -1};  // [SimRole]: on the device; -1: not there
};

Result<HeldDevice> MakeDevice(const SimulationSetup& setup, int pool_number, EventQueue& events) {
  const SimulatedPool& pool = setup.pools[static_cast<size_t>(pool_number)];
  HeldDevice held{.device = nullptr, .pool = pool_number};
  std::vector<SimulatedModelOptions> models;
  for (const int role : {kSimSmall, kSimLarge}) {
    if (!pool.holds[role]) continue;
    const SimulatedRole& of = setup.roles[role];
    SimulatedModelOptions options;
    options.model = OnDevice(of, role);
    options.scheduler = of.scheduler;
    options.kv_blocks = of.kv_tokens / KvCache::kBlockTokens;
    options.graph = pool.graph;
    if (role == kSimLarge && pool.holds[kSimSmall]) {
      options.drafter = OnDevice(setup.roles[kSimSmall], kSimSmall);
    }
    held.models[role] = static_cast<int>(models.size());
    models.push_back(options);
  }
  AIO_ASSIGN_OR_RETURN(held.device, SimulatedDevice::Create(pool.device, models, events));
  return held;
}

Status CheckPools(const SimulationSetup& setup) {
  constexpr int kDevicesMax = 20'000;
  if (setup.num_devices() > kDevicesMax) {
    return InvalidArgument(fmt::format("{} devices are more than {}, the most that are simulated",
                                       setup.num_devices(), kDevicesMax));
  }
  for (const int role : {kSimSmall, kSimLarge}) {
    bool prefills = false;
    bool decodes = false;
    bool hands_over = false;
    bool takes_over = false;
    for (const SimulatedPool& pool : setup.pools) {
      if (pool.graph && !pool.device.has_graphs) {
        return InvalidArgument(pool.device.title + " has no graphs: its profile has no [graph]");
      }
      if (!pool.holds[role] || pool.devices == 0) continue;
      prefills |= pool.phase != PoolPhase::kDecode;
      decodes |= pool.phase != PoolPhase::kPrefill;
      hands_over |= pool.phase == PoolPhase::kPrefill;
      takes_over |= pool.phase == PoolPhase::kDecode;
      if (pool.phase == PoolPhase::kPrefill && pool.device.link_gb_per_s.value == 0) {
        return InvalidArgument(pool.device.title +
                               " is to send KV to others, and its profile has no link_gb_per_s");
      }
    }
    if (hands_over != takes_over) {
      return InvalidArgument(
          fmt::format("of the {} model there are devices of the phase {} and "
                      "none of the phase {}",
                      kSimRoleNames[role], hands_over ? "prefill" : "decode",
                      hands_over ? "decode" : "prefill"));
    }
    if (prefills && decodes) continue;
    return InvalidArgument(fmt::format("no device {} of the {} model: add a pool that holds it",
                                       prefills ? "makes the answers" : "takes the prompts",
                                       kSimRoleNames[role]));
  }
  return Status::Ok();
}

SimulatedModelTarget TargetOf(const SimulationSetup& setup, int role,
                              const std::vector<HeldDevice>& devices) {
  SimulatedModelTarget target{.name = kSimRoleNames[role],
                              .role = kSimRoleNames[role],
                              .shape = setup.roles[role].shape,
                              .places = {},
                              .acceptance = setup.roles[role].acceptance};
  for (const HeldDevice& held : devices) {
    if (held.models[role] < 0) continue;
    const SimulatedPool& pool = setup.pools[static_cast<size_t>(held.pool)];
    target.places.push_back({.device = held.device.get(),
                             .model = held.models[role],
                             .phase = pool.phase,
                             .link_gb_per_s = pool.device.link_gb_per_s.value});
  }
  return target;
}

// The figures of all devices, once everything has ended.
void CountUse(const SimulationSetup& setup, const std::vector<HeldDevice>& devices,
              const DeviceFailures& failures, SimulationResult& result) {
  result.pools.resize(setup.pools.size());
  const double run_ms = std::max(ToMs(result.length), 1e-9);
  for (size_t i = 0; i < devices.size(); ++i) {
    const HeldDevice& held = devices[i];
    const auto pool_number = static_cast<size_t>(held.pool);
    const SimulatedPool& pool = setup.pools[pool_number];
    PoolUse& use = result.pools[pool_number];
    const double share = 1 / (run_ms * pool.devices);
    use.busy_share += held.device->busy_ms() * share;
    use.switching_share += held.device->switching_ms() * share;
    use.down_share += ToMs(failures.DownUntil(i, TimePoint(result.length))) * share;
    for (const int role : {kSimSmall, kSimLarge}) {
      if (held.models[role] < 0) continue;
      SimulatedModel& model = held.device->model(held.models[role]);
      const auto bytes = static_cast<double>(model.counts().weight_bytes + model.counts().kv_bytes);
      use.bandwidth_share += bytes / (pool.device.read_gb_per_s.value * 1e6) * share;
      Add(model.counts(), result.models[role]);
      result.preemptions += model.scheduler_counts().preemptions;
      if (pool.phase == PoolPhase::kDecode) continue;  // whose prompts come with their KV
      result.prefix_tokens_asked += model.scheduler_counts().prefix_tokens_asked;
      result.prefix_tokens_found += model.scheduler_counts().prefix_tokens_found;
    }
  }
}

}  // namespace

int SimulationSetup::num_devices() const {
  int devices = 0;
  for (const SimulatedPool& pool : pools) devices += pool.devices;
  return devices;
}

Result<SimulationResult> Simulate(const SimulationSetup& setup, const SimWorkload& workload) {
  AIO_RETURN_IF_ERROR(CheckPools(setup));
  if (setup.policy.settings().kind == PolicyKind::kCascade) {
    return InvalidArgument(
        "a cascade decides by the small model's first tokens, which simulated models do not have: "
        "take a policy of another kind");
  }
  EventQueue events;
  std::vector<HeldDevice> devices;
  std::vector<FailingDevice> failing;
  for (size_t pool = 0; pool < setup.pools.size(); ++pool) {
    for (int i = 0; i < setup.pools[pool].devices; ++i) {
      AIO_ASSIGN_OR_RETURN(HeldDevice held, MakeDevice(setup, static_cast<int>(pool), events));
      FailingDevice fails{.device = held.device.get(),
                          .between_failures_hours = setup.pools[pool].failure_hours,
                          .repair_hours = setup.pools[pool].repair_hours};
      for (const PlannedFailure& planned : setup.failures) {
        if (planned.pool != static_cast<int>(pool) || planned.device != i) continue;
        fails.planned.emplace_back(planned.at, planned.lasts);
      }
      failing.push_back(std::move(fails));
      devices.push_back(std::move(held));
    }
  }
  SimulatedBackend backend(
      {TargetOf(setup, kSimSmall, devices), TargetOf(setup, kSimLarge, devices)}, workload, events,
      setup.seed);
  RouterOptions options;
  options.small = {.backend = &backend, .model = kSimRoleNames[kSimSmall]};
  options.large = {.backend = &backend, .model = kSimRoleNames[kSimLarge]};
  options.large.draft_model = kSimRoleNames[kSimSmall];
  options.labels = LabelsOf(workload, setup.probe_suffix_tokens);
  options.policy = setup.policy;
  options.force_policy = true;
  options.sessions_max = 0;
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Router> router, Router::Create(options, events));

  SimulationResult result;
  result.answers.resize(workload.requests.size());
  Arrivals arrivals(setup, workload, events, *router, result.answers);
  arrivals.Begin();
  DeviceFailures failures(std::move(failing), backend, events, setup.seed);
  failures.Begin(workload.length());
  // What is planned beyond, such as repairs, is of no matter.
  while (!arrivals.all_ended() && events.RunNext()) {
    if (events.Now() <= TimePoint(SimSeconds(kSimSecondsMax))) continue;
    return InvalidArgument("the requests take over 30 years: the devices are too slow for them");
  }

  for (const SimulatedAnswer& answer : result.answers) {
    result.length = std::max(result.length, answer.end);
  }
  result.events = events.num_run();
  result.failures = failures.CountUntil(TimePoint(result.length));
  CountUse(setup, devices, failures, result);
  return result;
}

}  // namespace aio
