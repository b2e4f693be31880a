#include "tasks/evaluate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "tasks/answer_runs.h"

namespace aio {

namespace {

// Raised when an answer would be graded in another way: what was graded before is done again.
constexpr int kGradingVersion = 1;

// What a right answer is, so that a mended suite is graded anew.
std::string GradingHash(const Task& task, const TaskItem& item) {
  Sha256 hash;
  const auto add = [&](std::string_view text) {
    hash.AddInteger(text.size());
    hash.Add(text);
  };
  hash.AddInteger(kGradingVersion);
  add(AnswerKindName(task.kind));
  for (const std::string* text :
       {&item.code.stub, &item.code.entry_point, &item.code.setup, &item.code.test}) {
    add(*text);
  }
  for (const std::string& answer : item.answers) add(answer);
  for (const std::string& choice : item.choices) add(choice);
  hash.AddInteger(item.exact ? 1 : 0);
  return hash.Hex();
}

bool IsByLikelihood(const EvalItem& item, const EvalOptions& options) {
  return options.by_likelihood && item.task->kind == AnswerKind::kChoice;
}

std::string_view GradedBy(const EvalItem& item, const EvalOptions& options) {
  switch (item.task->kind) {
    case AnswerKind::kCode:
      return "tests";
    case AnswerKind::kNumber:
      return "number";
    case AnswerKind::kChoice:
      return IsByLikelihood(item, options) ? "likelihood" : "letter";
    case AnswerKind::kText:
      break;
  }
  return "text";
}

uint64_t SampleSeed(const EvalItem& item, const EvalOptions& options, int sample) {
  return Sha256Uint64(
      fmt::format("{}\n{}\n{}\n{}", options.seed, item.task->name, item.item->id, sample));
}

Request MakeRequest(const EvalItem& item, const EvalConfiguration& configuration,
                    const EvalOptions& options, int sample, ItemPrompt prompt) {
  Request request;
  // A random policy draws from the id and its own seed.
  request.id = fmt::format("eval-{}-{}-{}-{}-{}", options.seed, item.task->name, item.item->id,
                           item.context, sample);
  request.model = configuration.model;
  request.prompt = std::move(prompt.prompt);
  request.sampling.stop = std::move(prompt.stop);
  request.sampling.temperature = options.temperature;
  request.sampling.seed = SampleSeed(item, options, sample);
  request.sampling.max_tokens = item.max_tokens;
  if (IsByLikelihood(item, options)) {
    request.sampling.max_tokens = 1;
    request.sampling.top_logprobs = kTopLogprobsMax;
    request.sampling.stop.clear();
  }
  if (configuration.arm) {
    request.strategy = configuration.arm->strategy;
    request.weights = configuration.arm->weights;
  }
  if (configuration.told_intent) request.intent = item.task->intent;
  return request;
}

void SetAsked(const EvalItem& item, const EvalConfiguration& configuration,
              const EvalOptions& options, int sample, RunRecord& record) {
  record.key = RecordKey(item, configuration, options, sample);
  record.task = item.task->name;
  record.item = item.item->id;
  record.configuration = configuration.name;
  record.sample = sample;
  record.context = item.context;
  record.depth = item.depth;
  record.shots = options.prompts.shots;
  record.prompt_style = PromptStyleName(options.prompts.style);
  record.prompt_hash = item.prompt_hash;
  record.seed = SampleSeed(item, options, sample);
  record.temperature = options.temperature;
  record.graded_by = GradedBy(item, options);
}

void SetDecision(const AnswerRun& run, RunRecord& record) {
  record.model = run.start.model;
  if (!run.start.decision) return;
  const Decision& decision = *run.start.decision;
  record.role = decision.role;
  record.weights = decision.weights;
  record.strategy = StrategyName(decision.strategy.kind);
  record.rule = decision.rule;
  record.reason = decision.reason;
  if (!decision.probed) return;
  record.intent = decision.intent;
  record.entropy = decision.entropy;
}

void SetAnswer(const AnswerRun& run, RunRecord& record) {
  record.output = run.text;
  record.finish = FinishReasonName(run.finish.reason);
  record.prompt_tokens = run.finish.usage.prompt_tokens;
  record.cached_prompt_tokens = run.finish.usage.cached_prompt_tokens;
  record.completion_tokens = run.finish.usage.completion_tokens;
  record.draft_tokens = run.finish.speculation.draft_tokens;
  record.draft_accepted_tokens = run.finish.speculation.draft_accepted_tokens;
  record.ttft_ms = run.ttft_ms;
  record.total_ms = run.total_ms;
  record.probe_ms = run.finish.timings.probe_ms;
  record.prompt_ms = run.finish.timings.prompt_ms;
  record.predicted_ms = run.finish.timings.predicted_ms;
  record.weight_bytes = run.finish.traffic.weight_bytes;
  record.kv_bytes = run.finish.traffic.kv_bytes;
  record.static_large_bytes = run.finish.traffic.static_large_bytes;
}

// One Evaluate().
class Evaluation {
 public:
  Evaluation(const std::vector<EvalItem>& items,
             const std::vector<EvalConfiguration>& configurations, const EvalOptions& options,
             const EvalTools& tools)
      : items_(items),
        configurations_(configurations),
        options_(options),
        tools_(tools),
        runs_(*tools.clock),
        results_(items.size() * configurations.size() * static_cast<size_t>(options.samples)) {}

  Result<std::vector<RunRecord>> Run() {
    Status status;
    for (size_t index = 0; index < results_.size() && status.ok(); ++index) {
      if (Resume(index)) continue;
      if (!warm_) status = WarmUp();
      while (status.ok() && runs_.in_flight() >= options_.in_flight_max) status = TakeOne();
      if (status.ok()) status = Start(index);
    }
    // What was started is waited for and kept, even when the run has failed.
    while (runs_.in_flight() > 0) {
      if (Status taken = TakeOne(); status.ok()) status = std::move(taken);
    }
    if (!status.ok()) return status;
    return std::move(results_);
  }

 private:
  struct Place {
    const EvalItem& item;
    const EvalConfiguration& configuration;
    int sample;
  };
  Place At(size_t index) const {
    const auto samples = static_cast<size_t>(options_.samples);
    const size_t asked = index / samples;
    return {items_[asked / configurations_.size()], configurations_[asked % configurations_.size()],
            static_cast<int>(index % samples)};
  }

  bool Resume(size_t index) {
    const auto [item, configuration, sample] = At(index);
    RunRecord& record = results_[index];
    SetAsked(item, configuration, options_, sample, record);
    const RunRecord* known = tools_.records->Find(record.key);
    if (known == nullptr) return false;
    record = *known;
    ++progress_.resumed;
    Report();
    return true;
  }

  // The first pass over a model's weights is no answer's fault.
  Status WarmUp() {
    warm_ = true;
    for (const EvalConfiguration& configuration : configurations_) {
      Request request;
      request.id = "warm-up";
      request.model = configuration.model;
      if (options_.prompts.style == PromptStyle::kCompletion) {
        request.prompt = std::string("Hello");
      } else {
        request.prompt = std::vector<ChatMessage>{{"user", "Hello"}};
      }
      request.sampling.max_tokens = 2;
      if (configuration.arm) {
        request.strategy = configuration.arm->strategy;
        request.weights = configuration.arm->weights;
      }
      runs_.Start(0, *configuration.backend, std::move(request));
      const AnswerRun run = runs_.Take();
      if (!run.error.ok()) return Status(run.error).WithContext(configuration.name);
    }
    return Status::Ok();
  }

  Status Start(size_t index) {
    const auto [item, configuration, sample] = At(index);
    AIO_ASSIGN_OR_RETURN(ItemPrompt prompt, PromptOf(item, options_.prompts));
    runs_.Start(index, *configuration.backend,
                MakeRequest(item, configuration, options_, sample, std::move(prompt)));
    return Status::Ok();
  }

  Status TakeOne() {
    const AnswerRun run = runs_.Take();
    const EvalItem& item = At(run.index).item;
    RunRecord& record = results_[run.index];
    if (!run.error.ok() && run.error.code() != StatusCode::kInvalidArgument) {
      return Status(run.error).WithContext(
          fmt::format("{} of {} by {}", record.item, record.task, record.configuration));
    }
    SetDecision(run, record);
    if (run.error.ok()) {
      SetAnswer(run, record);
      AIO_RETURN_IF_ERROR(SetGrade(item, run, record));
    } else {
      record.total_ms = run.total_ms;
      record.why = "refused: " + run.error.message();
    }
    AIO_RETURN_IF_ERROR(tools_.records->Add(record));
    Report();
    return Status::Ok();
  }

  Status SetGrade(const EvalItem& item, const AnswerRun& run, RunRecord& record) const {
    Grade grade;
    if (IsByLikelihood(item, options_)) {
      grade = GradeByLikelihood(*item.item, run.first_token_top);
    } else {
      AIO_ASSIGN_OR_RETURN(grade, tools_.grader->GradeText(item.task->kind, *item.item, run.text));
    }
    record.right = grade.right;
    record.answer = std::move(grade.answer);
    record.why = std::move(grade.why);
    return Status::Ok();
  }

  void Report() {
    ++progress_.done;
    progress_.total = static_cast<int64_t>(results_.size());
    if (tools_.progress) tools_.progress(progress_);
  }

  const std::vector<EvalItem>& items_;
  const std::vector<EvalConfiguration>& configurations_;
  const EvalOptions& options_;
  const EvalTools& tools_;
  AnswerRuns runs_;
  std::vector<RunRecord> results_;  // [items][configurations][samples]
  EvalProgress progress_;
  bool warm_ = false;
};

}  // namespace

std::string RecordKey(const EvalItem& item, const EvalConfiguration& configuration,
                      const EvalOptions& options, int sample) {
  ItemPrompt prompt{.prompt = std::string(), .stop = {}};
  const Request request = MakeRequest(item, configuration, options, sample, std::move(prompt));
  std::string asked = configuration.policy_hash;
  if (configuration.arm) {
    const Strategy& strategy = configuration.arm->strategy;
    asked = fmt::format("{} {} {} {} {} {}", configuration.arm->role, configuration.arm->weights,
                        StrategyName(strategy.kind), strategy.prompt_lookup_max,
                        strategy.prompt_lookup_min, strategy.num_speculative_tokens);
  }
  return Sha256Hex(fmt::format("{}\n{}\n{}\n{}\n{} {} {} {}\n{}\n{}\n{}", configuration.models,
                               asked, request.id, item.prompt_hash, request.sampling.seed,
                               request.sampling.temperature, *request.sampling.max_tokens,
                               item.depth, options.prompts.style == PromptStyle::kCompletion,
                               GradedBy(item, options), GradingHash(*item.task, *item.item)));
}

Result<std::vector<RunRecord>> Evaluate(const std::vector<EvalItem>& items,
                                        const std::vector<EvalConfiguration>& configurations,
                                        const EvalOptions& options, const EvalTools& tools) {
  AIO_CHECK(tools.grader != nullptr && tools.records != nullptr && tools.clock != nullptr);
  AIO_CHECK(options.samples >= 1 && options.in_flight_max >= 1);
  return Evaluation(items, configurations, options, tools).Run();
}

}  // namespace aio
