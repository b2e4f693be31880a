#include "eval/study_arms.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eval/data_sets.h"

namespace aio {

namespace {

// The index of the arm with the greatest (accuracy, speed) of those that `may` allows; -1: none.
template <typename May>
int BestArm(const std::vector<double>& accuracy, const std::vector<double>& speed, const May& may) {
  int best = -1;
  for (size_t i = 0; i < accuracy.size(); ++i) {
    if (!may(i)) continue;
    const bool better = best < 0 || accuracy[i] > accuracy[best] ||
                        (accuracy[i] == accuracy[best] && speed[i] > speed[best]);
    if (better) best = static_cast<int>(i);
  }
  return best;
}

// What the known data sets say is of a label.
std::vector<std::string> KnownTasks(std::string_view label) {
  std::vector<std::string> tasks;
  for (const DataSetKind& kind : KnownDataSets()) {
    if (kind.intent != label) continue;
    if (std::find(tasks.begin(), tasks.end(), kind.task) == tasks.end()) {
      tasks.emplace_back(kind.task);
    }
  }
  return tasks;
}

Result<double> Require(const Arm& arm, const FiguresByTask& figures, const std::string& task,
                       const std::string& label) {
  if (const auto figure = FigureFor(figures, task, label, KnownTasks(label))) return *figure;
  return InvalidArgument(
      fmt::format("arm '{}' has no {} for {}label '{}'; add it", arm.Name(),
                  &figures == &arm.accuracy ? "accuracy" : "tokens per second",
                  task.empty() ? std::string() : fmt::format("task '{}' or ", task), label));
}

// The mean over the tasks that were measured, or what the table says of the label.
Result<double> OfLabel(const Arm& arm, const FiguresByTask& figures, const std::string& label,
                       const std::vector<std::string>& tasks) {
  if (tasks.empty()) return Require(arm, figures, "", label);
  double sum = 0;
  for (const std::string& task : tasks) {
    AIO_ASSIGN_OR_RETURN(const double figure, Require(arm, figures, task, label));
    sum += figure;
  }
  return sum / static_cast<double>(tasks.size());
}

}  // namespace

int StudyArms::Best(int group) const {
  return BestArm(accuracy[group], tokens_per_second[group], [](size_t) { return true; });
}

int StudyArms::BestOfRole(int label, std::string_view role) const {
  return BestArm(label_accuracy[label], label_speed[label],
                 [&](size_t i) { return arms[i].role == role; });
}

int StudyArms::BestUnprobed(std::string_view role) const {
  std::vector<double> sums(arms.size());
  for (size_t label = 0; label < labels.size(); ++label) {
    for (size_t i = 0; i < arms.size(); ++i) {
      sums[i] += label_accuracy_long[label][i].value_or(label_accuracy[label][i]);
    }
  }
  return BestArm(sums, speed, [&](size_t i) { return arms[i].role == role; });
}

int StudyArms::Plain(std::string_view role) const {
  int first = -1;
  for (size_t i = 0; i < arms.size(); ++i) {
    if (arms[i].role != role) continue;
    if (first < 0) first = static_cast<int>(i);
    if (arms[i].strategy.kind == StrategyKind::kPlain && arms[i].weights.empty()) {
      return static_cast<int>(i);
    }
  }
  return first;
}

int StudyArms::Find(const PolicyOutcome& outcome) const {
  for (size_t i = 0; i < arms.size(); ++i) {
    if (arms[i].role == outcome.role && arms[i].strategy.kind == outcome.strategy.kind &&
        arms[i].weights == outcome.weights) {
      return static_cast<int>(i);
    }
  }
  return Plain(outcome.role);
}

namespace {

// Fills in what is known of one label.
Status ResolveLabel(const ArmTable& table, const StudyScope& scope, size_t label,
                    StudyArms& study) {
  std::vector<std::string> tasks;
  tasks.reserve(scope.measured.size());
  for (const StudyGroup& group : scope.measured) {
    const bool named = group.label == static_cast<int>(label) && !group.task.empty();
    if (named) tasks.push_back(group.task);
  }
  const std::string& name = scope.labels[label];
  for (const Arm& arm : table.arms) {
    AIO_ASSIGN_OR_RETURN(const double percent, OfLabel(arm, arm.accuracy, name, tasks));
    AIO_ASSIGN_OR_RETURN(const double rate, OfLabel(arm, arm.tokens_per_second, name, tasks));
    study.label_accuracy[label].push_back(percent);
    study.label_speed[label].push_back(rate);
    study.label_accuracy_long[label].push_back(
        FigureFor(arm.accuracy_long, "", name, KnownTasks(name)));
  }
  return Status::Ok();
}

Status ResolveGroup(const ArmTable& table, const std::string& label, const StudyGroup& group,
                    StudyArms& study) {
  std::vector<double>& accuracy = study.accuracy.emplace_back();
  std::vector<double>& speed = study.tokens_per_second.emplace_back();
  for (const Arm& arm : table.arms) {
    AIO_ASSIGN_OR_RETURN(const double percent, Require(arm, arm.accuracy, group.task, label));
    AIO_ASSIGN_OR_RETURN(const double rate, Require(arm, arm.tokens_per_second, group.task, label));
    accuracy.push_back(percent);
    speed.push_back(rate);
  }
  return Status::Ok();
}

Status Resolve(const ArmTable& table, const StudyScope& scope, StudyArms& study) {
  for (const StudyGroup& group : scope.groups) {
    AIO_RETURN_IF_ERROR(ResolveGroup(table, scope.labels[group.label], group, study));
  }
  for (size_t label = 0; label < scope.labels.size(); ++label) {
    AIO_RETURN_IF_ERROR(ResolveLabel(table, scope, label, study));
  }
  return Status::Ok();
}

}  // namespace

Result<StudyArms> ResolveArms(const ArmTable& table, const StudyScope& scope) {
  const size_t labels = scope.labels.size();
  StudyArms study;
  study.arms = table.arms;
  study.labels = scope.labels;
  study.groups = scope.groups;
  study.label_accuracy.resize(labels);
  study.label_speed.resize(labels);
  study.label_accuracy_long.resize(labels);
  study.long_tokens = table.long_tokens;
  if (Status status = Resolve(table, scope, study); !status.ok()) {
    return std::move(status).WithContext(table.source);
  }
  for (size_t arm = 0; arm < table.arms.size(); ++arm) {
    double seconds = 0;  // a token
    for (size_t label = 0; label < labels; ++label) {
      seconds += scope.mix[label] / study.label_speed[label][arm];
    }
    study.speed.push_back(1 / seconds);
  }
  return study;
}

}  // namespace aio
