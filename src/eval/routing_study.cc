#include "eval/routing_study.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/check.h"
#include "eval/intervals.h"

namespace aio {

namespace {

constexpr int kRowsMax = 1'000'000;
constexpr int kResamples = 2000;

int Top(const std::vector<double>& probabilities) {
  return static_cast<int>(std::max_element(probabilities.begin(), probabilities.end()) -
                          probabilities.begin());
}

std::vector<int> Distinct(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

Routes RouteRules(const RoutingCandidate& candidate, const StudyArms& arms,
                  const std::vector<StudyQuery>& queries) {
  std::vector<int> small, large, usable;
  for (size_t label = 0; label < arms.labels.size(); ++label) {
    small.push_back(arms.BestOfRole(static_cast<int>(label), kSmallRole));
    large.push_back(arms.BestOfRole(static_cast<int>(label), kLargeRole));
    usable.push_back(large.back());
    if (candidate.small[label]) usable.push_back(small.back());
  }
  Routes routes{.arms = {}, .usable = Distinct(std::move(usable))};
  for (const StudyQuery& query : queries) {
    const int top = Top(query.probabilities);
    const bool on_small = candidate.small[top] && query.entropy <= candidate.entropy_max &&
                          query.prompt_tokens <= arms.long_tokens;
    routes.arms.push_back(on_small ? small[top] : large[top]);
  }
  return routes;
}

Routes RouteUtility(const RoutingCandidate& candidate, const StudyArms& arms,
                    const std::vector<StudyQuery>& queries) {
  Routes routes;
  for (size_t i = 0; i < arms.arms.size(); ++i) routes.usable.push_back(static_cast<int>(i));
  for (const StudyQuery& query : queries) {
    int best = -1;
    double best_utility = 0;
    for (size_t i = 0; i < arms.arms.size(); ++i) {
      // As RoutingPolicy has it, which knows one speed an arm.
      double utility = -candidate.lambda * candidate.answer_tokens / arms.speed[i];
      for (size_t label = 0; label < arms.labels.size(); ++label) {
        utility += query.probabilities[label] * arms.label_accuracy[label][i];
      }
      if (best >= 0 && utility <= best_utility) continue;
      best = static_cast<int>(i);
      best_utility = utility;
    }
    routes.arms.push_back(best);
  }
  return routes;
}

// --- losses ----------------------------------------------------------------------------

double LossOf(const StudyArms& arms, int group, int arm) {
  return arms.accuracy[group][arms.Best(group)] - arms.accuracy[group][arm];
}

// The losses of a label's queries, and all sizes a loss of it could have.
struct LabelLosses {
  std::vector<double> losses;
  std::vector<double> levels;  // rising, above 0
};

std::vector<LabelLosses> CollectLosses(const Routes& routes, const StudyArms& arms,
                                       const std::vector<StudyQuery>& queries) {
  std::vector<LabelLosses> labels(arms.labels.size());
  std::vector<std::set<double>> levels(arms.labels.size());
  std::set<int> groups;
  for (size_t i = 0; i < queries.size(); ++i) {
    const StudyQuery& query = queries[i];
    labels[query.label].losses.push_back(LossOf(arms, query.group, routes.arms[i]));
    groups.insert(query.group);
  }
  for (const int group : groups) {
    for (const int arm : routes.usable) {
      const double loss = LossOf(arms, group, arm);
      if (loss > 0) levels[arms.groups[group].label].insert(loss);
    }
  }
  for (size_t label = 0; label < labels.size(); ++label) {
    labels[label].levels.assign(levels[label].begin(), levels[label].end());
  }
  return labels;
}

// E[loss] = sum over the sizes v_1 < v_2 < ... of (v_j - v_j-1) P(loss >= v_j), and each of these
// probabilities has an exact upper bound; `growth` stands for so many times the queries.
double UpperBound(const LabelLosses& label, double confidence, double growth) {
  double bound = 0;
  double previous = 0;
  const auto n = static_cast<double>(label.losses.size());
  for (const double level : label.levels) {
    const auto reached = static_cast<double>(std::count_if(
        label.losses.begin(), label.losses.end(), [&](double loss) { return loss >= level; }));
    const auto trials = static_cast<int64_t>(std::llround(n * growth));
    const auto successes = static_cast<int64_t>(std::ceil(reached * growth));
    bound +=
        (level - previous) * ClopperPearsonUpper(std::min(successes, trials), trials, confidence);
    previous = level;
  }
  return bound;
}

// The confidence each of several bounds needs for all to hold together.
double Shared(double confidence, const std::vector<LabelLosses>& labels) {
  size_t bounds = 0;
  for (const LabelLosses& label : labels) bounds += label.levels.size();
  return 1 - (1 - confidence) / static_cast<double>(std::max<size_t>(1, bounds));
}

double BootstrapUpper(const std::vector<StudyQuery>& queries, const std::vector<double>& losses,
                      const StudyOptions& options) {
  const auto mean = [&](const std::vector<int>& sample) {
    std::vector<double> sums(options.mix.size(), 0);
    std::vector<double> counts(options.mix.size(), 0);
    for (const int i : sample) {
      sums[queries[i].label] += losses[i];
      ++counts[queries[i].label];
    }
    double loss = 0;
    for (size_t label = 0; label < sums.size(); ++label) {
      if (counts[label] > 0) loss += options.mix[label] * sums[label] / counts[label];
    }
    return loss;
  };
  const double two_sided = 2 * options.confidence - 1;
  return Bootstrap(static_cast<int>(queries.size()), two_sided, mean, kResamples).high;
}

void SetBounds(const Routes& routes, const StudyArms& arms, const std::vector<StudyQuery>& queries,
               const StudyOptions& options, RoutingFigures& figures) {
  const std::vector<LabelLosses> labels = CollectLosses(routes, arms, queries);
  const double confidence = Shared(options.confidence, labels);
  figures.labels.resize(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    LabelLoss& label = figures.labels[i];
    label.queries = static_cast<int>(labels[i].losses.size());
    for (const double loss : labels[i].losses) {
      label.losing += loss > 0 ? 1 : 0;
      label.loss += loss / label.queries;
    }
    label.loss_upper = UpperBound(labels[i], confidence, 1);
    figures.loss_upper += options.mix[i] * label.loss_upper;
  }
  if (options.method != BoundMethod::kBootstrap) return;
  std::vector<double> losses;
  for (size_t i = 0; i < queries.size(); ++i) {
    losses.push_back(LossOf(arms, queries[i].group, routes.arms[i]));
  }
  figures.loss_upper = BootstrapUpper(queries, losses, options);
}

}  // namespace

std::string RoutingCandidate::Name(const std::vector<std::string>& labels) const {
  if (kind == Kind::kUtility) return fmt::format("utility, lambda {:.3g}", lambda);
  std::vector<std::string> names;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (small[i]) names.push_back(labels[i]);
  }
  return fmt::format("{} small, tau {:.3g}", fmt::join(names, "+"), entropy_max);
}

std::string_view BoundMethodName(BoundMethod method) {
  return method == BoundMethod::kBootstrap ? "bootstrap" : "clopper-pearson";
}

Routes RouteCandidate(const RoutingCandidate& candidate, const StudyArms& arms,
                      const std::vector<StudyQuery>& queries) {
  return candidate.kind == RoutingCandidate::Kind::kUtility ? RouteUtility(candidate, arms, queries)
                                                            : RouteRules(candidate, arms, queries);
}

Routes RoutePolicy(const RoutingPolicy& policy, const StudyArms& arms,
                   const std::vector<StudyQuery>& queries) {
  Routes routes;
  for (const StudyQuery& query : queries) {
    Signals signals;
    signals.intent = IntentDistribution{
        .labels = arms.labels, .probabilities = query.probabilities, .entropy = query.entropy};
    signals.prompt_tokens = query.prompt_tokens;
    if (query.prompt_tokens > policy.probe_prompt_tokens_max()) signals.intent.reset();
    routes.arms.push_back(arms.Find(policy.Decide(signals)));
  }
  for (const RoutingRule& rule : policy.rules()) {
    PolicyOutcome outcome;
    outcome.role = rule.role;
    outcome.strategy = rule.strategy;
    outcome.weights = rule.weights;
    routes.usable.push_back(arms.Find(outcome));
  }
  routes.usable = Distinct(std::move(routes.usable));
  return routes;
}

Routes RouteOracle(const StudyArms& arms, const std::vector<StudyQuery>& queries) {
  Routes routes;
  for (const StudyQuery& query : queries) routes.arms.push_back(arms.Best(query.group));
  routes.usable = Distinct(routes.arms);
  return routes;
}

Routes RouteStatic(int arm, size_t queries) {
  return {.arms = std::vector<int>(queries, arm), .usable = {arm}};
}

RoutingFigures Evaluate(const Routes& routes, const StudyArms& arms,
                        const std::vector<StudyQuery>& queries, const StudyOptions& options) {
  AIO_CHECK(routes.arms.size() == queries.size() && options.mix.size() == arms.labels.size());
  RoutingFigures figures;
  SetBounds(routes, arms, queries, options, figures);
  double seconds_a_token = 0;
  for (size_t i = 0; i < queries.size(); ++i) {
    const StudyQuery& query = queries[i];
    const int arm = routes.arms[i];
    const double weight = options.mix[query.label] / figures.labels[query.label].queries;
    const double speed = arms.tokens_per_second[query.group][arm];
    figures.accuracy += weight * arms.accuracy[query.group][arm];
    figures.loss += weight * LossOf(arms, query.group, arm);
    figures.tokens_per_second_mean += weight * speed;
    seconds_a_token += weight / speed;
    if (arms.arms[arm].role == kSmallRole) figures.small_share += weight;
  }
  if (seconds_a_token > 0) figures.tokens_per_second = 1 / seconds_a_token;
  return figures;
}

RowsNeeded FindRowsNeeded(const Routes& routes, const StudyArms& arms,
                          const std::vector<StudyQuery>& queries, const StudyOptions& options,
                          double loss_max) {
  std::vector<LabelLosses> labels = CollectLosses(routes, arms, queries);
  const double confidence = Shared(options.confidence, labels);
  // The smallest number of queries a label for which the bound holds.
  const auto search = [&]() -> std::optional<int> {
    const auto holds = [&](int rows) {
      double bound = 0;
      for (size_t i = 0; i < labels.size(); ++i) {
        const double n = std::max<double>(1, static_cast<double>(labels[i].losses.size()));
        bound += options.mix[i] * UpperBound(labels[i], confidence, rows / n);
      }
      return bound <= loss_max;
    };
    if (!holds(kRowsMax)) return std::nullopt;
    int low = 0;  // does not hold, or is no number of rows
    int high = kRowsMax;
    while (high - low > 1) {
      const int middle = low + (high - low) / 2;
      (holds(middle) ? high : low) = middle;
    }
    return high;
  };
  RowsNeeded needed;
  needed.at_rates_seen = search();
  for (LabelLosses& label : labels) std::fill(label.losses.begin(), label.losses.end(), 0);
  needed.if_never_wrong = search();
  return needed;
}

}  // namespace aio
