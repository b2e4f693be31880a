#include "paper/measured_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "paper/strict_json.h"

namespace aio {

namespace {

constexpr double kTpsMax = 1e9;
constexpr double kMillisecondsMax = 1e9;
constexpr int kContextMax = 1 << 30;

// Where a run's name for something ends, and what the paper's has in its place.
struct Ending {
  std::string_view ours;
  std::string_view papers;
};
constexpr std::array kDecoding = {Ending{"-w8a16+prompt_lookup", "-w8a16-pld"},
                                  Ending{"-w8a16", "-w8a16"}, Ending{"+prompt_lookup", "-pld"},
                                  Ending{"+draft_model", "-draft-model"}, Ending{"", ""}};
constexpr std::array kAblations = {Ending{"no model routing", "without-model-routing"},
                                   Ending{"no strategy switch", "without-pld-switch"},
                                   Ending{"no entropy fallback", "without-entropy-fallback"},
                                   Ending{"no context rule", "without-context-rule"}};

std::string PaperRow(const std::string& configuration, const std::string& policy) {
  if (configuration == policy) return std::string(kAioRow);
  for (const std::string_view role : {"small", "large"}) {
    for (const Ending& ending : kDecoding) {
      if (configuration == std::string(role) + std::string(ending.ours)) {
        return fmt::format("static-{}{}", role, ending.papers);
      }
    }
  }
  return configuration;
}

// A rate of nothing answered is none.
std::optional<double> Rate(StrictObject& object, const std::string& key) {
  const double rate = object.Number(key, 0, kTpsMax);
  return rate > 0 ? std::optional(rate) : std::nullopt;
}

// The place of `name`, made if it is not there.
template <typename T>
T& Place(Named<T>& things, const std::string& name) {
  const auto it = std::find_if(things.begin(), things.end(),
                               [&](const auto& thing) { return thing.first == name; });
  return it == things.end() ? things.emplace_back(name, T{}).second : it->second;
}

template <typename T>
void AddOnce(Named<T>& things, const std::string& name, const T& value) {
  if (FindNamed(things, name) == nullptr) things.emplace_back(name, value);
}

class RunsReader {
 public:
  explicit RunsReader(const MeasuredRuns& runs) : runs_(runs) {}

  Result<MeasuredTables> Read() {
    for (const RunFile& file : runs_.evals) {
      AIO_RETURN_IF_ERROR(ReadFile(file, &RunsReader::ReadEval));
    }
    for (const RunFile& file : runs_.mixed) {
      AIO_RETURN_IF_ERROR(ReadFile(file, &RunsReader::ReadMixed));
    }
    measured_.stands_for = runs_.stands_for;
    return std::move(measured_);
  }

 private:
  Status ReadFile(const RunFile& file, void (RunsReader::*read)(StrictObject&, FirstFault&)) {
    AIO_ASSIGN_OR_RETURN(const StrictJson json, ParseStrictJson(file.text, file.path));
    FirstFault fault(file.path);
    StrictObject root(json, "", fault);
    (this->*read)(root, fault);
    AIO_RETURN_IF_ERROR(fault.status());
    measured_.source += (measured_.source.empty() ? "" : ", ") + file.path;
    return Status::Ok();
  }

  // Calls `read` for the objects of the list `key`.
  template <typename ReadObject>
  static void ForEachOf(StrictObject& object, const std::string& key, FirstFault& fault,
                        const ReadObject& read) {
    const StrictJson& list = object.Member(key);
    const std::string path = object.PathOf(key);
    if (!IsStrictList(list, path, std::nullopt, fault)) return;
    for (size_t i = 0; i < list.size() && fault.ok(); ++i) {
      StrictObject item(list[i], fmt::format("{}[{}]", path, i), fault);
      if (fault.ok()) read(item);
    }
  }

  void ReadEval(StrictObject& root, FirstFault& fault) {
    if (measured_.title.empty()) {
      ForEachOf(root, "models", fault, [&](StrictObject& model) {
        if (model.Has("weights") && !model.Text("weights").empty()) return;
        measured_.title += (measured_.title.empty() ? "" : " and ") + model.Text("name");
      });
    }
    ForEachOf(root, "figures", fault, [&](StrictObject& figure) {
      std::string task = figure.Text("task");
      const int context = figure.Int("context", 0, kContextMax);
      if (context > 0) task += fmt::format("@{}", context);
      const AccuracyTps reached = {100 * figure.Number("accuracy", 0, 1),
                                   Rate(figure, "mean_tokens_per_second")};
      AddTask(task, PaperRow(figure.Text("configuration"), runs_.policy), reached);
    });
  }

  void AddTask(const std::string& task, const std::string& row, const AccuracyTps& reached) {
    FigureTables& tables = measured_.figures;
    size_t column = 0;
    while (column < tables.tasks.size() && tables.tasks[column] != task) ++column;
    if (column == tables.tasks.size()) {
      tables.tasks.push_back(task);
      for (auto& [name, figures] : tables.by_task) figures.emplace_back();
    }
    std::vector<AccuracyTps>& figures = Place(tables.by_task, row);
    figures.resize(tables.tasks.size());
    AccuracyTps& place = figures[column];
    if (!place.accuracy && !place.tps) place = reached;
  }

  void ReadMixed(StrictObject& root, FirstFault& fault) {
    ForEachOf(root, "workloads", fault, [&](StrictObject& workload) {
      const std::string mix = workload.Text("workload");
      // What was measured before stays.
      const bool is_new = FindNamed(measured_.figures.scenarios, mix) == nullptr;
      ForEachOf(workload, "configurations", fault, [&](StrictObject& row) {
        if (is_new) ReadRow(row, mix);
      });
    });
  }

  void ReadRow(StrictObject& row, const std::string& mix) {
    FigureTables& tables = measured_.figures;
    const std::string name = row.Text("configuration");
    const bool is_ablation = row.Text("group") == "ablation";
    StrictObject load = row.Object("load");
    StrictObject rates = load.Object("tokens_per_second");
    AccuracyTps reached = {std::nullopt, Rate(rates, "arithmetic_mean")};
    if (row.Has("accuracy")) reached.accuracy = row.Object("accuracy").Number("percent", 0, 100);
    const bool of_table = mix == runs_.ablation_mix;
    if (is_ablation) {
      const std::string whole = runs_.policy + ", ";
      if (of_table && name.starts_with(whole)) {
        AddOnce(tables.ablations, PaperAblation(name.substr(whole.size())), reached);
      }
      return;
    }
    AddOnce(Place(tables.scenarios, mix), PaperRow(name, runs_.policy), reached);
    if (name != runs_.policy || !of_table) return;
    AddOnce(tables.ablations, "full", reached);
    StrictObject times = load.Object("mean_ms");
    const double probe = times.Number("probe", 0, kMillisecondsMax);
    const double other = times.Number("other", 0, kMillisecondsMax);
    AddOnce(tables.overhead, "probe_prefill_ms", probe);
    AddOnce(tables.overhead, "routing_ms", row.Number("decide_us", 0, kMillisecondsMax) / 1000);
    AddOnce(tables.overhead, "total_ms", probe + other);
    AddOnce(tables.overhead, "share_pct", 100 * times.Number("routing_share", 0, 1));
  }

  static std::string PaperAblation(const std::string& left_out) {
    for (const Ending& ending : kAblations) {
      if (left_out == ending.ours) return std::string(ending.papers);
    }
    return left_out;
  }

  const MeasuredRuns& runs_;
  MeasuredTables measured_;
};

}  // namespace

Result<MeasuredTables> TablesOfRuns(const MeasuredRuns& runs) { return RunsReader(runs).Read(); }

}  // namespace aio
