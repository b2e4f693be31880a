// What was measured here beside what the paper publishes.
#include <fmt/format.h>

#include <algorithm>

#include "paper/report_sections.h"

namespace aio {

namespace {

std::string Figure(const std::optional<double>& figure) {
  return figure ? fmt::format("{:.2f}", *figure) : "-";
}

// Figures of both, any of which may be missing, and the speeds over a static large model's own.
std::vector<std::string> Beside(std::string name, const AccuracyTps* paper,
                                const AccuracyTps* paper_large, const AccuracyTps* measured,
                                const AccuracyTps* measured_large) {
  const auto over = [](const AccuracyTps* figures, const AccuracyTps* large) -> std::string {
    if (figures == nullptr || large == nullptr || !figures->tps || !large->tps) return "-";
    return fmt::format("{:.2f}", *figures->tps / *large->tps);
  };
  const AccuracyTps none;
  const AccuracyTps& p = paper == nullptr ? none : *paper;
  const AccuracyTps& m = measured == nullptr ? none : *measured;
  return {std::move(name),
          Figure(p.accuracy),
          Figure(m.accuracy),
          Figure(p.tps),
          Figure(m.tps),
          over(paper, paper_large),
          over(measured, measured_large)};
}

ReportTable BesideTable(const char* name) {
  return {{name, "accuracy, paper", "here", "tokens/s, paper", "here", "over static large, paper",
           "here"},
          1,
          {}};
}

// The names of both, the paper's first.
template <typename T, typename U>
std::vector<std::string> Names(const Named<T>& paper, const Named<U>& measured) {
  std::vector<std::string> names;
  names.reserve(paper.size() + measured.size());
  for (const auto& [name, value] : paper) names.push_back(name);
  for (const auto& [name, value] : measured) {
    if (FindNamed(paper, name) == nullptr) names.push_back(name);
  }
  return names;
}

ReportTable ByTask(const FigureTables& paper, const MeasuredTables& measured) {
  ReportTable table = BesideTable("task, row");
  const auto add = [&](const std::string& task, bool is_papers) {
    const auto find = [&](std::string_view configuration) {
      return is_papers ? measured.FindForPaperTask(configuration, task)
                       : measured.figures.Find(configuration, task);
    };
    // Tasks that nothing was measured on are left out.
    const Named<std::vector<AccuracyTps>>& rows = measured.figures.by_task;
    const bool measured_here = std::any_of(
        rows.begin(), rows.end(), [&](const auto& row) { return find(row.first) != nullptr; });
    for (const std::string& row : Names(paper.by_task, rows)) {
      const AccuracyTps* here = find(row);
      const AccuracyTps* theirs = is_papers ? paper.Find(row, task) : nullptr;
      if (here == nullptr && (theirs == nullptr || !measured_here)) continue;
      table.rows.push_back(Beside(fmt::format("{}, {}", task, row), theirs,
                                  is_papers ? paper.Find(kStaticLarge, task) : nullptr, here,
                                  find(kStaticLarge)));
    }
  };
  for (const std::string& task : paper.tasks) add(task, true);
  const auto is_papers = [&](const std::string& task) {
    return std::find(paper.tasks.begin(), paper.tasks.end(), task) != paper.tasks.end();
  };
  for (const std::string& task : measured.figures.tasks) {
    const std::string* stands_for = FindNamed(measured.stands_for, task);
    if (!is_papers(stands_for == nullptr ? task : *stands_for)) add(task, false);
  }
  return table;
}

ReportTable ByMix(const FigureTables& paper, const FigureTables& measured) {
  ReportTable table = BesideTable("mix, row");
  const Named<AccuracyTps> none;
  for (const std::string& mix : Names(paper.scenarios, measured.scenarios)) {
    const auto* paper_rows = FindNamed(paper.scenarios, mix);
    const auto* rows = FindNamed(measured.scenarios, mix);
    const Named<AccuracyTps>& theirs = paper_rows == nullptr ? none : *paper_rows;
    const Named<AccuracyTps>& here = rows == nullptr ? none : *rows;
    for (const std::string& row : Names(theirs, here)) {
      table.rows.push_back(Beside(fmt::format("{}, {}", mix, row), FindNamed(theirs, row),
                                  FindNamed(theirs, kStaticLarge), FindNamed(here, row),
                                  FindNamed(here, kStaticLarge)));
    }
  }
  return table;
}

// Over the full system, not over static large.
ReportTable Ablations(const FigureTables& paper, const FigureTables& measured) {
  ReportTable table = BesideTable("ablation");
  table.header[5] = "over full, paper";
  for (const std::string& name : Names(paper.ablations, measured.ablations)) {
    table.rows.push_back(
        Beside(name, FindNamed(paper.ablations, name), FindNamed(paper.ablations, "full"),
               FindNamed(measured.ablations, name), FindNamed(measured.ablations, "full")));
  }
  return table;
}

ReportTable Overhead(const FigureTables& paper, const FigureTables& measured) {
  ReportTable table = {{"overhead", "paper", "here"}, 1, {}};
  const auto number = [](const double* value) {
    return value == nullptr ? std::string("-") : fmt::format("{:.3g}", *value);
  };
  for (const std::string& name : Names(paper.overhead, measured.overhead)) {
    table.rows.push_back({name, number(FindNamed(paper.overhead, name)),
                          number(FindNamed(measured.overhead, name))});
  }
  return table;
}

}  // namespace

ReportSection MeasuredSection(const Reproduction& reproduction) {
  const MeasuredTables& measured = *reproduction.measured;
  const FigureTables& paper = reproduction.tables.figures;
  ReportSection section = {"Measured here", {}};
  std::string about = fmt::format("From {}", measured.source);
  if (!measured.title.empty()) about += ": " + measured.title;
  about += ". Other models on another machine: compare what is over static large, not the speeds.";
  for (const auto& [own, task] : measured.stands_for) {
    about += fmt::format(" {} stands for {}.", own, task);
  }
  section.blocks.emplace_back(std::move(about));
  if (!measured.figures.by_task.empty()) section.blocks.emplace_back(ByTask(paper, measured));
  if (!measured.figures.scenarios.empty()) {
    section.blocks.emplace_back(ByMix(paper, measured.figures));
  }
  if (!measured.figures.ablations.empty()) {
    section.blocks.emplace_back(Ablations(paper, measured.figures));
  }
  if (!measured.figures.overhead.empty()) {
    section.blocks.emplace_back(Overhead(paper, measured.figures));
  }
  return section;
}

}  // namespace aio
