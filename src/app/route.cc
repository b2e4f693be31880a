#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/response_parts.h"
#include "app/commands.h"
#include "app/print_explanation.h"
#include "app/prompt_flags.h"
#include "app/run_to_end.h"
#include "app/runtime.h"
#include "base/progress.h"
#include "eval/labelled_queries.h"

namespace aio {

namespace {

struct RouteFlags {
  RuntimeFlags runtime;
  std::string model = "auto";
  std::string prompt;
  std::string file;
  double entropy_threshold = -1;
  bool explain = false;
  bool json = false;
};

struct RoutedQuery {
  LabelledQuery query;
  Decision decision;
};

Request ToRequest(const RouteFlags& flags, std::vector<ChatMessage> messages) {
  Request request;
  request.id = "cli";
  request.model = flags.model;
  request.prompt = std::move(messages);
  if (flags.entropy_threshold >= 0) request.entropy_threshold = flags.entropy_threshold;
  return request;
}

// " (n-grams of 1 to 6 tokens, 2 guesses a step)"; nothing for plain.
std::string DescribeParameters(const Strategy& strategy) {
  const bool automatic = strategy.kind == StrategyKind::kAuto;
  std::vector<std::string> parts;
  if (automatic || strategy.kind == StrategyKind::kPromptLookup) {
    parts.push_back(fmt::format("n-grams of {} to {} tokens", strategy.prompt_lookup_min,
                                strategy.prompt_lookup_max));
  }
  if (strategy.kind != StrategyKind::kPlain) {
    parts.push_back(fmt::format("{}{} guesses a step", automatic ? "at most " : "",
                                strategy.num_speculative_tokens));
  }
  return parts.empty() ? "" : fmt::format(" ({})", fmt::join(parts, ", "));
}

void PrintExplanation(const Decision& decision) {
  fmt::print("model      {} ({})\nweights    {}\nstrategy   {}{}", decision.model, decision.role,
             decision.weights.empty() ? "its own" : decision.weights,
             StrategyName(decision.strategy.kind), DescribeParameters(decision.strategy));
  fmt::print("\nreason     {}\nrule       {}\nprompt     {} tokens\n", decision.reason,
             decision.rule, decision.prompt_tokens);
  if (!decision.probed) {
    fmt::print("probe      not asked\n");
    return;
  }
  fmt::print("entropy    {:.4f} nats (at most {:.4f})\nprobe      {:.2f} ms\n", decision.entropy,
             std::log(static_cast<double>(decision.probabilities.size())), decision.probe_ms);
  constexpr int kBar = 40;
  for (const auto& [label, probability] : decision.probabilities) {
    const std::string bar(static_cast<size_t>(std::lround(probability * kBar)), '#');
    fmt::print("  {:<8} {:6.4f} {}\n", label, probability, bar);
  }
}

// How often the probe said what the label says; rows are the truth.
void PrintSummary(const std::vector<RoutedQuery>& routed) {
  std::map<std::string, std::map<std::string, int>> confusion;
  std::map<std::string, int> by_model;
  int labelled = 0, right = 0;
  double entropy_sum = 0, probe_ms_sum = 0;
  int probed = 0;
  for (const auto& [query, decision] : routed) {
    ++by_model[decision.model];
    if (decision.probed) {
      ++probed;
      entropy_sum += decision.entropy;
      probe_ms_sum += decision.probe_ms;
    }
    if (query.intent.empty()) continue;
    ++labelled;
    const std::string said = decision.probed ? decision.intent : "(not probed)";
    right += said == query.intent;
    ++confusion[query.intent][said];
  }
  fmt::print("\n{} queries", routed.size());
  for (const auto& [model, count] : by_model) fmt::print(", {} to {}", count, model);
  if (probed > 0) {
    fmt::print("; mean entropy {:.3f} nats, mean probe {:.2f} ms", entropy_sum / probed,
               probe_ms_sum / probed);
  }
  fmt::print("\n");
  if (labelled == 0) return;
  fmt::print("probe right on {} of {} ({:.1f} %)\n", right, labelled, 100.0 * right / labelled);
  for (const auto& [truth, row] : confusion) {
    fmt::print("  {:<8}", truth);
    for (const auto& [said, count] : row) fmt::print("  {} {}", said, count);
    fmt::print("\n");
  }
}

int RouteFile(const RouteFlags& flags, Backend& router, const Clock& clock) {
  Result<std::vector<LabelledQuery>> queries = ReadLabelledQueries(flags.file);
  if (!queries.ok()) return Fail(queries.status());
  std::vector<RoutedQuery> routed;
  routed.reserve(queries->size());
  ProgressBar progress("routing", static_cast<int64_t>(queries->size()), clock);
  for (LabelledQuery& query : *queries) {
    Result<Decision> decision = DecideAndWait(router, ToRequest(flags, query.messages));
    if (!decision.ok()) {
      return Fail(
          decision.status().WithContext(fmt::format("{}: line {}", flags.file, query.line)));
    }
    if (flags.json) {
      OrderedJson out = DecisionObject(*decision);
      out["line"] = query.line;
      if (!query.intent.empty()) out["expected_intent"] = query.intent;
      fmt::print("{}\n", ToText(out));
    }
    routed.push_back({std::move(query), *std::move(decision)});
    progress.Update(static_cast<int64_t>(routed.size()));
  }
  if (!flags.json) {
    for (const auto& [query, decision] : routed) {
      const bool wrong = !query.intent.empty() && decision.intent != query.intent;
      fmt::print("{:>6}  {:<14} {:<6} {:.3f}  {}{}\n", query.line, decision.model,
                 decision.probed ? decision.intent : "-", decision.entropy, decision.reason,
                 wrong ? fmt::format("  [labelled {}]", query.intent) : "");
    }
    PrintSummary(routed);
  }
  return kExitOk;
}

Result<DecisionFromSignals> DecideFromSignalsAndWait(Router& router, const Request& request) {
  using Decided = Result<DecisionFromSignals>;
  auto promise = std::make_shared<std::promise<Decided>>();
  std::future<Decided> future = promise->get_future();
  AIO_RETURN_IF_ERROR(router.DecideFromSignals(
      request, [promise](Decided decided) { promise->set_value(std::move(decided)); }));
  return future.get();
}

int ExplainOne(const RouteFlags& flags, Router& router, const Request& request) {
  Result<DecisionFromSignals> decided = DecideFromSignalsAndWait(router, request);
  if (!decided.ok()) return Fail(decided.status());
  const auto& [decision, signals] = *decided;
  if (flags.json) {
    OrderedJson out = DecisionObject(decision);
    out["explanation"] = ExplanationJson(Explain(router.policy(), signals), router.policy());
    fmt::print("{}\n", ToText(out, 2));
  } else {
    fmt::print("{}", ExplanationText(decision, router.policy(), signals));
  }
  return kExitOk;
}

int RunRoute(const RouteFlags& flags) {
  if (flags.prompt.empty() == flags.file.empty()) {
    Fail(InvalidArgument("route: give either a prompt or --file"));
    return kExitUsage;
  }
  if (flags.explain && !flags.file.empty()) {
    Fail(InvalidArgument("route: --explain takes one prompt, not --file"));
    return kExitUsage;
  }
  Result<AppConfig> config = flags.runtime.Resolve();
  if (!config.ok()) return Fail(config.status());
  Result<std::unique_ptr<Runtime>> runtime = LoadRuntime(*config);
  if (!runtime.ok()) return Fail(runtime.status());
  Router& router = *(*runtime)->router;
  if (!flags.file.empty()) return RouteFile(flags, router, (*runtime)->clock);

  Result<std::string> prompt = ReadPromptArgument(flags.prompt);
  if (!prompt.ok()) return Fail(prompt.status());
  const Request request = ToRequest(flags, {{"user", *prompt}});
  if (flags.explain) return ExplainOne(flags, router, request);
  Result<Decision> decision = DecideAndWait(router, request);
  if (!decision.ok()) return Fail(decision.status());
  if (flags.json) {
    fmt::print("{}\n", ToText(DecisionObject(*decision), 2));
  } else {
    PrintExplanation(*decision);
  }
  return kExitOk;
}

}  // namespace

void RegisterRoute(CLI::App& program, int& exit_status) {
  CLI::App* command =
      program.add_subcommand("route", "Explain where a prompt, or each line of a file, would go");
  auto flags = std::make_shared<RouteFlags>();
  command->add_option("prompt", flags->prompt, "the user's message; - reads standard input");
  command->add_option("-f,--file", flags->file,
                      "JSON lines with \"prompt\" or \"messages\", and optionally \"intent\"");
  command->add_option("-m,--model", flags->model, "auto, or auto-TAU")->capture_default_str();
  command->add_option("--entropy-threshold", flags->entropy_threshold, "tau in nats")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--explain", flags->explain,
                    "take one decision apart: rules, margins, what the other model would cost");
  command->add_flag("--json", flags->json, "the decision as JSON (one line a query for --file)");
  flags->runtime.AddTo(*command);
  command->footer(
      "Examples:\n  aio route \"What is 7 times 8?\"\n"
      "  aio route --explain --policy policy/utility.toml \"Sort a list in Python.\"\n"
      "  aio route --file queries.jsonl --json");
  command->callback([flags, &exit_status] { exit_status = RunRoute(*flags); });
}

}  // namespace aio
