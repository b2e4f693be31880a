#include "sim/sim_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/fit_device.h"
#include "sim/paper_fit.h"

namespace aio {
namespace {

using Json = nlohmann::ordered_json;

// Six digits: what a figure is worth, and short.
double Short(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10, 5 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

Json ToJson(const Percentiles& of) {
  return {{"mean", Short(of.mean)}, {"p50", Short(of.p50)}, {"p90", Short(of.p90)},
          {"p95", Short(of.p95)},   {"p99", Short(of.p99)}, {"max", Short(of.max)}};
}

Json ToJson(const SimSummary& summary) {
  Json arms = Json::array();
  for (const SimArmUse& arm : summary.arms) {
    arms.push_back({{"role", kSimRoleNames[arm.large ? kSimLarge : kSimSmall]},
                    {"strategy", StrategyName(arm.strategy)},
                    {"requests", arm.requests}});
  }
  Json pools = Json::array();
  for (const PoolUse& pool : summary.pools) {
    pools.push_back({{"busy_share", Short(pool.busy_share)},
                     {"bandwidth_share", Short(pool.bandwidth_share)},
                     {"switching_share", Short(pool.switching_share)},
                     {"down_share", Short(pool.down_share)}});
  }
  Json json = {{"requests", summary.requests},
               {"answered", summary.answered},
               {"failed", summary.failed},
               {"shortened", summary.shortened},
               {"seconds", Short(summary.seconds)},
               {"offered_per_second", Short(summary.offered_per_second)},
               {"requests_per_second", Short(summary.requests_per_second)},
               {"tokens_per_second", Short(summary.tokens_per_second)},
               {"first_token_ms", ToJson(summary.first_token_ms)},
               {"per_token_ms", ToJson(summary.per_token_ms)},
               {"end_to_end_ms", ToJson(summary.end_to_end_ms)},
               {"queue_ms", ToJson(summary.queue_ms)},
               {"probe_ms", ToJson(summary.probe_ms)},
               {"good_share", Short(summary.good_share)},
               {"goodput", Short(summary.goodput)},
               {"small_share", Short(summary.small_share)},
               {"probed_share", Short(summary.probed_share)},
               {"arms", std::move(arms)}};
  if (!summary.first_fault.empty()) json["first_fault"] = summary.first_fault;
  if (summary.accuracy) json["expected_accuracy_percent"] = Short(*summary.accuracy);
  json["gb_read"] = Short(summary.gb);
  json["gb_per_token"] = Short(summary.gb_per_token);
  json["busy_share"] = Short(summary.busy_share);
  json["bandwidth_share"] = Short(summary.bandwidth_share);
  json["draft_share"] = Short(summary.draft_share);
  json["record_share"] = Short(summary.record_share);
  if (summary.usd > 0) {
    json["usd"] = Short(summary.usd);
    json["usd_per_million_tokens"] = Short(summary.usd_per_million_tokens);
  }
  json["preemptions"] = summary.preemptions;
  json["prefix_share"] = Short(summary.prefix_share);
  json["device_failures"] = summary.failures;
  json["pools"] = std::move(pools);
  return json;
}

Json ToJson(const ScenarioResult& result) {
  Json json = {
      {"name", result.name}, {"traffic", result.traffic}, {"summary", ToJson(result.summary)}};
  if (result.timeline.empty()) return json;
  Json timeline = Json::array();
  for (const TimelinePoint& point : result.timeline) {
    timeline.push_back({{"seconds", Short(point.seconds)},
                        {"arrivals", Short(point.arrivals)},
                        {"in_flight", point.in_flight},
                        {"tokens_per_second", Short(point.tokens_per_second)},
                        {"first_token_p50_ms", Short(point.first_token_p50_ms)},
                        {"first_token_p99_ms", Short(point.first_token_p99_ms)}});
  }
  json["timeline"] = std::move(timeline);
  return json;
}

const char* PhaseName(PoolPhase phase) {
  switch (phase) {
    case PoolPhase::kBoth:
      return "both";
    case PoolPhase::kPrefill:
      return "prefill";
    case PoolPhase::kDecode:
      return "decode";
  }
  return "both";
}

Json StepsJson(const DeviceProfile& device, bool graph) {
  Json steps = Json::array();
  for (const StepResidual& residual : Residuals(device)) {
    const MeasuredStep& step = *residual.step;
    if (step.graph != graph) continue;
    steps.push_back({{"model", step.model},
                     {"weights", SimWeightsName(step.weights)},
                     {"prompt", step.prompt},
                     {"rows", step.rows},
                     {"context", step.context},
                     {"measured_ms", Short(step.ms)},
                     {"predicted_ms", Short(residual.predicted_ms)},
                     {"error", Short(residual.error())},
                     {"fitted_to", step.fitted_to},
                     {"source", step.source}});
  }
  return steps;
}

Json ToJson(const Sourced& number) {
  return {{"value", Short(number.value)}, {"source", number.source}};
}

Json ToJson(const LaunchCosts& costs) {
  return {{"step_us", ToJson(costs.step_us)},
          {"layer_us", ToJson(costs.layer_us)},
          {"kernel_us", ToJson(costs.kernel_us)}};
}

Json SetupJson(const Scenario& scenario) {
  Json pools = Json::array();
  for (const SimulatedPool& pool : scenario.setup.pools) {
    Json holds = Json::array();
    for (const int role : {kSimSmall, kSimLarge}) {
      if (pool.holds[role]) holds.push_back(kSimRoleNames[role]);
    }
    pools.push_back({{"device", pool.device.name},
                     {"title", pool.device.title},
                     {"devices", pool.devices},
                     {"holds", std::move(holds)},
                     {"phase", PhaseName(pool.phase)},
                     {"graph", pool.graph},
                     {"failure_hours", pool.failure_hours},
                     {"usd_per_hour", pool.device.usd_per_hour.value},
                     {"measured_steps", StepsJson(pool.device, pool.graph)}});
  }
  Json setup = {{"pools", std::move(pools)}};
  for (const int role : {kSimSmall, kSimLarge}) {
    const SimulatedRole& of = scenario.setup.roles[role];
    setup[kSimRoleNames[role]] = {{"model", of.name},
                                  {"weights", SimWeightsName(of.weights)},
                                  {"max_running", of.scheduler.max_running},
                                  {"prefill_chunk_tokens", of.scheduler.prefill_chunk_tokens}};
  }
  setup["traffic"] = DescribeTraffic(scenario.traffic);
  setup["policy"] = scenario.setup.policy.name();
  setup["seed"] = scenario.traffic.seed;
  setup["targets"] = {{"first_token_ms", scenario.targets.first_token_ms},
                      {"per_token_ms", scenario.targets.per_token_ms}};
  return setup;
}

Json SweepJson(const std::vector<SweepAxis>& axes) {
  Json json = Json::array();
  for (const SweepAxis& axis : axes) json.push_back({{"what", axis.what}, {"values", axis.values}});
  return json;
}

Json FindJson(const LimitQuestion& question, const LimitAnswer& answer) {
  Json conditions = Json::array();
  for (const LimitCondition& condition : question.conditions) {
    conditions.push_back(condition.Text());
  }
  Json tries = Json::array();
  for (const LimitTry& tried : answer.tries) {
    tries.push_back({{"value", Short(tried.value)},
                     {"holds", tried.holds},
                     {"summary", ToJson(tried.summary)}});
  }
  return {{"find", question.most ? "max" : "min"}, {"what", question.what},
          {"conditions", std::move(conditions)},   {"value", Short(answer.value)},
          {"all_tried_hold", answer.is_open},      {"tries", std::move(tries)}};
}

Json CompareJson(const PolicyComparisons& comparison) {
  Json others = Json::array();
  for (const PolicyComparison& other : comparison.others) {
    Json metrics = Json::array();
    for (const ComparedMetric& metric : other.metrics) {
      metrics.push_back({{"name", metric.name},
                         {"first", Short(metric.first)},
                         {"other", Short(metric.other)},
                         {"difference", Short(metric.difference)},
                         {"low", Short(metric.interval.low)},
                         {"high", Short(metric.interval.high)}});
    }
    others.push_back({{"policy", other.policy}, {"metrics", std::move(metrics)}});
  }
  return {{"first", comparison.first},
          {"repetitions", comparison.repetitions},
          {"confidence", 0.95},
          {"others", std::move(others)}};
}

}  // namespace

std::string AnswerLines(const std::vector<SimulatedAnswer>& answers) {
  std::string lines;
  for (const SimulatedAnswer& answer : answers) {
    const auto ms = [](Duration time) { return std::round(ToMs(time) * 1000) / 1000; };
    Json line = {{"arrival_ms", ms(answer.arrival)}};
    if (answer.answered) {
      line["first_token_ms"] = ms(answer.first_token);
      line["end_ms"] = ms(answer.end);
      line["role"] = kSimRoleNames[answer.large ? kSimLarge : kSimSmall];
      line["strategy"] = StrategyName(answer.strategy);
      line["probe_ms"] = Short(answer.probe_ms);
      line["queue_ms"] = Short(answer.queue_ms);
      line["output_tokens"] = answer.answer_tokens;
    } else {
      line["error"] = answer.fault;
    }
    lines += line.dump() + "\n";
  }
  return lines;
}

namespace {

Json PaperSpeedsJson(const DeviceProfile& device) {
  Json speeds = Json::array();
  const auto tables = EmbeddedPaperTables();
  const auto fit = tables.ok() ? FitToPaper(*tables, device) : tables.status();
  if (!fit.ok()) return speeds;
  for (const FittedSpeed& speed : fit->speeds) {
    speeds.push_back({{"what", speed.what},
                      {"published", speed.published},
                      {"fitted", Short(speed.fitted)},
                      {"error", Short(speed.error())},
                      {"fitted_to", speed.was_fitted_to}});
  }
  return speeds;
}

}  // namespace

std::string DeviceJson(const DeviceProfile& device) {
  Json json = {{"name", device.name},
               {"title", device.title},
               {"memory_gb", ToJson(device.memory_gb)},
               {"read_gb_per_s", ToJson(device.read_gb_per_s)},
               {"read_share", ToJson(device.read_share)},
               {"f16_tflops", ToJson(device.f16_tflops)},
               {"i8_tops", ToJson(device.i8_tops)},
               {"compute_share", ToJson(device.compute_share)},
               {"overlap", ToJson(device.overlap)},
               {"layer_gap_us", ToJson(device.layer_gap_us)},
               {"model_switch_us", ToJson(device.model_switch_us)},
               {"usd_per_hour", ToJson(device.usd_per_hour)},
               {"eager", ToJson(device.eager)}};
  if (device.has_graphs) json["graph"] = ToJson(device.graph);
  json["fitted"] = device.fitted;
  if (device.name == kPaperDevice) json["paper_speeds"] = PaperSpeedsJson(device);
  json["eager_steps"] = StepsJson(device, false);
  json["graph_steps"] = StepsJson(device, true);
  return json.dump(2);
}

std::string DevicesJson() {
  Json devices = Json::array();
  for (const DeviceProfile& device : KnownDevices()) {
    const ProfileTrust trust = TrustOf(device, device.plays_graphs);
    devices.push_back({{"name", device.name},
                       {"title", device.title},
                       {"measured_steps", trust.steps},
                       {"median_error", Short(trust.median_error)},
                       {"worst_error", Short(trust.worst_error)}});
  }
  return devices.dump(2);
}

ProfileTrust TrustOf(const DeviceProfile& device, bool graph) {
  ProfileTrust trust;
  std::vector<double> errors;
  for (const StepResidual& residual : Residuals(device)) {
    if (residual.step->graph != graph) continue;
    ++trust.steps;
    trust.fitted_to += residual.step->fitted_to ? 1 : 0;
    errors.push_back(std::abs(residual.error()));
    if (std::abs(residual.error()) > std::abs(trust.worst_error)) {
      trust.worst_error = residual.error();
    }
  }
  if (errors.empty()) return trust;
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  trust.median_error = *middle;
  return trust;
}

std::string SimReportJson(const SimReport& report) {
  Json json = {{"version", 1}, {"title", report.title}, {"setup", SetupJson(report.scenario)}};
  Json runs = Json::array();
  for (const ScenarioResult& run : report.runs) runs.push_back(ToJson(run));
  json["runs"] = std::move(runs);
  if (report.against) json["static_large"] = ToJson(*report.against);
  if (!report.sweep.empty()) json["sweep"] = SweepJson(report.sweep);
  if (report.question && report.answer) json["find"] = FindJson(*report.question, *report.answer);
  if (report.comparison) json["compare"] = CompareJson(*report.comparison);
  json["validation"] = kSimValidation;
  return json.dump(2);
}

}  // namespace aio
