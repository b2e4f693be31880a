// The sections on overhead, traffic and the time of a step, and on what was measured here.
#include <fmt/format.h>

#include <cmath>

#include "paper/report_sections.h"

namespace aio {

namespace {

std::string Percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

// "1.23 fitted"
std::string Bandwidth(const StepFit& fit, const char* origin) {
  if (fit.ms_per_gb <= 0) return "none fits";
  return fmt::format("{:.2f} {}", fit.TbPerSecond(), origin);
}

void AddFit(const StepFit& fit, const char* origin, ReportTable& table) {
  const auto share = [&](double memory) {
    return fit.Possible() ? Percent(memory) : std::string("-");
  };
  table.rows.push_back({fit.name, Bandwidth(fit, origin), fmt::format("{:.2f}", fit.ms_per_layer),
                        fmt::format("{:.1f}", fit.fixed_ms), fmt::format("{:.2f}", fit.rms_ms),
                        SignedNumber(fit.small_residual_ms, 1),
                        SignedNumber(fit.large_residual_ms, 1), share(fit.small_memory_share),
                        share(fit.large_memory_share),
                        fit.Possible() ? "yes" : "no: a time below 0"});
}

std::string VariantCell(const AccuracyTps* plain, const AccuracyTps* variant) {
  if (plain == nullptr || variant == nullptr) return "-";
  if (!plain->accuracy || !variant->accuracy || !plain->tps || !variant->tps) return "-";
  return fmt::format("{}, {:.2f}", SignedNumber(*variant->accuracy - *plain->accuracy, 2),
                     *variant->tps / *plain->tps);
}

}  // namespace

ReportSection VariantsSection(const Reproduction& reproduction) {
  const FigureTables& figures = reproduction.tables.figures;
  ReportSection section = {"Table 3: prompt lookup and W8A16 against plain decoding", {}};
  section.blocks.emplace_back(
      "Points of accuracy won or lost, and times as fast. A guess that is checked exactly cannot "
      "change a greedy answer: what prompt lookup changes in accuracy is not prompt lookup. W8A16 "
      "that reads half the bytes would be faster on an engine bound by bandwidth.");
  ReportTable table = {{"task"}, 1, {}};
  for (const auto& [name, row] : figures.by_task) {
    for (const std::string_view plain : {kStaticSmall, kStaticLarge}) {
      if (name != plain && name.starts_with(plain)) table.header.push_back(name);
    }
  }
  for (const std::string& task : figures.tasks) {
    std::vector<std::string> row = {task};
    for (size_t i = 1; i < table.header.size(); ++i) {
      const std::string& name = table.header[i];
      const std::string_view plain = name.starts_with(kStaticSmall) ? kStaticSmall : kStaticLarge;
      row.push_back(VariantCell(figures.Find(plain, task), figures.Find(name, task)));
    }
    table.rows.push_back(std::move(row));
  }
  section.blocks.emplace_back(std::move(table));
  return section;
}

ReportSection OverheadSection(const Reproduction& reproduction) {
  const OverheadFigures& overhead = reproduction.overhead;
  ReportSection section = {"Overhead", {}};
  section.blocks.emplace_back(ComparisonTable(overhead.comparisons));
  section.blocks.emplace_back(fmt::format(
      "{:.0f} ms of the large model are {:.0f} tokens at its mean speed. Of longer "
      "generations the overhead is less:",
      reproduction.tables.overhead.generation_ms, overhead.tokens_in_reported_generation));
  ReportTable table = {{"model", "tokens", "seconds", "overhead, % of time"}, 1, {}};
  for (const OverheadFigures::Generation& generation : overhead.generations) {
    table.rows.push_back({generation.model, fmt::to_string(generation.tokens),
                          fmt::format("{:.1f}", generation.seconds),
                          fmt::format("{:.3f}", generation.share_pct)});
  }
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(fmt::format(
      "The probe's forward pass of the small model is given as {:.1f} ms; one token of its "
      "decoding takes {:.1f} ms by Table 3, {:.1f} times as long, and is one forward pass too.",
      overhead.probe_pass_ms, overhead.small_step_ms,
      overhead.small_step_ms / overhead.probe_pass_ms));
  return section;
}

ReportSection TrafficSection(const Reproduction& reproduction) {
  const TrafficFigures& traffic = reproduction.traffic;
  ReportSection section = {"Memory traffic", {}};
  section.blocks.emplace_back(ComparisonTable(traffic.comparisons));
  ReportTable table = {
      {"model", "GB a token", "GB by its shape", "GB/s at the published tokens/s"}, 1, {}};
  for (const TrafficFigures::Model& model : traffic.models) {
    table.rows.push_back(
        {model.name, fmt::format("{:g}", model.weights_gb), fmt::format("{:.2f}", model.shape_gb),
         fmt::format("{:.0f} to {:.0f}", model.gb_per_s_low, model.gb_per_s_high)});
  }
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(
      fmt::format("The small model is {:g} times lighter and {:.2f} to {:.2f} times faster.",
                  traffic.lighter, traffic.faster_low, traffic.faster_high));
  return section;
}

ReportSection StepsSection(const Reproduction& reproduction) {
  const PaperTables& tables = reproduction.tables;
  const StepModel& steps = reproduction.steps;
  ReportSection section = {"Where a step's time goes", {}};
  section.blocks.emplace_back(fmt::format(
      "Model: ms of a token = fixed + per layer * layers + GB / bandwidth, least squares over the "
      "static rows of Table 3: five tasks of two models, {} layers and {:g} GB, {} layers and {:g} "
      "GB. All tasks of a model have the same layers and bytes, so the ten observations are two "
      "means, {:.1f} and {:.1f} ms: two terms can be told apart at most.",
      tables.small.layers, tables.small.weights_gb, tables.large.layers, tables.large.weights_gb,
      steps.small_ms, steps.large_ms));
  ReportTable table = {{"terms fitted", "TB/s", "ms a layer", "fixed ms", "rms, ms", "small off",
                        "large off", "memory, small", "memory, large", "possible"},
                       1,
                       {}};
  for (const StepFit& fit : steps.per_layer) AddFit(fit, "assumed", table);
  AddFit(steps.bandwidth_free, "fitted", table);
  for (const StepFit& fit : steps.with_fixed) AddFit(fit, "assumed", table);
  AddFit(steps.with_probe_pass, "fitted", table);
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(fmt::format(
      "\"off\" is observed less fitted, \"memory\" the share of the observed step that reading the "
      "weights takes. The large model has {:.3f} times the layers and takes {:.3f} times as long.",
      steps.layer_ratio, steps.time_ratio));
  section.blocks.emplace_back(fmt::format(
      "With a fixed part, bandwidths under {:.2f} TB/s would give a layer a time below 0. The last "
      "line takes the probe's pass of the overhead table as a third equation (layers and weights "
      "once, without what is fixed): three equations for three terms, nothing is left to check it.",
      steps.tb_per_s_min));
  const int context = tables.long_context.long_tokens;
  const LongContextTps& long_tps = reproduction.long_tps;
  if (long_tps.large) {
    section.blocks.emplace_back(fmt::format(
        "Long prompts: the large model's implied {:.2f} tokens/s are {:.0f} ms a token, {:.0f} ms "
        "more than with short ones. The keys and values of {} tokens are {:.1f} GB by its shape, "
        "{:.1f} ms at 1 TB/s: reading them does not explain it. Time for the prompt, if it "
        "was counted, may.",
        long_tps.large->value, 1000 / long_tps.large->value,
        1000 / long_tps.large->value - steps.large_ms, context, tables.large.KvGb(context),
        tables.large.KvGb(context)));
  }
  return section;
}

ReportSection GainsSection(const Reproduction& reproduction) {
  const StepFit& fit = reproduction.steps.with_probe_pass;
  ReportSection section = {"What routing gains as the host's part shrinks", {}};
  section.blocks.emplace_back(fmt::format(
      "Routing alone over static large: perfect labels, no prompt lookup, answers of equal length, "
      "long prompts on the large model. Steps by the last fit above (TB/s: {}), with less and less "
      "of its fixed and per-layer time; at 0 % the engine is bound by bandwidth.",
      Bandwidth(fit, "fitted")));
  ReportTable table = {{"host's part", "small, ms", "large, ms"}, 1, {}};
  for (const auto& [mix, gain] : reproduction.routing_gains.front().harmonic) {
    table.header.push_back(mix + ", harmonic");
    table.header.push_back(mix + ", arithmetic");
  }
  for (const RoutingGain& gain : reproduction.routing_gains) {
    std::vector<std::string> row = {fmt::format("{:.0f} %", 100 * gain.overhead_share),
                                    fmt::format("{:.1f}", gain.small_ms),
                                    fmt::format("{:.1f}", gain.large_ms)};
    for (size_t i = 0; i < gain.harmonic.size(); ++i) {
      row.push_back(fmt::format("{:.2f}", gain.harmonic[i].second));
      row.push_back(fmt::format("{:.2f}", gain.arithmetic[i].second));
    }
    table.rows.push_back(std::move(row));
  }
  section.blocks.emplace_back(std::move(table));
  return section;
}

}  // namespace aio
