#include "app/mixed_workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "app/beside_program.h"
#include "traffic/arrivals.h"
#include "traffic/random_text.h"

namespace aio {

namespace {

// Ids are the same in every repeat and configuration, so that what is drawn from them is too.
Request AskFor(std::string text, size_t number, int max_tokens, const AnswerSettings& settings) {
  Request request;
  request.id = fmt::format("mixed-{}", number);
  if (settings.raw) {
    request.prompt = std::move(text);
  } else {
    request.prompt = std::vector<ChatMessage>{{"user", std::move(text)}};
  }
  request.sampling.temperature = settings.temperature;
  request.sampling.seed = settings.seed + number;
  request.sampling.max_tokens = max_tokens;
  return request;
}

// Items that stand for a mix's parts: one each, without a text.
std::vector<WorkloadItem> ItemsOfParts(const Mix& mix) {
  std::vector<WorkloadItem> items;
  items.reserve(mix.parts.size());
  for (const MixPart& part : mix.parts) {
    WorkloadItem item;
    item.task = part.kind;
    item.intent = IntentOfTask(part.kind);
    item.context = part.context == MixPart::kLong ? 1 : part.context;
    items.push_back(std::move(item));
  }
  return items;
}

// Of a trace's blocks every request that has one has the same words.
std::string TextOfBlock(int64_t block, double tokens, const RandomText& text) {
  const double words = std::max(1.0, tokens / text.tokens_per_word());
  return RandomWords(static_cast<int64_t>(words), static_cast<uint64_t>(block) + 1);
}

// As long as the prompt is to be: the blocks that it begins with, then words of its own.
std::string TextOfTrace(const Trace& trace, size_t number, const RandomText& text, uint64_t seed) {
  constexpr uint64_t kOwn = 1'000'003;  // keeps seeds of texts and of blocks apart
  const TraceRequest& asked = trace.requests[number];
  std::string own = text.WithTokens(asked.prompt_tokens, seed * kOwn + number);
  std::string shared;
  // The last block is seldom whole and then nobody else's.
  for (size_t i = 0; i + 1 < asked.blocks.size(); ++i) {
    shared += TextOfBlock(asked.blocks[i], kTraceBlockTokens * trace.length_scale, text) + ' ';
  }
  if (shared.size() >= own.size()) return shared.substr(0, own.size());
  return shared + own.substr(shared.size());
}

}  // namespace

Result<std::vector<std::string>> DefaultSuites() {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  if (const auto folder = FindBesideProgram("models/suites")) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(*folder, error)) {
      if (entry.path().extension() == ".jsonl") paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
  }
  if (!paths.empty()) return paths;
  if (auto path = FindBesideProgram("models/pocket-workloads.jsonl")) {
    return std::vector<std::string>{*std::move(path)};
  }
  return NotFound(
      "no suite: neither models/suites nor models/pocket-workloads.jsonl is in the program's "
      "folder "
      "or above it; name files with --suite FILE");
}

Result<std::vector<WorkloadItem>> ReadSuites(const std::vector<std::string>& paths) {
  std::vector<WorkloadItem> items;
  for (const std::string& path : paths) {
    AIO_ASSIGN_OR_RETURN(std::vector<WorkloadItem> more, ReadWorkloadItems(path));
    items.insert(items.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  }
  return items;
}

Result<Workload> MixWorkload(const Mix& mix, const std::vector<WorkloadItem>& items,
                             int64_t requests, const AnswerSettings& settings) {
  AIO_ASSIGN_OR_RETURN(const std::vector<size_t> drawn,
                       DrawMix(mix, items, requests, settings.seed));
  Workload workload;
  workload.name = mix.name;
  workload.items = items;
  workload.requests.reserve(drawn.size());
  for (size_t number = 0; number < drawn.size(); ++number) {
    const WorkloadItem& item = items[drawn[number]];
    const int max_tokens = item.max_tokens > 0 ? item.max_tokens : settings.max_tokens;
    WorkloadRequest asked;
    asked.load.request = AskFor(item.prompt, number, max_tokens, settings);
    asked.load.request.intent = item.intent;
    asked.task = item.task;
    asked.context = item.context;
    asked.item = static_cast<int>(drawn[number]);
    workload.requests.push_back(std::move(asked));
  }
  return workload;
}

Result<Workload> SyntheticWorkload(const Mix& mix, const SyntheticLengths& lengths,
                                   int64_t requests, const SyntheticSource& source,
                                   const AnswerSettings& settings) {
  AIO_ASSIGN_OR_RETURN(const RandomText text,
                       RandomText::Create(*source.backend, source.model, settings.raw));
  const std::vector<WorkloadItem> items = ItemsOfParts(mix);
  AIO_ASSIGN_OR_RETURN(const std::vector<size_t> drawn,
                       DrawMix(mix, items, requests, settings.seed));
  Workload workload;
  workload.name = mix.name + ", synthetic";
  workload.requests.reserve(drawn.size());
  for (size_t number = 0; number < drawn.size(); ++number) {
    const WorkloadItem& item = items[drawn[number]];
    const bool is_long = item.context > 0 && lengths.long_prompt_tokens > 0;
    const int tokens = is_long ? lengths.long_prompt_tokens : lengths.prompt_tokens;
    WorkloadRequest asked;
    asked.load.request = AskFor(text.WithTokens(tokens, settings.seed * 7919 + number), number,
                                lengths.output_tokens, settings);
    asked.load.request.sampling.ignore_eos = true;
    asked.load.request.intent = item.intent;
    asked.task = item.task;
    asked.context = is_long ? tokens : 0;
    workload.requests.push_back(std::move(asked));
  }
  return workload;
}

Result<Trace> LoadTrace(const TraceSettings& settings, std::string& note) {
  AIO_ASSIGN_OR_RETURN(Trace trace, ReadTrace(settings.path));
  const size_t all = trace.requests.size();
  AIO_RETURN_IF_ERROR(SelectWindow(trace, settings.window));
  ScaleTime(trace, settings.time_scale);
  const FittedLengths fitted = FitLengths(trace, settings.lengths);
  note = fmt::format(
      "{} of the trace's {} requests over {:.1f} s; times x {:.3g}, lengths x {:.3g} for a context "
      "of {}",
      trace.requests.size(), all, ToMs(trace.length()) / 1000, settings.time_scale, fitted.scale,
      settings.lengths.context_length);
  if (fitted.shortened > 0) note += fmt::format(", {} cut to fit", fitted.shortened);
  return trace;
}

Result<Workload> TraceWorkload(const Trace& trace, const SyntheticSource& source,
                               const AnswerSettings& settings) {
  AIO_ASSIGN_OR_RETURN(const RandomText text,
                       RandomText::Create(*source.backend, source.model, settings.raw));
  Workload workload;
  workload.name = trace.source;
  workload.requests.reserve(trace.requests.size());
  for (size_t number = 0; number < trace.requests.size(); ++number) {
    const TraceRequest& traced = trace.requests[number];
    WorkloadRequest asked;
    asked.load.request = AskFor(TextOfTrace(trace, number, text, settings.seed), number,
                                traced.output_tokens, settings);
    asked.load.request.sampling.ignore_eos = true;  // as long as the trace says
    asked.load.arrival = traced.arrival;
    asked.task = "trace";
    workload.requests.push_back(std::move(asked));
  }
  return workload;
}

void ArriveByPoisson(Workload& workload, double rate, uint64_t seed) {
  const auto arrivals = PoissonArrivals(static_cast<int64_t>(workload.requests.size()), rate, seed);
  for (size_t i = 0; i < arrivals.size(); ++i) {
    workload.requests[i].load.arrival = arrivals[i];
  }
}

Status ArriveByTrace(Workload& workload, const Trace& trace) {
  if (trace.requests.size() != workload.requests.size()) {
    return InvalidArgument(fmt::format("{}: has {} requests where {} arrive", trace.source,
                                       trace.requests.size(), workload.requests.size()));
  }
  for (size_t i = 0; i < trace.requests.size(); ++i) {
    workload.requests[i].load.arrival = trace.requests[i].arrival;
  }
  return Status::Ok();
}

}  // namespace aio
