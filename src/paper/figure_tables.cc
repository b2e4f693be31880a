#include "paper/figure_tables.h"

#include <fmt/format.h>

#include "paper/figure_tables_json.h"

namespace aio {

namespace {

constexpr double kTpsMax = 1e9;
constexpr double kMillisecondsMax = 1e9;

class FiguresReader {
 public:
  FiguresReader(bool may_be_null, FirstFault& fault) : may_be_null_(may_be_null), fault_(fault) {}

  void ReadByTask(StrictObject object, FigureTables& tables) {
    tables.tasks = object.Texts("columns");
    object.ForEach("rows",
                   [&](const std::string& name, const StrictJson& json, const std::string& path) {
                     StrictObject row(json, path, fault_);
                     const size_t columns = tables.tasks.size();
                     const auto accuracy = Column(row, "acc", columns, 0, 100);
                     const auto tps = Column(row, "tps", columns, kTpsMin, kTpsMax);
                     row.Finish();
                     std::vector<AccuracyTps> figures(columns);
                     for (size_t i = 0; i < columns; ++i) figures[i] = {accuracy[i], tps[i]};
                     tables.by_task.emplace_back(name, std::move(figures));
                   });
    object.Finish();
  }

  Named<AccuracyTps> ReadPairs(StrictObject& object, const std::string& key) {
    Named<AccuracyTps> pairs;
    object.ForEach(key,
                   [&](const std::string& name, const StrictJson& json, const std::string& path) {
                     pairs.emplace_back(name, Pair(json, path));
                   });
    return pairs;
  }

 private:
  static constexpr double kTpsMin = 1e-6;  // rates are divided by

  std::optional<double> Figure(const StrictJson& json, const std::string& path, double low,
                               double high) {
    if (json.is_null() && may_be_null_) return std::nullopt;
    return StrictNumber(json, path, low, high, fault_);
  }

  std::vector<std::optional<double>> Column(StrictObject& row, const char* key, size_t size,
                                            double low, double high) {
    std::vector<std::optional<double>> figures(size);
    const StrictJson& list = row.Member(key);
    if (!IsStrictList(list, row.PathOf(key), size, fault_)) return figures;
    for (size_t i = 0; i < size; ++i) {
      figures[i] = Figure(list[i], fmt::format("{}[{}]", row.PathOf(key), i), low, high);
    }
    return figures;
  }

  AccuracyTps Pair(const StrictJson& json, const std::string& path) {
    if (!IsStrictList(json, path, 2, fault_)) return {};
    return {Figure(json[0], path + "[0]", 0, 100), Figure(json[1], path + "[1]", kTpsMin, kTpsMax)};
  }

  bool may_be_null_;
  FirstFault& fault_;
};

}  // namespace

void ReadFigureTables(StrictObject& root, bool may_be_null, FirstFault& fault,
                      FigureTables& tables) {
  FiguresReader reader(may_be_null, fault);
  if (root.Has("accuracy_tps")) reader.ReadByTask(root.Object("accuracy_tps"), tables);
  if (root.Has("scenarios")) {
    StrictObject scenarios = root.Object("scenarios");
    root.ForEach("scenarios", [&](const std::string& name, const StrictJson&, const std::string&) {
      tables.scenarios.emplace_back(name, reader.ReadPairs(scenarios, name));
    });
  }
  if (root.Has("ablations")) tables.ablations = reader.ReadPairs(root, "ablations");
}

const AccuracyTps* FigureTables::Find(std::string_view configuration, std::string_view task) const {
  const std::vector<AccuracyTps>* row = FindNamed(by_task, configuration);
  const auto column = std::find(tasks.begin(), tasks.end(), task);
  if (row == nullptr || column == tasks.end()) return nullptr;
  return &(*row)[static_cast<size_t>(column - tasks.begin())];
}

const AccuracyTps* MeasuredTables::FindForPaperTask(std::string_view configuration,
                                                    std::string_view task) const {
  if (const AccuracyTps* own = figures.Find(configuration, task)) return own;
  for (const auto& [own_task, paper_task] : stands_for) {
    if (paper_task == task) return figures.Find(configuration, own_task);
  }
  return nullptr;
}

Result<MeasuredTables> ParseMeasuredTables(std::string_view text, const std::string& source) {
  AIO_ASSIGN_OR_RETURN(const StrictJson json, ParseStrictJson(text, source));
  FirstFault fault(source);
  StrictObject root(json, "", fault);
  MeasuredTables measured;
  measured.source = source;
  if (root.Has("title")) measured.title = root.Text("title");
  if (root.Has("stands_for")) {
    StrictObject names = root.Object("stands_for");
    root.ForEach("stands_for", [&](const std::string& name, const StrictJson&, const std::string&) {
      measured.stands_for.emplace_back(name, names.Text(name));
    });
  }
  ReadFigureTables(root, /*may_be_null=*/true, fault, measured.figures);
  if (root.Has("overhead")) {
    StrictObject parts = root.Object("overhead");
    root.ForEach("overhead", [&](const std::string& name, const StrictJson&, const std::string&) {
      measured.figures.overhead.emplace_back(name, parts.Number(name, 0, kMillisecondsMax));
    });
  }
  root.Finish();
  if (!fault.ok()) return fault.status();
  const FigureTables& figures = measured.figures;
  if (figures.by_task.empty() && figures.scenarios.empty() && figures.ablations.empty() &&
      figures.overhead.empty()) {
    return InvalidArgument(source +
                           ": holds none of 'accuracy_tps', 'scenarios', 'ablations' and "
                           "'overhead'; is it a file of figures?");
  }
  return measured;
}

}  // namespace aio
