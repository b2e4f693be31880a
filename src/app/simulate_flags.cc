#include "app/simulate_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "app/file_shape.h"
#include "app/number_within.h"
#include "app/seen_requests.h"
#include "sim/find_policy.h"
#include "sim/fleet.h"
#include "sim/paper_defaults.h"
#include "sim/parse_number.h"
#include "sim/sim_time.h"
#include "traffic/mix.h"
#include "traffic/reshape_trace.h"

namespace aio {

namespace {

constexpr double kSecondsMax = 1e9;
constexpr double kMsMax = 1e12;
constexpr int64_t kRequestsDefault = 2000;

// MEAN or MEAN:DEVIATION.
Result<SimLengths> ParseLengths(const char* flag, const std::string& text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const auto mean = ParseNumber(text.substr(0, colon));
  const auto deviation =
      colon == text.size() ? std::optional(0.0) : ParseNumber(text.substr(colon + 1));
  constexpr double kTokensMax = 1e6;
  const bool is_fine = mean && *mean >= 1 && *mean <= kTokensMax && deviation && *deviation >= 0 &&
                       *deviation <= kTokensMax;
  if (is_fine) return SimLengths{.mean = *mean, .deviation = *deviation};
  return InvalidArgument(
      fmt::format("{} '{}': write MEAN or MEAN:DEVIATION, in tokens", flag, text));
}

// "code=0.7,qa=0.3"
Result<std::vector<std::pair<std::string, double>>> ParseIntents(const std::string& text) {
  AIO_ASSIGN_OR_RETURN(const Mix mix, ParseMix(text));
  std::vector<std::pair<std::string, double>> shares;
  for (const MixPart& part : mix.parts) {
    if (part.context != MixPart::kShort) {
      return InvalidArgument("'" + text +
                             "': an intent has no context here; lengths are the "
                             "traffic's");
    }
    shares.emplace_back(part.kind, part.share);
  }
  return shares;
}

Result<ProbeQuality> ParseProbe(const std::string& text, const PaperTables& tables) {
  if (text == "paper") return PaperProbe(tables);
  const std::vector<std::string>& labels = tables.confusion.labels;
  if (text == "perfect") return ProbeQuality::Perfect(labels);
  const std::optional<double> accuracy = ParseNumber(text);
  const double worst = 1.0 / static_cast<double>(labels.size());
  if (!accuracy || *accuracy < worst || *accuracy > 1) {
    return InvalidArgument(fmt::format(
        "--probe '{}': write paper, perfect or how often it is right, {:.2f} to 1", text, worst));
  }
  return ProbeQuality::Of(labels, *accuracy);
}

Result<std::shared_ptr<const Trace>> ReadTraceWindow(const SimulateFlags& flags) {
  AIO_ASSIGN_OR_RETURN(Trace trace, ReadTrace(flags.trace_path));
  TraceWindow window{.begin = SimSeconds(flags.trace_from_seconds)};
  if (flags.trace_for_seconds) window.length = SimSeconds(*flags.trace_for_seconds);
  window.requests = flags.requests;
  AIO_RETURN_IF_ERROR(SelectWindow(trace, window));
  return std::shared_ptr<const Trace>(std::make_shared<Trace>(std::move(trace)));
}

Result<SimWeights> ParseWeights(const char* flag, const std::string& name) {
  if (const auto weights = SimWeightsFromName(name)) return *weights;
  return InvalidArgument(fmt::format("{} '{}': must be one of {}", flag, name, SimWeightsNames()));
}

}  // namespace

void SimulateFlags::AddTo(CLI::App& command) {
  auto* fleet = command.add_option("--fleet", fleet_path,
                                   "a file of pools of devices, roles and failures "
                                   "(docs/simulation.md)");
  command.add_option("-d,--device", device, "a device that is built in, or a profile's file")
      ->capture_default_str()
      ->excludes(fleet);
  command.add_option("--devices", devices, "so many, alike, with both models on each")
      ->capture_default_str()
      ->check(CLI::Range(1, 20'000))
      ->excludes(fleet);
  command
      .add_option("--mode", mode, "graph or eager (default: as the device is served by default)")
      ->check(CLI::IsMember({"graph", "eager"}));
  command.add_option("--small", small, "a model's shape, of `aio synthesize` or a GGUF file")
      ->capture_default_str();
  command.add_option("--large", large, "likewise")->capture_default_str();
  command.add_option("--small-weights", small_weights,
                     SimWeightsNames() + " (default: f16, or as the file has them)");
  command.add_option("--large-weights", large_weights, "likewise");
  command.add_option("--max-running", max_running, "sequences in a step, of each model")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command.add_option("--prefill-chunk", prefill_chunk_tokens, "prompt tokens in a step")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  command
      .add_option("-p,--policy", policy,
                  "paper, static-small, static-large, random, or a policy's file")
      ->capture_default_str();
  command.add_option("--tau", tau, "the entropy threshold of all requests, nats")
      ->check(NumberWithin(0, kEntropyMax));
  auto* trace =
      command.add_option("--trace", trace_path, "an Azure or Mooncake trace: arrivals and lengths");
  command.add_option("--trace-from", trace_from_seconds, "where in the trace to begin, seconds")
      ->check(NumberWithin(0, kSecondsMax))
      ->needs(trace);
  command.add_option("--trace-for", trace_for_seconds, "how much of the trace, seconds")
      ->check(NumberWithin(1e-3, kSecondsMax))
      ->needs(trace);
  command
      .add_option("--seen", seen_place,
                  "requests that were served: a decision log, or records of `aio bench load`")
      ->excludes(trace);
  command
      .add_option("-r,--rate", rate, "requests a second (of a trace or a log: in place of its own)")
      ->check(NumberWithin(1e-6, 1e7));
  auto* count = command.add_option("-n,--requests", requests,
                                   "so many (default: 2000; of a trace: all of the window)");
  count->check(CLI::Range(int64_t{1}, int64_t{100'000'000}));
  command
      .add_option("--seconds", seconds,
                  "or for so long, at --rate (requests of a trace are then drawn from it)")
      ->check(NumberWithin(1e-3, kSecondsMax))
      ->excludes(count);
  command
      .add_option("--burstiness", burstiness,
                  "1: Poisson; less: bursts, more: steadier (gaps are Gamma variables of this "
                  "shape)")
      ->capture_default_str()
      ->check(NumberWithin(0.001, 1000));
  command
      .add_option("--prompt-tokens", prompt_tokens, "MEAN:DEVIATION, where nothing was recorded")
      ->capture_default_str();
  command.add_option("--answer-tokens", answer_tokens, "likewise")->capture_default_str();
  command.add_option("--intents", intents, "what requests are about: code=0.7,qa=0.2,math=0.1");
  command
      .add_option("--probe", probe, "how well it tells them: paper (its Table 2), perfect, or 0.92")
      ->capture_default_str();
  command
      .add_option("--probe-suffix-tokens", probe_suffix_tokens,
                  "what it asks after a prompt: [probe] suffix, in tokens")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 16));
  command.add_option(
      "--acceptance", acceptance,
      "how often a guess comes true: prompt_lookup=0.3, draft_model:code=0.7 (default "
      "of prompt lookup: as the paper's Table 3 shows it)");
  command.add_option("--accuracy", accuracy_path,
                     "a policy file whose [[arm]] tables say how well the models do (default: the "
                     "policy's own, or for the paper's pair its tables)");
  command
      .add_option("--ttft", targets.first_token_ms, "target of a good answer, ms to first token")
      ->capture_default_str()
      ->check(NumberWithin(1e-3, kMsMax));
  command.add_option("--tpot", targets.per_token_ms, "likewise, ms a token")
      ->capture_default_str()
      ->check(NumberWithin(1e-3, kMsMax));
  command.add_option("--seed", seed, "of all that is drawn")->capture_default_str();
}

Status SimulateFlags::FillModels(SimulationSetup& setup) const {
  const std::string* const names[] = {&small, &large};
  const std::string* const weights[] = {&small_weights, &large_weights};
  const char* const flags[] = {"--small-weights", "--large-weights"};
  for (const int role : {kSimSmall, kSimLarge}) {
    SimulatedRole& of = setup.roles[role];
    of.name = *names[role];
    if (of.name.ends_with(".gguf")) {
      AIO_ASSIGN_OR_RETURN(const FileShape file, ReadFileShape(of.name));
      of.shape = file.shape;
      of.weights = file.weights;
    } else if (const ModelShape* shape = FindShape(of.name)) {
      of.shape = *shape;
    } else {
      return NotFound("there is no model '" + of.name +
                      "': name one of `aio synthesize --help`, or a GGUF file");
    }
    if (!weights[role]->empty()) {
      AIO_ASSIGN_OR_RETURN(of.weights, ParseWeights(flags[role], *weights[role]));
    }
    of.scheduler = {.max_running = max_running, .prefill_chunk_tokens = prefill_chunk_tokens};
    of.scheduler.max_draft_tokens = max_running * 4;
  }
  if (!fleet_path.empty()) {
    std::array<SimulatedRole, kSimRoles> asked = setup.roles;
    AIO_RETURN_IF_ERROR(ReadFleetFile(fleet_path, setup));
    const SimulateFlags defaults;
    const std::string* const default_names[] = {&defaults.small, &defaults.large};
    for (const int role : {kSimSmall, kSimLarge}) {
      const bool names_other =
          setup.roles[role].name != asked[role].name && asked[role].name != *default_names[role];
      const bool weighs_other =
          setup.roles[role].weights != asked[role].weights && !weights[role]->empty();
      if (!names_other && !weighs_other) continue;
      return InvalidArgument(
          fmt::format("{}: {}.{} says another than --{}{}: leave one of both out", fleet_path,
                      kSimRoleNames[role], names_other ? "model" : "weights", kSimRoleNames[role],
                      names_other ? "" : "-weights"));
    }
  } else {
    SimulatedPool pool;
    AIO_ASSIGN_OR_RETURN(pool.device, FindDeviceProfile(device));
    pool.devices = devices;
    pool.graph = pool.device.plays_graphs;
    setup.pools = {std::move(pool)};
  }
  for (SimulatedPool& pool : setup.pools) {
    if (!mode.empty()) pool.graph = mode == "graph";
  }
  AIO_ASSIGN_OR_RETURN(setup.policy, FindPolicy(policy));
  return Status::Ok();
}

// "draft_model:code=0.7": of an intent; "draft_model=0.7": of all.
Status SimulateFlags::FillAcceptance(SimulationSetup& setup) const {
  AIO_ASSIGN_OR_RETURN(const PaperTables tables, EmbeddedPaperTables());
  for (const int role : {kSimSmall, kSimLarge}) {
    setup.roles[role].acceptance = PaperAcceptance(tables, role == kSimLarge);
  }
  for (const std::string& text : acceptance) {
    const size_t equals = std::min(text.find('='), text.size());
    const std::string name = text.substr(0, equals);
    const std::string number = text.substr(std::min(equals + 1, text.size()));
    const size_t colon = std::min(name.find(':'), name.size());
    const std::string intent = name.substr(std::min(colon + 1, name.size()));
    const std::vector<std::string>& labels = tables.confusion.labels;
    const auto strategy = StrategyFromName(name.substr(0, colon));
    const std::optional<double> chance = ParseNumber(number);
    const bool is_known =
        intent.empty() || std::find(labels.begin(), labels.end(), intent) != labels.end();
    if (!strategy || !is_known || !chance || *chance < 0 || *chance > 1) {
      return InvalidArgument(fmt::format(
          "--acceptance '{}': write STRATEGY=P or STRATEGY:INTENT=P, P from 0 to 1, the intent one "
          "of {}",
          text, fmt::join(labels, ", ")));
    }
    for (SimulatedRole& role : setup.roles) {
      for (const std::string& label : labels) {
        if (intent.empty() || intent == label) role.acceptance[{strategy->kind, label}] = *chance;
      }
    }
  }
  return Status::Ok();
}

Status SimulateFlags::FillTraffic(Scenario& scenario) const {
  AIO_ASSIGN_OR_RETURN(const PaperTables tables, EmbeddedPaperTables());
  WorkloadPlan& plan = scenario.traffic;
  plan.rate = rate;
  plan.requests = requests.value_or(kRequestsDefault);
  plan.seconds = seconds;
  plan.burstiness = burstiness;
  plan.seed = seed;
  AIO_ASSIGN_OR_RETURN(plan.prompts, ParseLengths("--prompt-tokens", prompt_tokens));
  AIO_ASSIGN_OR_RETURN(plan.answers, ParseLengths("--answer-tokens", answer_tokens));
  AIO_ASSIGN_OR_RETURN(plan.probe, ParseProbe(probe, tables));
  if (!intents.empty()) {
    auto shares = ParseIntents(intents);
    if (!shares.ok()) return shares.status().WithContext("--intents");
    plan.intents = *std::move(shares);
  }
  plan.context_length = ContextOf(scenario.setup);
  const bool draws = rate > 0 && (seconds > 0 || trace_path.empty());
  if (!draws && (seconds > 0 || burstiness != 1)) {
    return InvalidArgument(
        "--seconds and --burstiness are for requests that are drawn: say --rate "
        "too, and with --trace both --rate and --seconds");
  }
  if (!seen_place.empty() && (!intents.empty() || (requests && rate <= 0))) {
    return InvalidArgument(
        "requests that were seen have intents of their own, and all come unless "
        "--rate draws from them");
  }
  if (!trace_path.empty()) {
    AIO_ASSIGN_OR_RETURN(plan.trace, ReadTraceWindow(*this));
  } else if (!seen_place.empty()) {
    AIO_ASSIGN_OR_RETURN(SimWorkload seen, ReadSeenRequests(seen_place));
    plan.seen = std::make_shared<SimWorkload>(std::move(seen));
  } else if (rate <= 0) {
    return InvalidArgument("say what is asked: --rate, --trace or --seen");
  }
  return Status::Ok();
}

Result<Scenario> SimulateFlags::ToScenario() const {
  Scenario scenario;
  scenario.name = policy;
  scenario.setup.seed = seed;
  scenario.setup.probe_suffix_tokens = probe_suffix_tokens;
  scenario.entropy_threshold = tau;
  scenario.targets = targets;
  AIO_RETURN_IF_ERROR(FillModels(scenario.setup));
  AIO_RETURN_IF_ERROR(FillAcceptance(scenario.setup));
  AIO_RETURN_IF_ERROR(FillTraffic(scenario));
  const bool is_papers_pair = scenario.setup.roles[kSimSmall].name == "openpangu-1b" &&
                              scenario.setup.roles[kSimLarge].name == "openpangu-7b";
  if (!accuracy_path.empty()) {
    AIO_ASSIGN_OR_RETURN(const RoutingPolicy arms, RoutingPolicy::FromFile(accuracy_path));
    scenario.accuracies = arms.settings().arms;
  } else if (!scenario.setup.policy.settings().arms.empty()) {
    scenario.accuracies = scenario.setup.policy.settings().arms;
  } else if (is_papers_pair) {
    AIO_ASSIGN_OR_RETURN(const PaperTables tables, EmbeddedPaperTables());
    scenario.accuracies = PaperAccuracies(tables);
  }
  return scenario;
}

}  // namespace aio
