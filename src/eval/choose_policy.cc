#include "eval/choose_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace aio {

namespace {

using Kind = RoutingCandidate::Kind;

// Thresholds to try: fine where a sure probe's entropies are, then in steps of 0.05 to ln(labels).
std::vector<double> EntropyGrid(size_t labels) {
  const double max = std::log(static_cast<double>(labels));
  std::vector<double> grid = {0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04};
  for (int i = 1; i * 0.05 < max; ++i) grid.push_back(i * 0.05);
  grid.push_back(max);
  return grid;
}

// Points a second; 0 asks for accuracy alone.
std::vector<double> LambdaGrid() {
  std::vector<double> grid = {0};
  for (double lambda = 0.01; lambda < 150; lambda *= 1.5) grid.push_back(lambda);
  return grid;
}

// Sets of labels that may go to the small model: those it is best at first.
std::vector<std::vector<bool>> SmallLabelSets(const StudyArms& arms) {
  const size_t labels = arms.labels.size();
  std::vector<double> gain(labels);
  for (size_t i = 0; i < labels; ++i) {
    const int label = static_cast<int>(i);
    gain[i] = arms.label_accuracy[i][arms.BestOfRole(label, kSmallRole)] -
              arms.label_accuracy[i][arms.BestOfRole(label, kLargeRole)];
  }
  std::vector<size_t> order(labels);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return gain[a] > gain[b]; });
  std::vector<std::vector<bool>> sets;
  std::vector<bool> small(labels, false);
  sets.reserve(order.size());
  for (const size_t label : order) {
    small[label] = true;
    sets.push_back(small);
  }
  return sets;
}

std::vector<RoutingCandidate> AllCandidates(const StudyArms& arms, int answer_tokens) {
  std::vector<RoutingCandidate> candidates;
  for (const std::vector<bool>& small : SmallLabelSets(arms)) {
    for (const double tau : EntropyGrid(arms.labels.size())) {
      candidates.push_back({.kind = Kind::kRules, .small = small, .entropy_max = tau});
    }
  }
  for (const double lambda : LambdaGrid()) {
    candidates.push_back({.kind = Kind::kUtility,
                          .small = {},
                          .entropy_max = 0,
                          .lambda = lambda,
                          .answer_tokens = answer_tokens});
  }
  return candidates;
}

// At most `count` of the fit and tune queries: those first in each, as the hash ordered them.
std::vector<StudyQuery> GridQueries(const std::vector<StudyQuery>& fit,
                                    const std::vector<StudyQuery>& tune, int count, size_t labels) {
  std::vector<StudyQuery> chosen;
  const int each = std::max(1, count / static_cast<int>(labels));
  std::vector<int> taken(labels, 0);
  for (const std::vector<StudyQuery>* queries : {&fit, &tune}) {
    for (const StudyQuery& query : *queries) {
      if (taken[query.label]++ < each) chosen.push_back(query);
    }
  }
  return chosen;
}

class PolicyChooser {
 public:
  PolicyChooser(PolicyChoiceInput input, const CalibrationOptions& options)
      : input_(std::move(input)),
        options_(options),
        study_{.mix = options.mix, .confidence = options.confidence, .method = options.bound} {}

  RoutingReport Run() {
    report_.mix = options_.mix;
    report_.oracle_accuracy = Measure(RouteOracle(input_.arms, input_.held_out)).accuracy;
    report_.grid = SearchGrid(input_.fit, input_.tune);
    report_.grid_uncalibrated = SearchGrid(input_.fit_uncalibrated, input_.tune_uncalibrated);
    AddCandidates();
    AddReferences();
    MarkFront();
    Choose();
    report_.arms = std::move(input_.arms);
    return std::move(report_);
  }

 private:
  RoutingFigures Measure(const Routes& routes) const {
    return Evaluate(routes, input_.arms, input_.held_out, study_);
  }

  GridSearch SearchGrid(const std::vector<StudyQuery>& fit,
                        const std::vector<StudyQuery>& tune) const {
    const std::vector<StudyQuery> queries =
        GridQueries(fit, tune, options_.grid_queries, input_.arms.labels.size());
    GridSearch best{.queries = static_cast<int>(queries.size())};
    double best_speed = 0;
    for (const double tau : EntropyGrid(input_.arms.labels.size())) {
      const RoutingCandidate candidate{
          .kind = Kind::kRules, .small = SmallLabelSets(input_.arms).front(), .entropy_max = tau};
      const RoutingFigures figures =
          Evaluate(RouteCandidate(candidate, input_.arms, queries), input_.arms, queries, study_);
      const bool better = figures.accuracy > best.accuracy + 1e-9 ||
                          (figures.accuracy > best.accuracy - 1e-9 &&
                           figures.tokens_per_second > best_speed + 1e-9);
      if (!better) continue;
      best.entropy_max = tau;
      best.accuracy = figures.accuracy;
      best_speed = figures.tokens_per_second;
    }
    return best;
  }

  void AddCandidates() {
    for (RoutingCandidate& candidate : AllCandidates(input_.arms, options_.answer_tokens)) {
      FrontPoint point;
      point.name = candidate.Name(input_.arms.labels);
      point.group = candidate.kind == Kind::kUtility ? "utility" : "rules";
      point.held_out = Measure(RouteCandidate(candidate, input_.arms, input_.held_out));
      point.tune = Evaluate(RouteCandidate(candidate, input_.arms, input_.tune), input_.arms,
                            input_.tune, study_);
      point.candidate = std::move(candidate);
      report_.points.push_back(std::move(point));
    }
  }

  void AddReference(std::string name, std::string group, const RoutingFigures& figures) {
    FrontPoint point;
    point.name = std::move(name);
    point.group = std::move(group);
    point.held_out = figures;
    report_.points.push_back(std::move(point));
  }

  void AddReferences() {
    const size_t n = input_.held_out.size();
    const RoutingFigures small = Measure(RouteStatic(input_.arms.Plain(kSmallRole), n));
    const RoutingFigures large = Measure(RouteStatic(input_.arms.Plain(kLargeRole), n));
    AddReference("static small", "static", small);
    AddReference("static large", "static", large);
    AddReference("random, half and half", "random", Halfway(small, large));
    AddReference(
        "paper's policy (tau 0.45, not calibrated)", "paper",
        Evaluate(RoutePolicy(RoutingPolicy::Paper(), input_.arms, input_.held_out_uncalibrated),
                 input_.arms, input_.held_out_uncalibrated, study_));
    RoutingFigures oracle = Measure(RouteOracle(input_.arms, input_.held_out));
    oracle.loss_upper = 0;  // by what the word means, not by luck
    AddReference("oracle", "oracle", oracle);
  }

  // What a coin gives on average: no draw of it, hence no bound.
  static RoutingFigures Halfway(const RoutingFigures& a, const RoutingFigures& b) {
    RoutingFigures figures;
    figures.accuracy = (a.accuracy + b.accuracy) / 2;
    figures.loss = (a.loss + b.loss) / 2;
    figures.loss_upper = (a.loss_upper + b.loss_upper) / 2;
    figures.tokens_per_second = 2 / (1 / a.tokens_per_second + 1 / b.tokens_per_second);
    figures.tokens_per_second_mean = (a.tokens_per_second_mean + b.tokens_per_second_mean) / 2;
    figures.small_share = (a.small_share + b.small_share) / 2;
    return figures;
  }

  void MarkFront() {
    constexpr double kEqual = 1e-9;
    for (FrontPoint& point : report_.points) {
      const RoutingFigures& mine = point.held_out;
      point.on_front =
          point.group != "oracle" &&
          std::none_of(report_.points.begin(), report_.points.end(), [&](const FrontPoint& other) {
            const RoutingFigures& its = other.held_out;
            const bool as_good = its.accuracy >= mine.accuracy - kEqual &&
                                 its.tokens_per_second >= mine.tokens_per_second - kEqual;
            const bool better = its.accuracy > mine.accuracy + kEqual ||
                                its.tokens_per_second > mine.tokens_per_second + kEqual;
            return other.group != "oracle" && as_good && better;
          });
    }
  }

  // The candidates of the kind asked, the most careful first.
  std::vector<size_t> Sequence() const {
    std::vector<size_t> order;
    for (size_t i = 0; i < report_.points.size(); ++i) {
      const FrontPoint& point = report_.points[i];
      if (point.candidate && point.candidate->kind == options_.kind) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const RoutingFigures& x = *report_.points[a].tune;
      const RoutingFigures& y = *report_.points[b].tune;
      if (x.loss != y.loss) return x.loss < y.loss;
      return x.tokens_per_second < y.tokens_per_second;
    });
    return order;
  }

  void Choose() {
    const std::vector<size_t> order = Sequence();
    for (const size_t i : order) {
      if (report_.points[i].held_out.loss_upper > options_.loss_max) break;
      if (!report_.chosen || IsBetter(report_.points[i], report_.points[*report_.chosen])) {
        report_.chosen = i;
      }
    }
    if (report_.chosen || order.empty()) return;
    const auto least = std::min_element(order.begin(), order.end(), [&](size_t a, size_t b) {
      return report_.points[a].held_out.loss_upper < report_.points[b].held_out.loss_upper;
    });
    const RoutingCandidate& careful = *report_.points[*least].candidate;
    report_.rows_needed = FindRowsNeeded(RouteCandidate(careful, input_.arms, input_.held_out),
                                         input_.arms, input_.held_out, study_, options_.loss_max);
  }

  // Faster where it was chosen; of equals the less lossy, then the more careful.
  static bool IsBetter(const FrontPoint& a, const FrontPoint& b) {
    constexpr double kEqual = 1e-9;
    if (std::abs(a.tune->tokens_per_second - b.tune->tokens_per_second) > kEqual) {
      return a.tune->tokens_per_second > b.tune->tokens_per_second;
    }
    if (std::abs(a.tune->loss - b.tune->loss) > kEqual) return a.tune->loss < b.tune->loss;
    return std::pair(a.candidate->entropy_max, a.candidate->lambda) <
           std::pair(b.candidate->entropy_max, b.candidate->lambda);
  }

  PolicyChoiceInput input_;
  const CalibrationOptions& options_;
  const StudyOptions study_;
  RoutingReport report_;
};

}  // namespace

RoutingReport ChoosePolicy(PolicyChoiceInput input, const CalibrationOptions& options) {
  return PolicyChooser(std::move(input), options).Run();
}

}  // namespace aio
