#include "sim/simulated_backend.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace aio {
namespace {

// A simulated request runs to its end.
class EndlessTicket final : public Ticket {
 public:
  void Cancel() override {}
};

std::string NameOf(size_t device) { return fmt::format("sim://device-{}", device); }

}  // namespace

struct SimulatedBackend::Target {
  SimulatedModelTarget model;
  ReplicaSet replicas;

  Target(SimulatedModelTarget target, uint64_t seed, const EventQueue& events)
      : model(std::move(target)), replicas({.seed = seed}, [&events] { return events.Now(); }) {
    std::vector<ReplicaSpec> specs;
    for (size_t i = 0; i < model.devices.size(); ++i) specs.push_back({.url = NameOf(i)});
    replicas.Update(specs);
  }
  SimulatedDevice& DeviceOf(const ReplicaLease& lease) const {
    const std::string& url = lease.spec().url;
    return *model.devices[std::stoul(url.substr(url.rfind('-') + 1))];
  }
};

struct SimulatedBackend::Work {
  std::unique_ptr<ReplicaLease> lease;
  TimePoint begun{};
  TimePoint first_token{};
  int prompt_tokens = 0;
  int answer_tokens = 0;
  std::string model;
  std::shared_ptr<EventSink> sink;  // of a generation
  // Of a probe:
  LabelScoresCallback done;
  std::vector<float> logits;
};

class SimulatedBackend::Watcher final : public SequenceWatcher {
 public:
  explicit Watcher(SimulatedBackend& backend) : backend_(backend) {}

  void OnFirstToken(uint64_t id, TimePoint now) override {
    Work& work = backend_.running_.at(id);
    work.first_token = now;
    work.lease->Progress(work.prompt_tokens);
    if (work.sink == nullptr) return;
    work.sink->OnStart({.model = work.model, .decision = {}, .prompt_tokens = work.prompt_tokens});
  }
  void OnEnd(uint64_t id, int /*steps*/, TimePoint now) override {
    auto node = backend_.running_.extract(id);
    Work& work = node.mapped();
    const Duration per_token =
        work.answer_tokens > 1 ? (now - work.first_token) / (work.answer_tokens - 1) : Duration{};
    work.lease->Succeeded(work.first_token - work.begun,
                          work.answer_tokens > 1 ? std::optional(per_token) : std::nullopt);
    if (work.sink == nullptr) {
      LabelScores scores;
      scores.logits = std::move(work.logits);
      scores.prompt_tokens = work.prompt_tokens;
      scores.probe_tokens = work.prompt_tokens;
      scores.elapsed = now - work.begun;
      return work.done(std::move(scores));
    }
    FinishEvent finish;
    finish.usage = {.prompt_tokens = work.prompt_tokens, .completion_tokens = work.answer_tokens};
    finish.timings.prompt_ms = ToMs(work.first_token - work.begun);
    finish.timings.predicted_ms = ToMs(now - work.first_token);
    work.sink->OnFinish(finish);
  }

 private:
  SimulatedBackend& backend_;
};

SimulatedBackend::SimulatedBackend(std::vector<SimulatedModelTarget> targets,
                                   const Workload& workload, EventQueue& events, uint64_t seed)
    : workload_(workload),
      events_(events),
      random_(seed),
      watcher_(std::make_unique<Watcher>(*this)) {
  for (SimulatedModelTarget& target : targets) {
    targets_.push_back(std::make_unique<Target>(std::move(target), ++random_, events));
  }
}

SimulatedBackend::~SimulatedBackend() = default;

std::vector<ModelInfo> SimulatedBackend::Models() const {
  std::vector<ModelInfo> models;
  for (const auto& target : targets_) {
    const ModelShape& shape = target->model.shape;
    ModelInfo info;
    info.name = target->model.name;
    info.role = target->model.role;
    info.architecture = shape.architecture;
    info.context_length = shape.context_length;
    info.num_layers = shape.num_layers;
    info.hidden_size = shape.hidden_size;
    info.vocabulary_fingerprint = 1;  // all speak in tokens that mean nothing
    models.push_back(std::move(info));
  }
  return models;
}

std::vector<ModelLoad> SimulatedBackend::Load() const {
  std::vector<ModelLoad> loads;
  for (const auto& target : targets_) {
    ModelLoad load;
    load.name = target->model.name;
    for (SimulatedDevice* device : target->model.devices) {
      load.running += device->model(target->model.model).num_running();
      load.waiting += device->model(target->model.model).num_waiting();
    }
    loads.push_back(std::move(load));
  }
  return loads;
}

Result<int> SimulatedBackend::CountPromptTokens(const Request& request) const {
  return Find(workload_, request).prompt_tokens;
}

Status SimulatedBackend::ValidateLabels(std::string_view /*model*/,
                                        const LabelQuery& labels) const {
  if (labels.labels.size() == workload_.labels.size()) return Status::Ok();
  return InvalidArgument(fmt::format("the probe has {} labels and the workload {}",
                                     labels.labels.size(), workload_.labels.size()));
}

Status SimulatedBackend::Decide(const Request& /*request*/, DecisionCallback /*done*/) {
  return Unimplemented("simulated models decide nothing");
}

Result<SimulatedBackend::Target*> SimulatedBackend::FindTarget(std::string_view model) {
  for (const auto& target : targets_) {
    if (target->model.name == model) return target.get();
  }
  return NotFound(fmt::format("there is no simulated model '{}'", model));
}

Status SimulatedBackend::Start(Target& target, SequenceSetup setup, GuessChances guesses,
                               Work work) {
  work.lease = target.replicas.Choose({.tokens = work.prompt_tokens + work.answer_tokens});
  if (work.lease == nullptr) return Unavailable("no device holds '" + target.model.name + "'");
  SimulatedDevice& device = target.DeviceOf(*work.lease);
  if (!device.model(target.model.model).Fits(work.prompt_tokens + work.answer_tokens)) {
    return InvalidArgument(fmt::format("a request of {} tokens is longer than the KV of '{}'",
                                       work.prompt_tokens + work.answer_tokens, target.model.name))
        .WithReason("context_length_exceeded");
  }
  work.begun = events_.Now();
  work.model = target.model.name;
  setup.id = setup.arrival = ++started_;
  setup.accepted = events_.Now();
  setup.num_layers = target.model.shape.num_layers;  // its KV is of no use to others
  running_.emplace(setup.id, std::move(work));
  device.Add(target.model.model,
             std::make_unique<SimulatedSequence>(std::move(setup), guesses, *watcher_));
  return Status::Ok();
}

Result<std::shared_ptr<Ticket>> SimulatedBackend::ScoreLabels(const Request& request,
                                                              const LabelQuery& /*labels*/,
                                                              LabelScoresCallback done) {
  AIO_ASSIGN_OR_RETURN(Target* const target, FindTarget(request.model));
  const WorkloadRequest& asked = Find(workload_, request);
  Work work;
  work.prompt_tokens = asked.prompt_tokens;
  work.done = std::move(done);
  work.logits = asked.label_logits;
  SequenceSetup setup;
  setup.prompt = std::get<std::vector<int32_t>>(request.prompt);
  AIO_RETURN_IF_ERROR(Start(*target, std::move(setup), GuessChances(), std::move(work)));
  return std::shared_ptr<Ticket>(std::make_shared<EndlessTicket>());
}

Result<std::shared_ptr<Ticket>> SimulatedBackend::Generate(Request request,
                                                           std::shared_ptr<EventSink> sink) {
  AIO_ASSIGN_OR_RETURN(Target* const target, FindTarget(request.model));
  const WorkloadRequest& asked = Find(workload_, request);
  Work work;
  work.prompt_tokens = asked.prompt_tokens;
  work.answer_tokens = asked.answer_tokens;
  work.sink = std::move(sink);
  GuessChances guesses;
  if (request.strategy && request.strategy->kind != StrategyKind::kPlain) {
    const auto known = target->model.acceptance.find({request.strategy->kind, asked.intent});
    const double chance = known == target->model.acceptance.end() ? 0 : known->second;
    guesses = GuessChances(request.strategy->num_speculative_tokens, chance, ++random_);
  }
  SequenceSetup setup;
  setup.prompt = std::move(std::get<std::vector<int32_t>>(request.prompt));
  setup.answer_tokens_max = asked.answer_tokens;
  AIO_RETURN_IF_ERROR(Start(*target, std::move(setup), guesses, std::move(work)));
  return std::shared_ptr<Ticket>(std::make_shared<EndlessTicket>());
}

}  // namespace aio
