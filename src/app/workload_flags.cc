#include "app/workload_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "app/number_within.h"

namespace aio {

namespace {

constexpr int64_t kRequestsDefault = 40;
constexpr double kSecondsMax = 1e9;

Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

void WorkloadFlags::AddTo(CLI::App& command) {
  command.add_option(
      "-s,--scenario", scenarios,
      "A (70 % code, 20 % knowledge, 10 % math), B (30, 40, 30) or C (half long code, "
      "half knowledge); may be repeated");
  command.add_option("--mix", mixes, "another mix: code=0.5,qa@long=0.3,pocket-math=0.2");
  command.add_option("--suite", suites,
                     "JSON lines with \"task\" and \"prompt\" (default: models/suites/*.jsonl, or "
                     "models/pocket-workloads.jsonl)");
  command.add_option("--trace", trace_path,
                     "an Azure or Mooncake trace: its arrivals, and its lengths unless a mix says "
                     "what is asked");
  command.add_option("--trace-from", trace_from_seconds, "where in the trace to begin, seconds")
      ->check(NumberWithin(0, kSecondsMax));
  command.add_option("--trace-for", trace_for_seconds, "how much of the trace, seconds")
      ->check(NumberWithin(1e-3, kSecondsMax));
  command.add_option("--time-scale", time_scale, "arrivals so many times as far apart")
      ->capture_default_str()
      ->check(NumberWithin(1e-6, 1e6));
  command
      .add_option("--length-scale", length_scale,
                  "a trace's lengths times this (default: what makes the longest fit)")
      ->check(NumberWithin(1e-6, 1e3));
  command
      .add_option("-n,--requests", requests,
                  "of each workload (default: 40; of a trace: all in the window)")
      ->check(CLI::Range(1, 10'000'000));
  command
      .add_option("--prompt-tokens", synthetic.prompt_tokens,
                  "made-up prompts of so many tokens instead of a suite's")
      ->check(CLI::Range(1, 1 << 24));
  command
      .add_option("--long-prompt-tokens", synthetic.long_prompt_tokens,
                  "likewise, of a mix's parts with long context")
      ->check(CLI::Range(1, 1 << 24));
  command.add_option("--output-tokens", synthetic.output_tokens, "exactly, of made-up prompts")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 24));
  command.add_option("--max-tokens", answers.max_tokens, "at most, where a suite does not say")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 24));
  command.add_option("--temperature", answers.temperature, "0 is greedy")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--raw", answers.raw, "no chat template: continue the prompts as they stand");
  command.add_option("--seed", answers.seed, "of what is drawn")->capture_default_str();
  auto* at_once = command.add_option("--concurrency", concurrency,
                                     "closed loop: so many requests at once (default: 1)");
  at_once->check(CLI::Range(1, 100'000));
  command.add_option("--rate", rate, "open loop: Poisson arrivals, requests a second")
      ->check(NumberWithin(1e-6, 1e6))
      ->excludes(at_once);
  command.add_option("--price-per-hour", prices.per_hour, "of the machine, in any currency")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--watts", prices.watts, "that the machine draws")
      ->check(CLI::NonNegativeNumber);
}

bool WorkloadFlags::open_loop() const { return rate > 0 || (!trace_path.empty() && !concurrency); }

std::string WorkloadFlags::ArrivalsText() const {
  if (rate > 0) return fmt::format("Poisson arrivals, {:g} requests/s", rate);
  if (open_loop()) return "the trace's arrivals";
  const int at_once = loop_concurrency();
  return at_once == 1 ? "one request at a time" : fmt::format("{} requests at once", at_once);
}

Result<std::vector<Mix>> WorkloadFlags::Mixes() const {
  std::vector<Mix> all;
  for (const std::string& name : scenarios) {
    AIO_ASSIGN_OR_RETURN(Mix mix, FindScenario(name));
    all.push_back(std::move(mix));
  }
  for (const std::string& text : mixes) {
    AIO_ASSIGN_OR_RETURN(Mix mix, ParseMix(text));
    all.push_back(std::move(mix));
  }
  if (all.empty() && trace_path.empty()) all.push_back(Scenarios().front());
  return all;
}

Result<Workload> WorkloadFlags::MakeMix(const Mix& mix, int64_t count,
                                        const SyntheticSource& source) const {
  if (synthetic.prompt_tokens > 0) {
    return SyntheticWorkload(mix, synthetic, count, source, answers);
  }
  std::vector<std::string> paths = suites;
  if (paths.empty()) {
    AIO_ASSIGN_OR_RETURN(paths, DefaultSuites());
  }
  AIO_ASSIGN_OR_RETURN(const std::vector<WorkloadItem> items, ReadSuites(paths));
  return MixWorkload(mix, items, count, answers);
}

Result<Workload> WorkloadFlags::MakeTrace(const std::vector<Mix>& all,
                                          const SyntheticSource& source, int context_length) const {
  TraceSettings settings{.path = trace_path, .window = {}, .time_scale = time_scale, .lengths = {}};
  settings.window.begin = FromSeconds(trace_from_seconds);
  if (trace_for_seconds) settings.window.length = FromSeconds(*trace_for_seconds);
  settings.window.requests = requests;
  settings.lengths = {.context_length = context_length, .scale = length_scale};
  std::string note;
  AIO_ASSIGN_OR_RETURN(const Trace trace, LoadTrace(settings, note));
  if (all.empty()) {
    AIO_ASSIGN_OR_RETURN(Workload workload, TraceWorkload(trace, source, answers));
    workload.note = std::move(note);
    return workload;
  }
  const auto count = static_cast<int64_t>(trace.requests.size());
  AIO_ASSIGN_OR_RETURN(Workload workload, MakeMix(all.front(), count, source));
  AIO_RETURN_IF_ERROR(ArriveByTrace(workload, trace));
  workload.note = fmt::format("arrivals of {}, {} over {:.1f} s", trace.source, count,
                              ToMs(trace.length()) / 1000);
  return workload;
}

Result<std::vector<Workload>> WorkloadFlags::Make(const SyntheticSource& source,
                                                  int context_length) const {
  AIO_ASSIGN_OR_RETURN(const std::vector<Mix> all, Mixes());
  std::vector<Workload> workloads;
  if (!trace_path.empty()) {
    if (all.size() > 1) {
      return InvalidArgument("--trace: one scenario or mix at most can arrive as the trace does");
    }
    AIO_ASSIGN_OR_RETURN(Workload workload, MakeTrace(all, source, context_length));
    workloads.push_back(std::move(workload));
  }
  for (const Mix& mix : all) {
    if (!trace_path.empty()) break;
    AIO_ASSIGN_OR_RETURN(Workload workload,
                         MakeMix(mix, requests.value_or(kRequestsDefault), source));
    workloads.push_back(std::move(workload));
  }
  for (Workload& workload : workloads) {
    if (rate > 0) ArriveByPoisson(workload, rate, answers.seed);
  }
  return workloads;
}

}  // namespace aio
