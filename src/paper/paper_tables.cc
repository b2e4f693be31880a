#include "paper/paper_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/sha256.h"
#include "paper/embedded_tables.h"
#include "paper/read_paper_tables.h"

namespace aio {

namespace {

// That what the fields refer to is there.
class ReferenceCheck {
 public:
  ReferenceCheck(const PaperTables& tables, FirstFault& fault) : tables_(tables), fault_(fault) {}

  void Run() {
    for (const std::string_view row : {kStaticSmall, kStaticSmallPld, kStaticLarge, kStaticLargePld,
                                       kRandomRow, kOracleRow, kAioRow}) {
      Configuration("accuracy_tps.rows", row);
    }
    if (tables_.figures.tasks.empty()) fault_.Set("accuracy_tps.columns", "must name a task");
    for (const std::string& task : tables_.figures.tasks) Task("accuracy_tps.columns", task);
    for (const auto& [name, task] : tables_.tasks) {
      Task("tasks." + name, name);
      Label("tasks." + name + ".intent", task.intent);
    }
    for (const auto& [label, row] : tables_.policy.by_intent) {
      Label("policy", label);
      Configuration("policy." + label, row);
    }
    for (const std::string& label : tables_.confusion.labels) {
      if (FindNamed(tables_.policy.by_intent, label) == nullptr) {
        fault_.Set("policy." + label, "is missing; say where the policy sends this label");
      }
    }
    CheckLongContext();
    CheckScenarios();
    for (const char* name :
         {"without-model-routing", "without-pld-switch", "without-entropy-fallback", "full"}) {
      if (FindNamed(tables_.figures.ablations, name) == nullptr) {
        fault_.Set(fmt::format("ablations.{}", name), "is missing; add it");
      }
    }
  }

 private:
  void Configuration(const std::string& path, std::string_view row) {
    if (FindNamed(tables_.figures.by_task, row) != nullptr) return;
    fault_.Set(path, fmt::format("accuracy_tps has no row '{}'", row));
  }

  void Task(const std::string& path, const std::string& task) {
    if (FindNamed(tables_.tasks, task) == nullptr) {
      fault_.Set(path, fmt::format("'tasks' has no '{}'", task));
    } else if (tables_.figures.Find(kStaticSmall, task) == nullptr) {
      fault_.Set(path, fmt::format("'accuracy_tps.columns' has no '{}'", task));
    }
  }

  void Label(const std::string& path, const std::string& label) {
    const std::vector<std::string>& labels = tables_.confusion.labels;
    if (std::find(labels.begin(), labels.end(), label) != labels.end()) return;
    fault_.Set(path, fmt::format("'confusion.labels' has no '{}'", label));
  }

  void CheckLongContext() {
    Task("long_context.task", tables_.long_context.task);
    for (const std::string_view row : {kStaticSmall, kStaticLarge}) {
      if (FindNamed(tables_.long_context.accuracy, row) == nullptr) {
        fault_.Set(fmt::format("long_context.accuracy.{}", row), "is missing; add it");
      }
    }
    if (tables_.policy.long_context != kStaticLarge) {
      fault_.Set("policy.long", fmt::format("must be '{}'", kStaticLarge));
    }
  }

  void CheckScenarios() {
    for (const auto& [name, mix] : tables_.mixes) {
      const std::string path = "mixes." + name;
      for (const auto& [task, share] : mix.short_context) Task(path + ".short", task);
      if (mix.long_context.size() > 1) fault_.Set(path + ".long", "can have one task");
      for (const auto& [task, share] : mix.long_context) {
        if (task != tables_.long_context.task) {
          fault_.Set(path + ".long", fmt::format("must be '{}'", tables_.long_context.task));
        }
        if (share <= 0) fault_.Set(fmt::format("{}.long.{}", path, task), "must be above 0");
      }
      const Named<AccuracyTps>* results = FindNamed(tables_.figures.scenarios, name);
      for (const std::string_view row : {kStaticSmall, kStaticLarge, kRandomRow, kAioRow}) {
        if (results != nullptr && FindNamed(*results, row) != nullptr) continue;
        fault_.Set(fmt::format("scenarios.{}.{}", name, row), "is missing; add it");
      }
    }
    for (const auto& [name, results] : tables_.figures.scenarios) {
      if (FindNamed(tables_.mixes, name) != nullptr) continue;
      fault_.Set("scenarios." + name, "'mixes' does not say what this is a mix of");
    }
    const PaperMix* ablated = FindNamed(tables_.mixes, tables_.ablation_scenario);
    if (ablated == nullptr || !ablated->long_context.empty()) {
      fault_.Set("ablation_scenario", "must be a mix of short prompts");
    }
  }

  const PaperTables& tables_;
  FirstFault& fault_;
};

}  // namespace

double PaperModel::ShapeGb() const {
  constexpr double kBytes = 2;
  const double h = hidden;
  const double kv = h / heads * kv_heads;
  const double layer = 2 * h * h + 2 * h * kv + 3 * h * intermediate;
  return kBytes * (layers * layer + h * vocabulary) / 1e9;
}

double PaperModel::KvGb(int context) const {
  constexpr double kBytes = 2;
  const double kv = static_cast<double>(hidden) / heads * kv_heads;
  return kBytes * 2 * kv * layers * context / 1e9;
}

Rounded PaperTables::Accuracy(std::string_view configuration, std::string_view task) const {
  const AccuracyTps* figure = figures.Find(configuration, task);
  AIO_CHECK(figure != nullptr && figure->accuracy, "no such figure");
  return Rounded::Printed(*figure->accuracy, decimals.accuracy_tps);
}

Rounded PaperTables::Tps(std::string_view configuration, std::string_view task) const {
  const AccuracyTps* figure = figures.Find(configuration, task);
  AIO_CHECK(figure != nullptr && figure->tps, "no such figure");
  return Rounded::Printed(*figure->tps, decimals.accuracy_tps);
}

double PaperTables::ProbabilitySaid(std::string_view intent, std::string_view said) const {
  const auto begin = confusion.labels.begin();
  const auto end = confusion.labels.end();
  const auto row = std::find(begin, end, intent);
  const auto column = std::find(begin, end, said);
  if (row == end || column == end) return 0;
  const std::vector<int64_t>& counts = confusion.counts[static_cast<size_t>(row - begin)];
  const int64_t sum = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  return static_cast<double>(counts[static_cast<size_t>(column - begin)]) /
         static_cast<double>(sum);
}

Result<PaperTables> ParsePaperTables(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(const StrictJson json, ParseStrictJson(text, source));
  FirstFault fault(source);
  PaperTables tables;
  tables.file = source;
  tables.sha256 = Sha256Hex(text);
  ReadPaperTables(json, fault, tables);
  if (fault.ok()) ReferenceCheck(tables, fault).Run();
  if (!fault.ok()) return fault.status();
  return tables;
}

Result<PaperTables> EmbeddedPaperTables() {
  return ParsePaperTables(PaperTablesJson(), "data/paper/arxiv-2604.09752.json");
}

}  // namespace aio
