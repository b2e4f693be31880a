#include "paper/mix_figures.h"

#include "base/check.h"

namespace aio {

namespace {

struct Part {
  double weight = 0;
  Rounded accuracy, tps;
};

std::optional<Part> LongPart(const PaperTables& tables, const LongContextTps& long_tps,
                             std::string_view configuration) {
  const std::optional<Rounded>& tps =
      configuration == kStaticSmall ? long_tps.small : long_tps.large;
  const auto* accuracy = FindNamed(tables.long_context.accuracy, configuration);
  if (accuracy == nullptr || !tps) return std::nullopt;
  return Part{0, Rounded::Printed(accuracy->long_context, tables.decimals.long_context), *tps};
}

MixFigures Average(const std::vector<Part>& parts) {
  std::vector<Weighted> accuracy;
  std::vector<Weighted> tps;
  accuracy.reserve(parts.size());
  tps.reserve(parts.size());
  for (const Part& part : parts) {
    accuracy.emplace_back(part.weight, part.accuracy);
    tps.emplace_back(part.weight, part.tps);
  }
  return {ArithmeticMean(accuracy), ArithmeticMean(tps), HarmonicMean(tps)};
}

std::optional<Rounded> SolveFor(const PaperTables& tables, const std::string& name,
                                const PaperMix& mix, std::string_view configuration) {
  const Named<AccuracyTps>* published = FindNamed(tables.figures.scenarios, name);
  const AccuracyTps* row = published == nullptr ? nullptr : FindNamed(*published, configuration);
  AIO_CHECK(row != nullptr && row->tps, "checked when the tables were read");
  Rounded left = Rounded::Printed(*row->tps, tables.decimals.scenarios);
  for (const auto& [task, share] : mix.short_context) {
    left = left - tables.Tps(configuration, task) * share;
  }
  const Rounded tps = left * (1 / mix.long_context.front().second);
  if (!(tps.low > 0)) return std::nullopt;
  return tps;
}

bool IsSmall(std::string_view configuration) {
  return configuration == kStaticSmall || configuration == kStaticSmallPld;
}

std::string_view WithPld(std::string_view configuration) {
  if (configuration == kStaticSmall) return kStaticSmallPld;
  if (configuration == kStaticLarge) return kStaticLargePld;
  return configuration;
}

std::string Strategised(const PaperTables& tables, const std::string& configuration, PldUse pld,
                        const std::string& task) {
  const std::string_view plain = WithoutPld(configuration);
  switch (pld) {
    case PldUse::kAsStated:
      return configuration;
    case PldUse::kOff:
      return std::string(plain);
    case PldUse::kWhereItHelps:
      break;
  }
  const std::string_view looked_up = WithPld(plain);
  const bool helps = tables.Accuracy(looked_up, task).value > tables.Accuracy(plain, task).value;
  return std::string(helps ? looked_up : plain);
}

}  // namespace

std::string_view WithoutPld(std::string_view configuration) {
  if (configuration == kStaticSmallPld) return kStaticSmall;
  if (configuration == kStaticLargePld) return kStaticLarge;
  return configuration;
}

LongContextTps SolveLongContextTps(const PaperTables& tables) {
  for (const auto& [name, mix] : tables.mixes) {
    if (mix.long_context.empty()) continue;
    return {name, SolveFor(tables, name, mix, kStaticSmall),
            SolveFor(tables, name, mix, kStaticLarge)};
  }
  return {};
}

MixRouting Always(const PaperTables& tables, std::string_view configuration) {
  const bool is_static = configuration == kStaticSmall || configuration == kStaticLarge;
  return {[name = std::string(configuration)](const std::string&) {
            return RouteShares{{1, name}};
          },
          {{1, is_static ? std::string(configuration) : tables.policy.long_context}}};
}

MixRouting EitherStatic() {
  const RouteShares either = {{0.5, std::string(kStaticSmall)}, {0.5, std::string(kStaticLarge)}};
  return {[either](const std::string&) { return RouteShares(either); }, either};
}

MixRouting PolicyRule(const PaperTables& tables, PldUse pld, Labels labels) {
  const auto route = [&tables, pld, labels](const std::string& task) {
    const std::string& intent = FindNamed(tables.tasks, task)->intent;
    RouteShares routes;
    for (const auto& [said, configuration] : tables.policy.by_intent) {
      const double probability = labels == Labels::kConfused ? tables.ProbabilitySaid(intent, said)
                                 : said == intent            ? 1
                                                             : 0;
      if (probability == 0) continue;
      routes.emplace_back(probability, Strategised(tables, configuration, pld, task));
    }
    return routes;
  };
  return {route, {{1, tables.policy.long_context}}};
}

MixRouting LargeOnly(const PaperTables& tables) {
  const auto route = [&tables](const std::string& task) {
    const std::string& intent = FindNamed(tables.tasks, task)->intent;
    const std::string& stated = *FindNamed(tables.policy.by_intent, intent);
    return RouteShares{{1, IsSmall(stated) ? std::string(kStaticLarge) : stated}};
  };
  return {route, {{1, std::string(kStaticLarge)}}};
}

std::optional<MixFigures> FiguresOfMix(const PaperTables& tables, const LongContextTps& long_tps,
                                       const PaperMix& mix, const MixRouting& rule) {
  std::vector<Part> parts;
  for (const auto& [task, share] : mix.short_context) {
    for (const auto& [probability, configuration] : rule.short_context(task)) {
      parts.push_back({share * probability, tables.Accuracy(configuration, task),
                       tables.Tps(configuration, task)});
    }
  }
  for (const auto& [task, share] : mix.long_context) {
    for (const auto& [probability, configuration] : rule.long_context) {
      std::optional<Part> part = LongPart(tables, long_tps, configuration);
      if (!part) return std::nullopt;
      part->weight = share * probability;
      parts.push_back(*part);
    }
  }
  return Average(parts);
}

MixFigures FiguresOfTask(const PaperTables& tables, const std::string& task,
                         const MixRouting& rule) {
  const PaperMix mix = {.description = "", .short_context = {{task, 1}}, .long_context = {}};
  const std::optional<MixFigures> figures = FiguresOfMix(tables, {}, mix, rule);
  AIO_CHECK(figures.has_value(), "short prompts have figures");
  return *figures;
}

}  // namespace aio
