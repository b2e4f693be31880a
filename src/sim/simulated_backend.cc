#include "sim/simulated_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "remote/remote_options.h"
#include "sim/sim_time.h"

namespace aio {
namespace {

// A simulated request runs to its end.
class EndlessTicket final : public Ticket {
 public:
  void Cancel() override {}
};

// Where a prompt's KV is.
class PromptAt final : public HeldPrompt {
 public:
  explicit PromptAt(std::string key) : key_(std::move(key)) {}
  const std::string& key() const { return key_; }

 private:
  const std::string key_;  // KeyOf() the replica
};

std::string UrlOf(size_t place) { return fmt::format("sim://device-{}", place); }

}  // namespace

enum class SimulatedBackend::Stage {
  kProbe,
  kWhole,    // an answer, on one device
  kPrefill,  // its first token
  kDecode,   // all others
};

struct SimulatedBackend::Target {
  SimulatedModelTarget model;
  ReplicaSet first;     // devices that begin requests
  ReplicaSet decoding;  // devices that go on with what prefill devices began; perhaps none
  std::vector<TimePoint> link_free_at;  // [places]
  double step_ms = 0;                   // of one token, on the first device

  Target(SimulatedModelTarget target, uint64_t seed, const EventQueue& events)
      : model(std::move(target)),
        first({.seed = seed}, [&events] { return events.Now(); }),
        decoding({.seed = seed + 1}, [&events] { return events.Now(); }),
        link_free_at(model.places.size()) {
    std::vector<ReplicaSpec> first_specs;
    std::vector<ReplicaSpec> decoding_specs;
    for (size_t i = 0; i < model.places.size(); ++i) {
      const PoolPhase phase = model.places[i].phase;
      if (phase != PoolPhase::kDecode) first_specs.push_back({.url = UrlOf(i)});
      if (phase != PoolPhase::kPrefill) decoding_specs.push_back({.url = UrlOf(i)});
    }
    // As engines measure it when they start.
    step_ms = model.places.front().device->model(model.places.front().model).OneTokenMs();
    first.Update(first_specs);
    decoding.Update(decoding_specs);
  }

  static size_t NumberOf(const ReplicaLease& lease) {
    const std::string& url = lease.spec().url;
    return std::stoul(url.substr(url.rfind('-') + 1));
  }
  const SimulatedPlace& PlaceOf(const ReplicaLease& lease) const {
    return model.places[NumberOf(lease)];
  }
};

struct SimulatedBackend::Work {
  size_t index = 0;  // of the workload
  Target* target = nullptr;
  Stage stage = Stage::kWhole;
  StrategyKind strategy = StrategyKind::kPlain;
  size_t suffix_tokens = 0;  // of a probe
  int guesses_per_step = 0;
  int unreported_tokens = 0;
  int tries = 0;
  std::vector<std::string> tried_urls = {};
  std::string url_with_prompt = {};
  std::unique_ptr<ReplicaLease> lease = nullptr;
  TimePoint accepted{};  // of the first try
  TimePoint begun{};     // of this one
  TimePoint admitted{};
  TimePoint first_token{};
  std::shared_ptr<EventSink> sink = nullptr;  // of a generation
  LabelScoresCallback done = {};              // of a probe

  bool has_begun() const { return first_token != TimePoint{}; }
};

class SimulatedBackend::Watcher final : public SequenceWatcher {
 public:
  explicit Watcher(SimulatedBackend& backend) : backend_(backend) {}

  void OnFirstToken(uint64_t id, TimePoint admitted, TimePoint now) override {
    Work& work = backend_.running_.at(id);
    const int prompt_tokens = backend_.Asked(work).prompt_tokens;
    work.lease->Progress(prompt_tokens);
    if (work.stage == Stage::kDecode) return;
    work.admitted = admitted;
    work.first_token = now;
    if (work.sink == nullptr) return;
    work.sink->OnStart(
        {.model = work.target->model.name, .decision = {}, .prompt_tokens = prompt_tokens});
  }

  void OnTokens(uint64_t id, int count) override {
    Work& work = backend_.running_.at(id);
    // As events of a remote engine do, but not for every single one.
    constexpr int kTokensAtATime = 8;
    work.unreported_tokens += count;
    if (work.unreported_tokens < kTokensAtATime) return;
    work.lease->Progress(work.unreported_tokens);
    work.unreported_tokens = 0;
  }

  void OnEnd(uint64_t id, TimePoint now) override {
    auto node = backend_.running_.extract(id);
    Work& work = node.mapped();
    const SimRequest& asked = backend_.Asked(work);
    const int tokens = work.stage == Stage::kPrefill ? 1 : asked.answer_tokens;
    const bool has_pace = work.sink != nullptr && tokens > 1;
    work.lease->Succeeded(
        work.stage == Stage::kDecode ? std::nullopt : std::optional(work.first_token - work.begun),
        has_pace ? std::optional((now - work.first_token) / (tokens - 1)) : std::nullopt);
    const std::string key = KeyOf(work.lease->spec());
    const size_t place = Target::NumberOf(*work.lease);
    work.lease = nullptr;
    if (work.stage == Stage::kProbe) {
      LabelScores scores;
      scores.logits = asked.label_logits;
      scores.prompt_tokens = scores.probe_tokens = asked.prompt_tokens;
      scores.elapsed = now - work.accepted;
      scores.held_prompt = std::make_shared<PromptAt>(key);
      return work.done(std::move(scores));
    }
    if (work.stage == Stage::kPrefill && asked.answer_tokens > 1) {
      return backend_.Transfer(std::move(work), place, now);
    }
    backend_.FinishGeneration(work, now);
  }

 private:
  SimulatedBackend& backend_;
};

SimulatedBackend::SimulatedBackend(std::vector<SimulatedModelTarget> targets,
                                   const SimWorkload& workload, EventQueue& events, uint64_t seed)
    : workload_(workload),
      events_(events),
      random_(seed),
      watcher_(std::make_unique<Watcher>(*this)) {
  for (SimulatedModelTarget& target : targets) {
    targets_.push_back(std::make_unique<Target>(std::move(target), random_.Next(), events));
  }
}

SimulatedBackend::~SimulatedBackend() = default;

const SimRequest& SimulatedBackend::Asked(const Work& work) const {
  return workload_.requests[work.index];
}

// One prompt's KV after the other goes over a device's link.
void SimulatedBackend::Transfer(Work work, size_t from, TimePoint now) {
  const SimulatedModelTarget& model = work.target->model;
  const double gb =
      static_cast<double>(Asked(work).prompt_tokens * CostsOf(model.shape).KvBytesPerToken()) / 1e9;
  TimePoint& free_at = work.target->link_free_at[from];
  free_at = std::max(free_at, now) + SimSeconds(gb / model.places[from].link_gb_per_s);
  work.stage = Stage::kDecode;
  work.tries = 0;
  work.tried_urls.clear();
  const int64_t transfer = ++transfers_;
  transferring_.emplace(transfer, std::move(work));
  events_.Plan(free_at, *this, transfer);
}

void SimulatedBackend::FinishGeneration(const Work& work, TimePoint now) {
  const SimRequest& asked = Asked(work);
  FinishEvent finish;
  finish.usage = {.prompt_tokens = asked.prompt_tokens, .completion_tokens = asked.answer_tokens};
  finish.timings.queue_ms = ToMs(work.admitted - work.accepted);
  finish.timings.prompt_ms = ToMs(work.first_token - work.admitted);
  finish.timings.predicted_ms = ToMs(now - work.first_token);
  work.sink->OnFinish(finish);
}

void SimulatedBackend::OnLost(const std::vector<uint64_t>& sequences) {
  for (const uint64_t id : sequences) {
    auto node = running_.extract(id);
    if (node.empty()) continue;
    Work work = std::move(node.mapped());
    work.lease->Failed("the device has failed");
    work.tried_urls.push_back(KeyOf(work.lease->spec()));
    work.lease = nullptr;
    if (work.has_begun()) {
      work.sink->OnError(Unavailable("the device failed in the middle of the answer"));
      continue;
    }
    PlaceAgain(std::move(work));
  }
}

void SimulatedBackend::OnHealthCheck(const SimulatedDevice& device) {
  for (const auto& target : targets_) {
    for (size_t i = 0; i < target->model.places.size(); ++i) {
      const SimulatedPlace& place = target->model.places[i];
      if (place.device != &device) continue;
      const std::string key = KeyOf({.url = UrlOf(i)});
      for (ReplicaSet* set : {&target->first, &target->decoding}) {
        set->OnCheck(key, device.is_up(), "the device has failed");
      }
    }
  }
}

void SimulatedBackend::OnEvent(int64_t what) {
  auto node = transferring_.extract(what);
  AIO_CHECK(!node.empty());
  PlaceAgain(std::move(node.mapped()));
}

std::vector<ModelInfo> SimulatedBackend::Models() const {
  std::vector<ModelInfo> models;
  models.reserve(targets_.size());
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
    info.tells_entropies = false;
    models.push_back(std::move(info));
  }
  return models;
}

std::vector<ModelLoad> SimulatedBackend::Load() const {
  std::vector<ModelLoad> loads;
  loads.reserve(targets_.size());
  for (const auto& target : targets_) {
    ModelLoad load;
    load.name = target->model.name;
    for (const SimulatedPlace& place : target->model.places) {
      load.running += place.device->model(place.model).num_running();
      load.waiting += place.device->model(place.model).num_waiting();
    }
    load.step_ms = target->step_ms;
    loads.push_back(std::move(load));
  }
  return loads;
}

Result<int> SimulatedBackend::CountPromptTokens(const Request& request) const {
  return workload_.requests[IndexOf(workload_, request)].prompt_tokens;
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

// How well the guesses of its strategy do.
GuessChances SimulatedBackend::GuessesFor(const Work& work) {
  const int intent = Asked(work).intent;
  if (work.strategy == StrategyKind::kPlain || intent < 0) return {};
  // What measures itself (kAuto) does as well as the dearest guesses that cost nothing to ask.
  const StrategyKind by =
      work.strategy == StrategyKind::kAuto ? StrategyKind::kPromptLookup : work.strategy;
  const AcceptanceTable& acceptance = work.target->model.acceptance;
  const auto known = acceptance.find({by, workload_.labels[static_cast<size_t>(intent)]});
  if (known == acceptance.end()) return {};
  return {work.strategy, work.guesses_per_step, known->second, random_.Next()};
}

// What its stage computes.
SequenceSetup SimulatedBackend::SetupOf(const Work& work) const {
  // No prompt has it: the answer finds the prompt known and no more (PromptOf).
  constexpr int32_t kSuffixToken = std::numeric_limits<int32_t>::min();
  const SimRequest& asked = Asked(work);
  SequenceSetup setup;
  setup.prompt = PromptOf(workload_, work.index);
  setup.accepted = work.begun;
  switch (work.stage) {
    case Stage::kProbe:
      setup.prompt.resize(
          static_cast<size_t>(std::max(1, asked.prompt_tokens - asked.unprobed_tokens)));
      setup.prompt.insert(setup.prompt.end(), work.suffix_tokens, kSuffixToken);
      break;
    case Stage::kWhole:
      setup.answer_tokens_max = asked.answer_tokens;
      break;
    case Stage::kPrefill:
      setup.answer_tokens_max = 1;
      break;
    case Stage::kDecode:
      setup.prompt.push_back(0);
      setup.answer_tokens_max = asked.answer_tokens - 1;
      break;
  }
  return setup;
}

// A lease on a device that is up; null: there is none, or it has been tried often enough.
std::unique_ptr<ReplicaLease> SimulatedBackend::Choose(Work& work) {
  const SimRequest& asked = Asked(work);
  const bool decodes = work.stage == Stage::kDecode;
  ReplicaSet& set = decodes ? work.target->decoding : work.target->first;
  const bool has_kin = !asked.blocks.empty() && !decodes;
  const int tries_max = 1 + RemoteOptions().retries_max;
  while (work.tries < tries_max) {
    ++work.tries;
    auto lease = set.Choose({.affinity = has_kin ? static_cast<uint64_t>(asked.blocks[0]) + 1 : 0,
                             .tokens = asked.prompt_tokens + asked.answer_tokens,
                             .tried_urls = work.tried_urls,
                             .url_with_prompt = work.url_with_prompt});
    if (lease == nullptr) return nullptr;
    if (work.target->PlaceOf(*lease).device->is_up()) return lease;
    work.tried_urls.push_back(KeyOf(lease->spec()));
    lease->Failed("the device has failed");
  }
  return nullptr;
}

Status SimulatedBackend::Place(Work work) {
  Target& target = *work.target;
  work.lease = Choose(work);
  if (work.lease == nullptr) {
    return Unavailable("no device of '" + target.model.name + "' is up");
  }
  const SimulatedPlace& place = target.PlaceOf(*work.lease);
  if (work.stage == Stage::kWhole || work.stage == Stage::kPrefill) {
    work.stage = place.phase == PoolPhase::kPrefill ? Stage::kPrefill : Stage::kWhole;
  }
  work.begun = events_.Now();
  SequenceSetup setup = SetupOf(work);
  const int positions = static_cast<int>(setup.prompt.size()) + setup.answer_tokens_max;
  if (!place.device->model(place.model).Fits(positions)) {
    return InvalidArgument(fmt::format("a request of {} tokens is longer than the KV of '{}'",
                                       positions, target.model.name))
        .WithReason("context_length_exceeded");
  }
  const uint64_t id = setup.id = setup.arrival = ++started_;
  const GuessChances guesses = GuessesFor(work);
  const bool with_kv = work.stage == Stage::kDecode;
  running_.emplace(id, std::move(work));
  place.device->Add(place.model,
                    std::make_unique<SimulatedSequence>(std::move(setup), guesses, *watcher_),
                    with_kv);
  return Status::Ok();
}

// Of work that was accepted: whoever waits for it is told if it cannot go on.
void SimulatedBackend::PlaceAgain(Work work) {
  const std::shared_ptr<EventSink> sink = work.sink;
  const LabelScoresCallback done = work.done;
  const Status placed = Place(std::move(work));
  if (placed.ok()) return;
  if (sink != nullptr) return sink->OnError(placed);
  done(placed);
}

Result<std::shared_ptr<Ticket>> SimulatedBackend::ScoreLabels(const Request& request,
                                                              const LabelQuery& labels,
                                                              LabelScoresCallback done) {
  AIO_ASSIGN_OR_RETURN(Target* const target, FindTarget(request.model));
  Work work;
  work.index = IndexOf(workload_, request);
  work.target = target;
  work.stage = Stage::kProbe;
  work.suffix_tokens = labels.suffix.size();
  work.accepted = events_.Now();
  work.done = std::move(done);
  AIO_RETURN_IF_ERROR(Place(std::move(work)));
  return std::shared_ptr<Ticket>(std::make_shared<EndlessTicket>());
}

Result<std::shared_ptr<Ticket>> SimulatedBackend::Generate(Request request,
                                                           std::shared_ptr<EventSink> sink) {
  AIO_ASSIGN_OR_RETURN(Target* const target, FindTarget(request.model));
  Work work;
  work.index = IndexOf(workload_, request);
  work.target = target;
  work.stage = Stage::kWhole;
  work.accepted = events_.Now();
  work.sink = std::move(sink);
  if (request.strategy) {
    work.strategy = request.strategy->kind;
    work.guesses_per_step = request.strategy->num_speculative_tokens;
  }
  if (const auto* held = dynamic_cast<const PromptAt*>(request.held_prompt.get())) {
    work.url_with_prompt = held->key();
  }
  AIO_RETURN_IF_ERROR(Place(std::move(work)));
  return std::shared_ptr<Ticket>(std::make_shared<EndlessTicket>());
}

}  // namespace aio
