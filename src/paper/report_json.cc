#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "paper/report.h"

namespace aio {

namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const Rounded& figure) {
  return {{"value", figure.value}, {"low", figure.low}, {"high", figure.high}};
}

Json ToJson(const CountedShare& share) {
  return {{"right", share.right},
          {"of", share.of},
          {"share", share.share},
          {"low", share.interval.low},
          {"high", share.interval.high}};
}

Json ToJson(const StepFit& fit) {
  return {{"terms", fit.name},
          {"possible", fit.Possible()},
          {"ms_per_gb", fit.ms_per_gb},
          {"tb_per_s", fit.ms_per_gb > 0 ? Json(fit.TbPerSecond()) : Json()},
          {"ms_per_layer", fit.ms_per_layer},
          {"fixed_ms", fit.fixed_ms},
          {"rms_ms", fit.rms_ms},
          {"small_residual_ms", fit.small_residual_ms},
          {"large_residual_ms", fit.large_residual_ms},
          {"small_memory_share", fit.small_memory_share},
          {"large_memory_share", fit.large_memory_share}};
}

Json ToJson(const AccuracyTps& figures) {
  Json pair = Json::array({nullptr, nullptr});
  if (figures.accuracy) pair[0] = *figures.accuracy;
  if (figures.tps) pair[1] = *figures.tps;
  return pair;
}

template <typename T>
Json ListToJson(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(ToJson(item));
  return list;
}

template <typename T>
Json NamedToJson(const Named<T>& items) {
  Json object = Json::object();
  for (const auto& [name, value] : items) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      object[name] = value;
    } else {
      object[name] = ToJson(value);
    }
  }
  return object;
}

Json CellsJson(const Reproduction& reproduction) {
  Json cells = Json::array();
  for (const Comparison& comparison : reproduction.AllComparisons()) {
    cells.push_back({{"table", comparison.table},
                     {"cell", comparison.row},
                     {"figure", comparison.figure},
                     {"from", comparison.how},
                     {"published", comparison.published.value},
                     {"recomputed", ToJson(comparison.recomputed)},
                     {"difference", comparison.Difference()},
                     {"rounding_allows", comparison.Allowed()},
                     {"follows", comparison.Follows()}});
  }
  return cells;
}

Json ProbeJson(const ProbeTable& probe) {
  Json labels = Json::object();
  for (const ProbeLabelFigures& label : probe.labels) {
    labels[label.label] = {{"recall", ToJson(label.recall)},
                           {"precision", ToJson(label.precision)}};
  }
  return {{"accuracy", ToJson(probe.accuracy)}, {"labels", std::move(labels)}};
}

Json ExpectedJson(const std::vector<ExpectedTask>& tasks) {
  Json out = Json::object();
  for (const ExpectedTask& task : tasks) {
    const auto figures = [](const MixFigures& mix) {
      return Json{{"accuracy", mix.accuracy.value},
                  {"tps", mix.tps.value},
                  {"tps_harmonic", mix.tps_harmonic.value}};
    };
    out[task.task] = {{"stated", figures(task.stated)},
                      {"pld_where_it_helps", figures(task.where_it_helps)},
                      {"oracle", task.oracle.value},
                      {"published", task.published.value}};
  }
  return out;
}

Json MixesJson(const Reproduction& reproduction) {
  Json rows = Json::array();
  for (const Reproduction::HarmonicRow& row : reproduction.harmonic) {
    rows.push_back({{"mix", row.mix},
                    {"configuration", row.configuration},
                    {"tps_arithmetic", row.arithmetic},
                    {"tps_harmonic", row.harmonic}});
  }
  Json gains = Json::object();
  for (const MixGain& gain : reproduction.gains) {
    gains[gain.mix] = {{"published", gain.published},
                       {"arithmetic", gain.arithmetic},
                       {"harmonic", gain.harmonic},
                       {"harmonic_expected", gain.expected_harmonic}};
  }
  Json long_tps = Json::object();
  const LongContextTps& implied = reproduction.long_tps;
  if (implied.small) long_tps[std::string(kStaticSmall)] = ToJson(*implied.small);
  if (implied.large) long_tps[std::string(kStaticLarge)] = ToJson(*implied.large);
  return {{"long_context_tps", std::move(long_tps)},
          {"rows", std::move(rows)},
          {"over_static_large", std::move(gains)}};
}

Json CostsJson(const Reproduction& reproduction) {
  Json generations = Json::array();
  for (const OverheadFigures::Generation& generation : reproduction.overhead.generations) {
    generations.push_back({{"model", generation.model},
                           {"tokens", generation.tokens},
                           {"seconds", generation.seconds},
                           {"overhead_pct", generation.share_pct}});
  }
  Json models = Json::array();
  for (const TrafficFigures::Model& model : reproduction.traffic.models) {
    models.push_back({{"model", model.name},
                      {"gb_per_token", model.weights_gb},
                      {"gb_per_token_by_shape", model.shape_gb},
                      {"gb_per_s_low", model.gb_per_s_low},
                      {"gb_per_s_high", model.gb_per_s_high}});
  }
  return {{"overhead_of_generations", std::move(generations)},
          {"small_step_ms", reproduction.overhead.small_step_ms},
          {"probe_pass_ms", reproduction.overhead.probe_pass_ms},
          {"traffic", std::move(models)}};
}

Json StepsJson(const Reproduction& reproduction) {
  const StepModel& steps = reproduction.steps;
  Json gains = Json::array();
  for (const RoutingGain& gain : reproduction.routing_gains) {
    gains.push_back({{"overhead_share", gain.overhead_share},
                     {"small_ms", gain.small_ms},
                     {"large_ms", gain.large_ms},
                     {"harmonic", NamedToJson(gain.harmonic)},
                     {"arithmetic", NamedToJson(gain.arithmetic)}});
  }
  return {{"small_ms", steps.small_ms},
          {"large_ms", steps.large_ms},
          {"per_layer", ListToJson(steps.per_layer)},
          {"bandwidth_free", ToJson(steps.bandwidth_free)},
          {"with_fixed", ListToJson(steps.with_fixed)},
          {"tb_per_s_min", steps.tb_per_s_min},
          {"with_probe_pass", ToJson(steps.with_probe_pass)},
          {"routing_gains", std::move(gains)}};
}

Json CountsJson(const std::vector<CountCheck>& counts) {
  Json out = Json::array();
  for (const CountCheck& check : counts) {
    out.push_back({{"configuration", check.configuration},
                   {"task", check.task},
                   {"published", check.published},
                   {"items", check.items},
                   {"nearest", check.nearest},
                   {"possible", check.possible}});
  }
  return out;
}

Json FiguresJson(const FigureTables& figures) {
  Json rows = Json::object();
  for (const auto& [configuration, by_task] : figures.by_task) {
    Json accuracy = Json::array();
    Json tps = Json::array();
    for (const AccuracyTps& cell : by_task) {
      const Json pair = ToJson(cell);
      accuracy.push_back(pair[0]);
      tps.push_back(pair[1]);
    }
    rows[configuration] = {{"acc", std::move(accuracy)}, {"tps", std::move(tps)}};
  }
  Json scenarios = Json::object();
  for (const auto& [mix, by_row] : figures.scenarios) scenarios[mix] = NamedToJson(by_row);
  return {{"accuracy_tps", {{"columns", figures.tasks}, {"rows", std::move(rows)}}},
          {"scenarios", std::move(scenarios)},
          {"ablations", NamedToJson(figures.ablations)},
          {"overhead", NamedToJson(figures.overhead)}};
}

}  // namespace

std::string ReproductionJson(const Reproduction& reproduction) {
  const PaperTables& tables = reproduction.tables;
  Json out = {{"source",
               {{"reference", tables.source.reference},
                {"title", tables.source.title},
                {"date", tables.source.date},
                {"url", tables.source.url},
                {"file", tables.file},
                {"sha256", tables.sha256}}},
              {"cells", CellsJson(reproduction)},
              {"probe", ProbeJson(reproduction.probe)},
              {"expected", ExpectedJson(reproduction.expected)},
              {"mixes", MixesJson(reproduction)},
              {"costs", CostsJson(reproduction)},
              {"steps", StepsJson(reproduction)},
              {"counts", CountsJson(reproduction.counts)},
              {"published", FiguresJson(tables.figures)}};
  if (reproduction.measured) {
    out["measured"] = FiguresJson(reproduction.measured->figures);
    out["measured"]["source"] = reproduction.measured->source;
    out["measured"]["title"] = reproduction.measured->title;
    out["measured"]["stands_for"] = NamedToJson(reproduction.measured->stands_for);
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace aio
