#include "app/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <optional>
#include <utility>

#include "app/random_requests.h"

namespace aio {

namespace {

// Streams of RandomChoices.
enum Stream : uint64_t { kRequestStream, kGroupStream, kStopStream, kParameterStream };

constexpr int kGroupMin = 2;
constexpr int kGroupMax = 16;
constexpr int kKvCacheTokens = 4096;
constexpr int kSmallKvCacheTokens =
    256;  // a few of a batch find room, and must give it up as they grow

constexpr char kAfterProbe[] = "after a probe";

// Numbers of requests that share batches.
struct Group {
  int number = 0;
  int begin = 0;
  int end = 0;
};

std::vector<Group> MakeGroups(uint64_t seed, int requests) {
  std::vector<Group> groups;
  for (int begin = 0; begin < requests;) {
    const auto number = static_cast<int>(groups.size());
    RandomChoices random(seed, kGroupStream, number);
    const int end = std::min(requests, begin + random.Int(kGroupMin, kGroupMax));
    groups.push_back({number, begin, end});
    begin = end;
  }
  return groups;
}

// A request and what its answers are held against.
struct Reference {
  int number = 0;
  int model = 0;
  int tokens_max = 0;  // prompt and answer
  Request request{};
  Outcome outcome{};
  RandomChoices parameters;
};

struct StartedSetting {
  VerifySetting setting;
  std::unique_ptr<Backend> backend;
};

Result<LabelScores> RunProbe(Backend& backend, const Request& request, const LabelQuery& labels) {
  auto promise = std::make_shared<std::promise<Result<LabelScores>>>();
  std::future<Result<LabelScores>> future = promise->get_future();
  const auto ticket = backend.ScoreLabels(request, labels, [promise](Result<LabelScores> scores) {
    promise->set_value(std::move(scores));
  });
  AIO_RETURN_IF_ERROR(ticket.status());
  return future.get();
}

// What a stop string does to an answer is known without the engine: it ends before it.
std::optional<Difference> CheckStopped(const Outcome& whole, const Outcome& stopped,
                                       const std::string& stop) {
  const std::string expected = whole.text.substr(0, whole.text.find(stop));
  if (stopped.text == expected) return std::nullopt;
  return Difference{"text up to the stop string", fmt::format("{:?}", expected),
                    fmt::format("{:?}", stopped.text)};
}

class Comparison {
 public:
  Comparison(const std::vector<EmbeddedModel>& models, const VerifyOptions& options,
             const VerifyObserver& observer, const Clock& clock)
      : models_(models),
        options_(options),
        observer_(observer),
        clock_(clock),
        strategies_(AllStrategies()) {
    for (const EmbeddedModel& model : models) {
      for (const NamedStrategy& strategy : strategies_) {
        report_.counts.push_back({.model = model.name, .strategy = strategy.name});
      }
      report_.counts.push_back({.model = model.name, .strategy = kAfterProbe});
    }
  }

  Status Start(const BackendFactory& start);
  Status RunAll();
  VerifyReport TakeReport();

 private:
  int num_strategies() const { return static_cast<int>(strategies_.size()); }
  VerifyCounts& CountsOf(int model, int row) {
    return report_.counts[model * (num_strategies() + 1) + row];
  }
  Backend& reference_engine() { return *settings_.front().backend; }

  Result<Reference> MakeReference(int number);
  Status ShortenToFit(Reference& reference);
  Outcome AnswerPlainly(const Request& request);
  void AddStop(Reference& reference);

  Status RunGroup(const Group& group);
  void RunAlone(const StartedSetting& setting, Reference& reference);
  void RunBatch(const StartedSetting& setting, int shift, std::vector<Reference>& references);
  void RunAfterProbe(const StartedSetting& setting, Reference& reference);
  void Count(const Reference& reference, int row, const Strategy& strategy,
             const std::string& setting, const Outcome& outcome);
  void Diverge(const Reference& reference, int row, const std::string& setting,
               Difference difference);
  void Advance();

  const std::vector<EmbeddedModel>& models_;
  const VerifyOptions& options_;
  const VerifyObserver& observer_;
  const Clock& clock_;
  const std::vector<NamedStrategy> strategies_;
  std::vector<StartedSetting> settings_;                     // the reference's first
  std::vector<StartedSetting*> alone_, batching_, probing_;  // those of settings_ that do so
  std::vector<int> capacities_;     // [models] tokens that every engine but the small has
  std::vector<LabelQuery> probes_;  // [models]; no labels: none will do
  VerifyReport report_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

Status Comparison::Start(const BackendFactory& start) {
  for (VerifySetting& setting : VerifySettings(options_)) {
    AIO_ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, start(setting));
    settings_.push_back({std::move(setting), std::move(backend)});
  }
  for (StartedSetting& started : settings_) {
    if (started.setting.runs_alone) alone_.push_back(&started);
    if (started.setting.runs_batches) batching_.push_back(&started);
    if (started.setting.runs_probe) probing_.push_back(&started);
  }
  for (const ModelInfo& info : reference_engine().Models()) {
    capacities_.push_back(info.context_length);
  }
  const LabelQuery letters{"", "\n", {{"a", "a"}, {"b", "b"}, {"c", "c"}}};
  for (const EmbeddedModel& model : models_) {
    LabelQuery& probe = probes_.emplace_back();
    for (const LabelQuery& candidate : {letters, options_.probe}) {
      if (reference_engine().ValidateLabels(model.name, candidate).ok()) probe = candidate;
    }
  }
  return Status::Ok();
}

Status Comparison::RunAll() {
  const int requests = options_.requests * static_cast<int>(models_.size());
  std::vector<Group> groups = MakeGroups(options_.seed, requests);
  if (options_.only >= 0) {
    if (options_.only >= requests) {
      return InvalidArgument(
          fmt::format("there is no request {}; they are 0 to {}", options_.only, requests - 1));
    }
    std::erase_if(groups, [&](const Group& group) {
      return options_.only < group.begin || options_.only >= group.end;
    });
  }
  const int a_request = 2 * num_strategies() + 1;  // comparisons
  for (const Group& group : groups) total_ += (group.end - group.begin) * a_request;
  for (const Group& group : groups) AIO_RETURN_IF_ERROR(RunGroup(group));
  return Status::Ok();
}

Status Comparison::ShortenToFit(Reference& reference) {
  const int answer = *reference.request.sampling.max_tokens;
  for (;;) {
    AIO_ASSIGN_OR_RETURN(const int prompt, reference_engine().CountPromptTokens(reference.request));
    reference.tokens_max = prompt + answer;
    if (reference.tokens_max <= capacities_[reference.model]) return Status::Ok();
    const Prompt before = reference.request.prompt;
    ShortenPrompt(reference.request.prompt);
    if (reference.request.prompt == before) {
      return InvalidArgument(fmt::format("model \"{}\": its context of {} tokens is too short",
                                         reference.request.model, capacities_[reference.model]));
    }
  }
}

Outcome Comparison::AnswerPlainly(const Request& request) {
  Request plain = request;
  plain.strategy = Strategy();
  return RunRequest(reference_engine(), plain, clock_);
}

void Comparison::AddStop(Reference& reference) {
  RandomChoices random(options_.seed, kStopStream, reference.number);
  if (!random.OneIn(3)) return;
  const std::string stop = RandomStop(reference.outcome.text, random);
  if (stop.empty()) return;
  reference.request.sampling.stop = {stop};
  const Outcome whole = std::exchange(reference.outcome, AnswerPlainly(reference.request));
  if (auto difference = CheckStopped(whole, reference.outcome, stop)) {
    Diverge(reference, /*row=*/0, settings_.front().setting.name, *std::move(difference));
  }
}

Result<Reference> Comparison::MakeReference(int number) {
  const auto num_models = static_cast<int>(models_.size());
  Reference reference{.number = number,
                      .model = number % num_models,
                      .parameters = RandomChoices(options_.seed, kParameterStream, number)};
  const EmbeddedModel& model = models_[reference.model];
  const PromptSources sources{.vocabulary_size = model.tokenizer->vocabulary_size(),
                              .chats = model.chat_template.has_value(),
                              .prompts = options_.prompts};
  RandomChoices random(options_.seed, kRequestStream, number);
  reference.request = RandomRequest(sources, random);
  reference.request.model = model.name;
  AIO_RETURN_IF_ERROR(ShortenToFit(reference));
  reference.outcome = AnswerPlainly(reference.request);
  if (!reference.outcome.error.ok()) {
    return Status(reference.outcome.error)
        .WithContext(fmt::format("request {} ({})", number, DescribeRequest(reference.request)));
  }
  AddStop(reference);
  return reference;
}

// Every request answers under every strategy alone and in a batch; the settings take turns.
Status Comparison::RunGroup(const Group& group) {
  std::vector<Reference> references;
  for (int number = group.begin; number < group.end; ++number) {
    AIO_ASSIGN_OR_RETURN(Reference reference, MakeReference(number));
    references.push_back(std::move(reference));
  }
  const auto turn = [](const std::vector<StartedSetting*>& settings, int count) -> auto& {
    return *settings[static_cast<size_t>(count) % settings.size()];
  };
  const auto num_models = static_cast<int>(models_.size());
  for (Reference& reference : references) {
    const int of_model = reference.number / num_models;
    RunAlone(turn(alone_, of_model), reference);
    RunAfterProbe(turn(probing_, of_model), reference);
  }
  for (int shift = 0; shift < num_strategies(); ++shift) {
    RunBatch(turn(batching_, group.number + shift), shift, references);
  }
  return Status::Ok();
}

void Comparison::RunAlone(const StartedSetting& started, Reference& reference) {
  const std::string where = started.setting.name + ", alone";
  std::optional<double> plain_ms;
  std::vector<std::pair<VerifyCounts*, double>> timed;
  for (int i = 0; i < num_strategies(); ++i) {
    const int row = (reference.number + i) % num_strategies();
    Request request = reference.request;
    // Speed is that of the parameters people get.
    request.strategy = started.setting.is_timed
                           ? strategies_[row].strategy
                           : RandomParameters(strategies_[row].strategy, reference.parameters);
    const Outcome outcome = RunRequest(*started.backend, request, clock_);
    Count(reference, row, *request.strategy, where, outcome);
    if (!started.setting.is_timed || !outcome.error.ok()) continue;
    const double ms = outcome.finish.timings.predicted_ms;
    if (row == 0) plain_ms = ms;
    VerifyCounts& counts = CountsOf(reference.model, row);
    counts.decoded_tokens += outcome.decoded_tokens();
    counts.decode_ms += ms;
    timed.emplace_back(&counts, ms);
  }
  for (const auto& [counts, ms] : timed) counts->plain_decode_ms += plain_ms.value_or(0);
}

// All at once, their strategies different ones.
void Comparison::RunBatch(const StartedSetting& started, int shift,
                          std::vector<Reference>& references) {
  const std::string where = fmt::format("{}, batch of {}", started.setting.name, references.size());
  std::vector<Request> batch;
  std::vector<std::pair<const Reference*, int>> rows;
  for (Reference& reference : references) {
    if (reference.tokens_max > started.setting.options.kv_cache_tokens) {
      Advance();
      continue;
    }
    const int row = (reference.number + shift) % num_strategies();
    batch.push_back(reference.request);
    batch.back().strategy = RandomParameters(strategies_[row].strategy, reference.parameters);
    rows.emplace_back(&reference, row);
  }
  const std::vector<Outcome> outcomes = RunRequests(*started.backend, batch, clock_);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    Count(*rows[i].first, rows[i].second, *batch[i].strategy, where, outcomes[i]);
  }
}

// The probe gives the scores that it gives elsewhere, and the answer after it is the same.
void Comparison::RunAfterProbe(const StartedSetting& started, Reference& reference) {
  const LabelQuery& probe = probes_[reference.model];
  const int row = num_strategies();
  if (probe.labels.empty()) {
    ++CountsOf(reference.model, row).not_applicable;
    Advance();
    return;
  }
  const Result<LabelScores> expected = RunProbe(reference_engine(), reference.request, probe);
  const Result<LabelScores> scores = RunProbe(*started.backend, reference.request, probe);
  if (auto difference = FirstDifference(expected, scores)) {
    Diverge(reference, row, started.setting.name, *std::move(difference));
  }
  Request request = reference.request;
  const NamedStrategy& strategy = strategies_[reference.number % num_strategies()];
  request.strategy = RandomParameters(strategy.strategy, reference.parameters);
  if (scores.ok()) request.held_prompt = scores->held_prompt;
  const Outcome outcome = RunRequest(*started.backend, request, clock_);
  Count(reference, row, *request.strategy,
        fmt::format("{}, {}", started.setting.name, strategy.name), outcome);
}

void Comparison::Count(const Reference& reference, int row, const Strategy& strategy,
                       const std::string& setting, const Outcome& outcome) {
  VerifyCounts& counts = CountsOf(reference.model, row);
  if (IsWithoutDraftModel(strategy, outcome)) {
    ++counts.not_applicable;
  } else {
    ++counts.comparisons;
    counts.draft_tokens += outcome.finish.speculation.draft_tokens;
    counts.draft_accepted_tokens += outcome.finish.speculation.draft_accepted_tokens;
    if (auto difference = FirstDifference(reference.outcome, outcome)) {
      Diverge(reference, row, setting, *std::move(difference));
    }
  }
  Advance();
}

void Comparison::Diverge(const Reference& reference, int row, const std::string& setting,
                         Difference difference) {
  VerifyCounts& counts = CountsOf(reference.model, row);
  ++counts.divergences;
  if (report_.divergences.size() == VerifyReport::kDivergencesKept) return;
  report_.divergences.push_back({reference.number, counts.strategy, setting,
                                 DescribeRequest(reference.request), std::move(difference)});
  if (observer_.on_divergence) observer_.on_divergence(report_.divergences.back());
}

void Comparison::Advance() {
  ++done_;
  if (observer_.on_progress) observer_.on_progress(done_, total_);
}

VerifyReport Comparison::TakeReport() {
  for (const StartedSetting& started : settings_) {
    for (const ModelLoad& load : started.backend->Load()) {
      report_.preemptions += load.preemptions;
      report_.prefix_tokens_found += load.prefix_tokens_found;
    }
  }
  return std::move(report_);
}

double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

}  // namespace

std::vector<VerifySetting> VerifySettings(const VerifyOptions& options) {
  EngineOptions base;
  base.num_threads = 1;
  base.max_running = kGroupMax;
  base.kv_cache_tokens = kKvCacheTokens;
  base.kv_type = options.kv_type;

  std::vector<VerifySetting> settings;
  VerifySetting reference{.name = "1 thread, nothing shared", .options = base};
  reference.options.prefix_caching = false;
  settings.push_back(std::move(reference));

  settings.push_back({.name = "1 thread",
                      .options = base,
                      .runs_alone = true,
                      .runs_batches = true,
                      .runs_probe = true});

  VerifySetting several{.name = fmt::format("{} threads", options.threads),
                        .options = base,
                        .runs_alone = true,
                        .is_timed = true,
                        .runs_batches = true};
  several.options.num_threads = options.threads;
  settings.push_back(several);

  VerifySetting chunks{
      .name = "chunks of 7", .options = several.options, .runs_batches = true, .runs_probe = true};
  chunks.options.prefill_chunk_tokens = 7;
  chunks.options.max_draft_tokens = 5;
  chunks.options.prefix_caching = false;  // or there would be nothing left to compute in chunks
  settings.push_back(std::move(chunks));

  VerifySetting small{.name = "small cache", .options = several.options, .runs_batches = true};
  small.options.kv_cache_tokens = kSmallKvCacheTokens;
  settings.push_back(std::move(small));
  return settings;
}

double VerifyCounts::acceptance() const {
  return Ratio(static_cast<double>(draft_accepted_tokens), static_cast<double>(draft_tokens));
}

double VerifyCounts::tokens_per_second() const {
  return Ratio(static_cast<double>(decoded_tokens) * 1000, decode_ms);
}

double VerifyCounts::speed_over_plain() const { return Ratio(plain_decode_ms, decode_ms); }

int64_t VerifyReport::comparisons() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0},
                         [](int64_t sum, const auto& row) { return sum + row.comparisons; });
}

int64_t VerifyReport::num_divergences() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0},
                         [](int64_t sum, const auto& row) { return sum + row.divergences; });
}

Result<VerifyReport> VerifyModels(const std::vector<EmbeddedModel>& models,
                                  const VerifyOptions& options, const BackendFactory& start,
                                  const VerifyObserver& observer, const Clock& clock) {
  Comparison comparison(models, options, observer, clock);
  AIO_RETURN_IF_ERROR(comparison.Start(start));
  AIO_RETURN_IF_ERROR(comparison.RunAll());
  return comparison.TakeReport();
}

}  // namespace aio
