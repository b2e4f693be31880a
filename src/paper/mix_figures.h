// What a mix of requests reaches under a way of routing them, computed from the paper's figures
// by task.
#ifndef AIO_PAPER_MIX_FIGURES_H_
#define AIO_PAPER_MIX_FIGURES_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "paper/paper_tables.h"
#include "paper/rounded.h"

namespace aio {

struct MixFigures {
  Rounded accuracy;      // percent, mean over requests
  Rounded tps;           // arithmetic mean over requests, as published
  Rounded tps_harmonic;  // generated tokens over time, every request of as many tokens
};

// Where requests of one kind go: probability and configuration. The probabilities sum to 1.
using RouteShares = std::vector<std::pair<double, std::string>>;

struct MixRouting {
  std::function<RouteShares(const std::string& task)> short_context;
  // Of long prompts, whose figures are known for the static configurations alone.
  RouteShares long_context;
};

// The paper prints no speed for long prompts. Those of the two static configurations follow from
// the published row of the first mix with a long part: what is left of its arithmetic mean when
// the short part's known speeds are taken out. Absent if no mix has one, or none above 0 is left.
struct LongContextTps {
  std::string mix;
  std::optional<Rounded> small, large;
};
LongContextTps SolveLongContextTps(const PaperTables& tables);

// Every request to one configuration; long prompts, for configurations that have no figures for
// them, to the policy's.
MixRouting Always(const PaperTables& tables, std::string_view configuration);
// To either static model, half and half.
MixRouting EitherStatic();

// What a policy table is read with.
enum class PldUse {
  kAsStated,      // the configurations that the policy names
  kOff,           // the same without prompt lookup
  kWhereItHelps,  // with or without prompt lookup, whichever is more accurate on the task
};
enum class Labels {
  kPerfect,   // the probe is always right
  kConfused,  // it errs as often as the confusion matrix says
};
// They read `tables`, which must live as long.
MixRouting PolicyRule(const PaperTables& tables, PldUse pld, Labels labels);
// The policy's strategies on the large model alone; perfect labels.
MixRouting LargeOnly(const PaperTables& tables);

// Absent if the mix has a long part whose speed is not known.
std::optional<MixFigures> FiguresOfMix(const PaperTables& tables, const LongContextTps& long_tps,
                                       const PaperMix& mix, const MixRouting& rule);
// Of a mix of one task's short prompts.
MixFigures FiguresOfTask(const PaperTables& tables, const std::string& task,
                         const MixRouting& rule);

// `configuration` without prompt lookup.
std::string_view WithoutPld(std::string_view configuration);

}  // namespace aio

#endif  // AIO_PAPER_MIX_FIGURES_H_
