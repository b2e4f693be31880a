#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/commands.h"
#include "app/config_access.h"
#include "app/print_replay.h"
#include "app/probe_prompts.h"
#include "app/runtime.h"
#include "base/progress.h"
#include "decisions/log_reader.h"
#include "decisions/replay.h"
#include "eval/gain_model.h"
#include "eval/outcome_table.h"
#include "eval/policy_outcomes.h"
#include "eval/quality_cost_curve.h"
#include "postgres/url.h"

namespace aio {

namespace {

struct ReplayFlags {
  RuntimeFlags runtime;
  std::string log;      // a file, or a database's URL
  std::string url_env;  // in place of it: the environment variable that holds such a URL
  std::vector<std::string> policies;
  std::string outcomes;
  OutcomeColumns columns;
  int moves = 20;
  bool json = false;
};

Result<std::vector<RoutingPolicy>> ReadPolicies(const std::vector<std::string>& paths) {
  std::vector<RoutingPolicy> policies;
  policies.reserve(paths.size());
  for (const std::string& path : paths) {
    AIO_ASSIGN_OR_RETURN(RoutingPolicy policy, RoutingPolicy::FromFile(path));
    policies.push_back(std::move(policy));
  }
  return policies;
}

Result<int> ReplayLog(const ReplayFlags& flags, std::vector<RoutingPolicy> policies) {
  const SystemClock clock;
  AIO_ASSIGN_OR_RETURN(LogReader reader, LogReader::Open(flags.log));
  Replay replay(reader.ReadPolicies(), std::move(policies),
                {.moves_max = static_cast<size_t>(flags.moves)});
  int64_t done = 0;
  {
    ProgressBar progress("replaying", reader.CountRows(), clock);
    AIO_RETURN_IF_ERROR(reader.ReadAll([&](const LoggedRequest& request) {
      replay.Add(request);
      progress.Update(++done);
    }));
  }
  const ReplayReport report = replay.Finish();
  const std::string place = IsPostgresUrl(flags.log) ? PostgresUrlToShow(flags.log) : flags.log;
  const UnreadableRows unreadable = {.lines = reader.unreadable(),
                                     .rows = reader.unreadable_rows()};
  if (flags.json) {
    fmt::print("{}\n", ToText(ReplayJson(place, report, unreadable), 2));
  } else {
    fmt::print("{}", ReplayText(place, report, unreadable));
  }
  for (const PolicyCheck& check : report.checks) {
    if (check.fault.empty() && check.same != check.requests) {
      return Internal(fmt::format("policy '{}' decides {} of {} requests otherwise than it did",
                                  check.name, check.requests - check.same, check.requests));
    }
  }
  return kExitOk;
}

// --- outcomes --------------------------------------------------------------------------

void MeasureWords(const std::vector<OutcomeQuery>& queries, OutcomeReport& report) {
  const OutcomeHalves halves = SplitOutcomes(queries);
  report.fitted = static_cast<int64_t>(halves.fit.size());
  report.measured = static_cast<int64_t>(halves.test.size());
  const GainModel model = FitGainModel(halves.fit);
  std::vector<ScoredOutcome> scored;
  scored.reserve(halves.test.size());
  for (const OutcomeQuery& query : halves.test) {
    scored.push_back(
        {.score = model.Predict(query.prompt), .small = query.small, .large = query.large});
  }
  report.area = MeasureCurve(scored);
  report.curve = QualityCostCurve(std::move(scored));
}

Status DecideOutcomes(const ReplayFlags& flags, const std::vector<RoutingPolicy>& policies,
                      const std::vector<OutcomeQuery>& queries, OutcomeReport& report) {
  AIO_ASSIGN_OR_RETURN(const AppConfig config, flags.runtime.Resolve());
  AIO_ASSIGN_OR_RETURN(const std::unique_ptr<Runtime> runtime, LoadRuntime(config));
  std::vector<std::string> prompts;
  prompts.reserve(queries.size());
  for (const OutcomeQuery& query : queries) prompts.push_back(query.prompt);
  std::optional<ProgressBar> progress;
  progress.emplace("probing", static_cast<int64_t>(prompts.size()), runtime->clock);
  AIO_ASSIGN_OR_RETURN(const std::vector<Signals> signals,
                       ProbePrompts(*runtime->router, config.probe, prompts, [&](size_t done) {
                         progress->Update(static_cast<int64_t>(done));
                       }));
  progress.reset();
  for (const RoutingPolicy& policy : policies) {
    report.policies.push_back(ReplayOutcomes(policy, queries, signals));
  }
  return Status::Ok();
}

Result<int> ReplayTable(const ReplayFlags& flags, const std::vector<RoutingPolicy>& policies) {
  OutcomeReport report;
  AIO_ASSIGN_OR_RETURN(report.table, ReadOutcomeTable(flags.outcomes, flags.columns));
  const std::vector<OutcomeQuery> queries = std::exchange(report.table.queries, {});
  report.queries = static_cast<int64_t>(queries.size());
  constexpr size_t kQueriesMin = 8;  // that either half is not empty, but for chance
  if (queries.size() < kQueriesMin) {
    return InvalidArgument(
        fmt::format("{}: {} queries; at least {} are needed, and some hundreds "
                    "to see anything",
                    flags.outcomes, queries.size(), kQueriesMin));
  }
  MeasureWords(queries, report);
  if (!policies.empty()) {
    AIO_RETURN_IF_ERROR(DecideOutcomes(flags, policies, queries, report));
  }
  if (flags.json) {
    fmt::print("{}\n", ToText(OutcomeJson(flags.outcomes, report), 2));
  } else {
    fmt::print("{}", OutcomeText(flags.outcomes, report));
  }
  return kExitOk;
}

// Takes the URL from its variable, if it is to be there.
Status ResolveLog(ReplayFlags& flags) {
  if (flags.url_env.empty()) return Status::Ok();
  if (!flags.log.empty()) return InvalidArgument("replay: give either a log or --log-url-env");
  Result<std::string> url = ReadNamedDatabaseUrl(flags.url_env);
  if (!url.ok()) return url.status().WithContext("replay: --log-url-env");
  flags.log = *std::move(url);
  return Status::Ok();
}

int RunReplay(ReplayFlags flags) {
  if (const Status resolved = ResolveLog(flags); !resolved.ok()) {
    Fail(resolved);
    return kExitUsage;
  }
  if (flags.log.empty() == flags.outcomes.empty()) {
    Fail(InvalidArgument("replay: give either a decision log or --outcomes"));
    return kExitUsage;
  }
  Result<std::vector<RoutingPolicy>> policies = ReadPolicies(flags.policies);
  if (!policies.ok()) return Fail(policies.status());
  const Result<int> exit_status =
      flags.log.empty() ? ReplayTable(flags, *policies) : ReplayLog(flags, *std::move(policies));
  return exit_status.ok() ? *exit_status : Fail(exit_status.status());
}

}  // namespace

void RegisterReplay(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "replay", "Decide logged requests again, or queries with known outcomes, by any policy");
  auto flags = std::make_shared<ReplayFlags>();
  command->add_option(
      "log", flags->log,
      "a decision log: a file, or a postgresql:// URL (see `aio serve --decision-log`)");
  command->add_option("--log-url-env", flags->url_env,
                      "in place of it: the environment variable that holds the URL");
  command->add_option("-p,--policy", flags->policies, "a policy to decide by; may be repeated");
  command->add_option("--outcomes", flags->outcomes,
                      "in place of a log: what a small and a large model made of queries, as CSV "
                      "or JSON lines, a file or a folder");
  command->add_option("--small-column", flags->columns.small,
                      "the small model's column (default: the first beside \"prompt\")");
  command->add_option("--large-column", flags->columns.large,
                      "the large model's column (default: the second beside \"prompt\")");
  command->add_option("--moves", flags->moves, "requests that would move, listed one by one")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "the report as JSON");
  command
      ->add_option("-c,--config", flags->runtime.config_path,
                   "configuration with the probe for --outcomes (default: the bundled pair's)")
      ->envname("AIO_CONFIG");
  command->add_option("--threads", flags->runtime.threads, "threads to probe with")
      ->check(CLI::Range(1, EngineLimits::kThreadsMax));
  command->footer(
      "Examples:\n  aio replay decisions.db --policy policy/paper.toml\n"
      "  aio replay --outcomes routellm_mmlu --policy policy/paper.toml\n"
      "A policy is asked what the small model's probe says of each query of --outcomes; without "
      "one,\nno model is loaded.");
  command->callback([flags, &exit_status] { exit_status = RunReplay(*flags); });
}

}  // namespace aio
