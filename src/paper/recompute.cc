#include "paper/recompute.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace aio {

namespace {

Rounded PrintedTps(const PaperTables& tables, const AccuracyTps& figures) {
  return Rounded::Printed(figures.tps.value_or(0), tables.decimals.scenarios);
}

// Accuracy and speed of one cell.
void AddPair(Comparisons& out, const Comparison& cell, const std::array<Rounded, 2>& published,
             const std::array<Rounded, 2>& recomputed) {
  for (size_t i = 0; i < 2; ++i) {
    Comparison& added = out.emplace_back(cell);
    added.figure = i == 0 ? "accuracy" : "tokens/s";
    added.published = published[i];
    added.recomputed = recomputed[i];
  }
}

std::array<Rounded, 2> Printed(const AccuracyTps& figures, int decimals) {
  return {Rounded::Printed(figures.accuracy.value_or(0), decimals),
          Rounded::Printed(figures.tps.value_or(0), decimals)};
}

std::array<Rounded, 2> RowOf(const PaperTables& tables, std::string_view row,
                             const std::string& task) {
  return {tables.Accuracy(row, task), tables.Tps(row, task)};
}

const AccuracyTps& Published(const PaperTables& tables, const std::string& mix,
                             std::string_view row) {
  const Named<AccuracyTps>* rows = FindNamed(tables.figures.scenarios, mix);
  const AccuracyTps* figures = rows == nullptr ? nullptr : FindNamed(*rows, row);
  AIO_CHECK(figures != nullptr, "checked when the tables were read");
  return *figures;
}

// From any routing of the confusion matrix to every short request on the small model.
std::array<Rounded, 2> WithoutFallbackRange(const PaperTables& tables, const PaperMix& mix) {
  const MixRouting confused = PolicyRule(tables, PldUse::kAsStated, Labels::kConfused);
  const MixRouting small = Always(tables, kStaticSmall);
  std::array<Rounded, 2> range;
  for (const auto& [task, share] : mix.short_context) {
    const MixFigures from = FiguresOfTask(tables, task, confused);
    const MixFigures to = FiguresOfTask(tables, task, small);
    const auto add = [share = share](Rounded& sum, const Rounded& a, const Rounded& b) {
      sum = sum + Rounded{a.value, std::min(a.low, b.low), std::max(a.high, b.high)} * share;
    };
    add(range[0], from.accuracy, to.accuracy);
    add(range[1], from.tps, to.tps);
  }
  return range;
}

}  // namespace

Comparisons RecomputeRandomRow(const PaperTables& tables) {
  Comparisons out;
  const MixRouting either = EitherStatic();
  for (const std::string& task : tables.figures.tasks) {
    const MixFigures figures = FiguresOfTask(tables, task, either);
    AddPair(out, {"Table 3", "random, " + task, "", {}, {}, "mean of the static rows"},
            RowOf(tables, kRandomRow, task), {figures.accuracy, figures.tps});
  }
  return out;
}

Comparisons RecomputeOracleRow(const PaperTables& tables) {
  Comparisons out;
  for (const std::string& task : tables.figures.tasks) {
    std::string_view best = kStaticSmall;
    for (const std::string_view row : {kStaticSmallPld, kStaticLarge, kStaticLargePld}) {
      if (tables.Accuracy(row, task).value > tables.Accuracy(best, task).value) best = row;
    }
    AddPair(out, {"Table 3", "oracle, " + task, "", {}, {}, fmt::format("{} is best", best)},
            RowOf(tables, kOracleRow, task), RowOf(tables, best, task));
  }
  return out;
}

Comparisons RecomputeLongTable(const PaperTables& tables) {
  Comparisons out;
  const PaperLongContext& context = tables.long_context;
  for (const auto& [row, accuracy] : context.accuracy) {
    if (tables.figures.Find(row, context.task) == nullptr) continue;
    out.push_back({"Table 1", fmt::format("{}, short", row), "accuracy",
                   Rounded::Printed(accuracy.short_context, tables.decimals.long_context),
                   tables.Accuracy(row, context.task), "Table 3's " + row});
  }
  return out;
}

Comparisons RecomputeMixes(const PaperTables& tables, const LongContextTps& long_tps) {
  Comparisons out;
  for (const auto& [name, mix] : tables.mixes) {
    const auto published = [&, &name = name](std::string_view row) {
      return Printed(Published(tables, name, row), tables.decimals.scenarios);
    };
    const auto add_row = [&, &name = name, &mix = mix](std::string_view row,
                                                       std::string_view from) {
      const auto figures = FiguresOfMix(tables, long_tps, mix, Always(tables, from));
      if (!figures) return;
      AddPair(out,
              {"Table 4",
               fmt::format("{}, {}", name, row),
               "",
               {},
               {},
               fmt::format("Table 3's {}", from)},
              published(row), {figures->accuracy, figures->tps});
      const bool is_static = row == kStaticSmall || row == kStaticLarge;
      if (name == long_tps.mix && is_static) out.pop_back();  // solved for, not checked
    };
    add_row(kStaticSmall, kStaticSmall);
    add_row(kStaticLarge, kStaticLarge);
    const auto small = published(kStaticSmall);
    const auto large = published(kStaticLarge);
    AddPair(out, {"Table 4", name + ", random", "", {}, {}, "mean of Table 4's static rows"},
            published(kRandomRow), {(small[0] + large[0]) * 0.5, (small[1] + large[1]) * 0.5});
    add_row(kAioRow, kAioRow);
    add_row(kAioRow, kOracleRow);
  }
  return out;
}

Comparisons RecomputeAblations(const PaperTables& tables, const LongContextTps& long_tps) {
  const PaperMix& mix = *FindNamed(tables.mixes, tables.ablation_scenario);
  Comparisons out;
  const auto add = [&](const char* name, const char* how, const std::array<Rounded, 2>& figures) {
    AddPair(out, {"Table 5", name, "", {}, {}, how},
            Printed(*FindNamed(tables.figures.ablations, name), tables.decimals.ablations),
            figures);
  };
  const auto add_rule = [&](const char* name, const char* how, const MixRouting& rule) {
    const auto figures = FiguresOfMix(tables, long_tps, mix, rule);
    AIO_CHECK(figures.has_value(), "the mix has no long part");
    add(name, how, {figures->accuracy, figures->tps});
  };
  add_rule("without-model-routing", "large model, the policy's strategies", LargeOnly(tables));
  add_rule("without-pld-switch", "policy without PLD, perfect labels",
           PolicyRule(tables, PldUse::kOff, Labels::kPerfect));
  add_rule("without-pld-switch", "policy without PLD, Table 2's labels",
           PolicyRule(tables, PldUse::kOff, Labels::kConfused));
  add("without-entropy-fallback", "Table 2's labels; to all on the small model",
      WithoutFallbackRange(tables, mix));
  add_rule("full", "Table 3's aio", Always(tables, kAioRow));
  add_rule("full", "policy as stated, Table 2's labels",
           PolicyRule(tables, PldUse::kAsStated, Labels::kConfused));
  return out;
}

std::vector<ExpectedTask> ExpectTasks(const PaperTables& tables) {
  const MixRouting stated = PolicyRule(tables, PldUse::kAsStated, Labels::kConfused);
  const MixRouting helps = PolicyRule(tables, PldUse::kWhereItHelps, Labels::kConfused);
  std::vector<ExpectedTask> tasks;
  tasks.reserve(tables.figures.tasks.size());
  for (const std::string& task : tables.figures.tasks) {
    tasks.push_back({task, FiguresOfTask(tables, task, stated), FiguresOfTask(tables, task, helps),
                     tables.Accuracy(kOracleRow, task), tables.Accuracy(kAioRow, task),
                     tables.Tps(kAioRow, task)});
  }
  return tasks;
}

Comparisons CompareExpected(const std::vector<ExpectedTask>& tasks) {
  Comparisons out;
  for (const ExpectedTask& task : tasks) {
    AddPair(out, {"Table 3", "aio, " + task.task, "", {}, {}, "policy as stated, Table 2's labels"},
            {task.published, task.published_tps}, {task.stated.accuracy, task.stated.tps});
    AddPair(out,
            {"Table 3", "aio, " + task.task, "", {}, {}, "PLD where it helps, Table 2's labels"},
            {task.published, task.published_tps},
            {task.where_it_helps.accuracy, task.where_it_helps.tps});
  }
  return out;
}

std::vector<MixGain> MixGains(const PaperTables& tables, const LongContextTps& long_tps) {
  std::vector<MixGain> gains;
  const MixRouting stated = PolicyRule(tables, PldUse::kAsStated, Labels::kConfused);
  for (const auto& [name, mix] : tables.mixes) {
    const auto large = FiguresOfMix(tables, long_tps, mix, Always(tables, kStaticLarge));
    const auto aio = FiguresOfMix(tables, long_tps, mix, Always(tables, kAioRow));
    const auto expected = FiguresOfMix(tables, long_tps, mix, stated);
    if (!large || !aio || !expected) continue;
    const Rounded published = PrintedTps(tables, Published(tables, name, kAioRow)) /
                              PrintedTps(tables, Published(tables, name, kStaticLarge));
    gains.push_back({name, published.value, aio->tps.value / large->tps.value,
                     aio->tps_harmonic.value / large->tps_harmonic.value,
                     expected->tps_harmonic.value / large->tps_harmonic.value});
  }
  return gains;
}

}  // namespace aio
