#include "sim/find_limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace aio {
namespace {

// What is searched: values in which the load of a device grows.
class Search {
 public:
  Search(const Scenario& scenario, const LimitQuestion& question, int threads,
         const std::function<void(const LimitTry&)>& progress)
      : scenario_(scenario), question_(question), threads_(threads), progress_(progress) {}

  bool is_whole() const { return question_.what == "devices"; }

  // Whether the conditions hold at each of `values`; in their order.
  Result<std::vector<bool>> Try(const std::vector<double>& values) {
    std::vector<Scenario> scenarios;
    for (const double value : values) {
      Scenario changed = scenario_;
      AIO_RETURN_IF_ERROR(ChangeScenario(question_.what, fmt::format("{}", value), changed));
      scenarios.push_back(std::move(changed));
    }
    std::vector<bool> holds;
    auto results = RunScenarios(scenarios, threads_, {});
    for (size_t i = 0; i < results.size(); ++i) {
      AIO_ASSIGN_OR_RETURN(const ScenarioResult result, std::move(results[i]));
      LimitTry tried{.value = values[i], .holds = true, .summary = result.summary};
      for (const LimitCondition& condition : question_.conditions) {
        const bool is_known = condition.Value(result.summary).has_value();
        if (!is_known && result.summary.answered > 0) {
          return InvalidArgument("'" + condition.Text() +
                                 "': that is not known here: the models have no accuracies, or no "
                                 "answer is longer than a token");
        }
        tried.holds &= condition.Holds(result.summary);
      }
      holds.push_back(tried.holds);
      if (progress_) progress_(tried);
      tries_.push_back(std::move(tried));
    }
    return holds;
  }

  std::vector<LimitTry> TakeTries() {
    std::sort(tries_.begin(), tries_.end(),
              [](const LimitTry& a, const LimitTry& b) { return a.value < b.value; });
    return std::move(tries_);
  }

 private:
  const Scenario& scenario_;
  const LimitQuestion& question_;
  const int threads_;
  const std::function<void(const LimitTry&)>& progress_;
  std::vector<LimitTry> tries_;
};

// Values between `good` and `bad`, evenly (by ratio); none when they are near enough.
std::vector<double> Between(double good, double bad, bool is_whole) {
  // As many as are tried at a time, on however many threads.
  constexpr int kPoints = 3;
  std::vector<double> points;
  for (int i = 1; i <= kPoints; ++i) {
    const double share = static_cast<double>(i) / (kPoints + 1);
    double value = good * std::pow(bad / good, share);
    if (is_whole) value = std::round(value);
    const bool is_new = value != good && value != bad && (points.empty() || points.back() != value);
    if (is_new) points.push_back(value);
  }
  constexpr double kNear = 1.01;
  const bool is_near = std::max(good / bad, bad / good) <= kNear;
  return is_near && !is_whole ? std::vector<double>() : points;
}

}  // namespace

Result<LimitAnswer> FindLimit(const Scenario& scenario, const LimitQuestion& question, int threads,
                              const std::function<void(const LimitTry&)>& progress) {
  Search search(scenario, question, threads, progress);
  // For rates: up while it holds, down while it does not; for devices the other way round. So
  // `easy` is where it holds, `hard` where it does not.
  const bool rate = question.what == "rate";
  constexpr double kFactor = 2;
  constexpr int kDoublings = 20;
  // As far as ChangeScenario() goes, nearly, and as a run has no more than so many requests.
  constexpr double kRequestsMax = 2e6;
  const double least = rate ? 1e-4 : 1;
  const double seconds = std::max(scenario.traffic.seconds, 1.0);
  const double most = rate ? kRequestsMax / seconds : 16'384;
  double start = std::clamp(
      rate ? MeanRate(scenario.traffic) : static_cast<double>(scenario.setup.pools.front().devices),
      least, most);
  AIO_ASSIGN_OR_RETURN(const std::vector<bool> first, search.Try({start}));
  const bool holds_first = first[0];
  double good = holds_first ? start : 0;
  double bad = holds_first ? 0 : start;
  for (int i = 0; i < kDoublings && (good == 0 || bad == 0); ++i) {
    const bool harder = holds_first;
    double next = harder == rate ? start * kFactor : start / kFactor;
    if (search.is_whole()) next = std::floor(next);
    if (next < least || next > most) break;
    AIO_ASSIGN_OR_RETURN(const std::vector<bool> holds, search.Try({next}));
    (holds[0] ? good : bad) = next;
    start = next;
  }
  LimitAnswer answer;
  while (good != 0 && bad != 0) {
    const std::vector<double> between = Between(good, bad, search.is_whole());
    if (between.empty()) break;
    AIO_ASSIGN_OR_RETURN(const std::vector<bool> holds, search.Try(between));
    for (size_t i = 0; i < between.size(); ++i) {
      if (!holds[i]) {
        bad = between[i];
        break;
      }
      good = between[i];
    }
  }
  answer.value = good;
  answer.is_open = good != 0 && bad == 0 && (rate || good > 1);
  answer.tries = search.TakeTries();
  return answer;
}

}  // namespace aio
